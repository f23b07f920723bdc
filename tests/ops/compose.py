"""docker-compose.yml as data, for tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
SERVING = {name: service for name, service in OURS.items() if not service["healthcheck"].get("disable")}
"""Those of our services that stay up, and serve metrics."""


def environment(service: str) -> dict[str, str]:
    """What the container is told."""
    found: dict[str, str] = SERVICES[service].get("environment", {})
    return found


def published(service: str) -> list[tuple[str, int, int]]:
    """Host address, host port, container port."""
    ports = [str(port).rsplit(":", 2) for port in SERVICES[service].get("ports", [])]
    return [(host, int(outside), int(inside)) for host, outside, inside in ports]


def mounts(service: str) -> dict[str, str]:
    """Container path -> path in this repository, or the volume's name; variables at their defaults."""
    found = {}
    for volume in SERVICES[service].get("volumes", []):
        if isinstance(volume, str):
            source, target = volume.removesuffix(":ro").split(":")
        else:
            source, target = with_defaults(volume["source"]), volume["target"]
        found[target] = source
    return found


def in_repository(service: str, path: str) -> Path:
    """The file or folder of this repository that a container sees at a path."""
    for target, source in sorted(mounts(service).items(), reverse=True):
        if path == target or path.startswith(f"{target}/"):
            return ROOT / source / path.removeprefix(target).lstrip("/")
    raise AssertionError(f"{service}: nothing is mounted at {path}")


def variables() -> dict[str, str]:
    """`${NAME:-default}` of the file."""
    return dict(re.findall(r"\$\{(\w+)(?::-([^}]*))?\}", TEXT))


def with_defaults(text: str) -> str:
    """The text with its variables at their defaults."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)

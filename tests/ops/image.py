"""The image as its Dockerfile and its lock describe it."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from tests.product_code import ROOT

DOCKERFILE: Final = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LOCK: Final = ROOT / "requirements-image.lock"


def copied(dockerfile: str = DOCKERFILE) -> dict[str, str]:
    """What of the checkout stands in the image's /app: its place here -> there, folders whole."""
    _, _, last_stage = dockerfile.rpartition("\nFROM ")
    places: dict[str, str] = {}
    for words in re.findall(r"^COPY (?!--from)(.+)$", last_stage, re.MULTILINE):
        *sources, target = words.split()
        for source in sources:
            places[source] = f"{target}{Path(source).name}" if target.endswith("/") else target
    return places


@cache
def python_files() -> tuple[Path, ...]:
    """Every Python file in the image, where it stands in the checkout."""
    places = [ROOT / source for source in copied()]
    files = (path for place in places for path in ([place] if place.is_file() else place.rglob("*.py")))
    return tuple(sorted(path for path in files if path.suffix == ".py"))


def locked(lock: Path) -> dict[str, str]:
    """The packages of a lock, each with everything that the lock says of it: version, marker, hashes."""
    blocks = re.findall(r"^(\S+?)(==(?:.|\\\n)*)$", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): text for name, text in blocks}


@cache
def importable() -> frozenset[str]:
    """Top-level modules that the packages of the image bring, of those that are installed here."""
    packages = locked(LOCK)
    found = packages_distributions().items()
    return frozenset(module for module, owners in found if any(canonicalize_name(one) in packages for one in owners))

"""Alerts, recording rules and dashboards as data, for tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

from workers.runtime import metrics

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "ops" / "monitoring"
RULE_FILES = sorted(MONITORING.glob("alerts/*.yaml")) + sorted(MONITORING.glob("recording_rules/*.yaml"))
DASHBOARDS = sorted(MONITORING.glob("dashboards/*.json"))

NOT_OURS = {"up", "ALERTS", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"}
"""What Prometheus itself and its client library make."""


def rules() -> Iterator[dict[str, Any]]:
    """Every rule of every file, in order."""
    for path in RULE_FILES:
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def alerts() -> list[dict[str, Any]]:
    """Those that alert. A name may come several times."""
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> list[str]:
    """The names of the recording rules, in order."""
    return [rule["record"] for rule in rules() if "record" in rule]


def dashboard(path: Path) -> dict[str, Any]:
    """One dashboard."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def queries(path: Path) -> list[str]:
    """Every expression of a dashboard."""
    page = dashboard(path)
    found = [target["expr"] for panel in page["panels"] for target in panel.get("targets", [])]
    return [*found, *(each["expr"] for each in page["annotations"]["list"])]


def expressions() -> Iterator[tuple[str, str]]:
    """Where each expression stands, and what it is."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    for path in DASHBOARDS:
        for query in queries(path):
            yield path.name, query


def exported() -> dict[str, frozenset[str]]:
    """Every series that workers/runtime/metrics.py makes, as Prometheus knows it, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            labels = frozenset(metric._labelnames)
            for suffix in _suffixes(metric):
                found[f"{metric._name}{suffix}"] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


def _suffixes(metric: MetricWrapperBase) -> tuple[str, ...]:
    if isinstance(metric, Histogram):
        return ("_bucket", "_count", "_sum")
    return ("_total",) if metric._type == "counter" else ("",)


def names_in(expression: str) -> set[str]:
    """The series that a PromQL expression reads: what is left when labels, functions and words are taken away."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    words = re.findall(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\w*\s*\()", bare)
    return {word for word in words if word not in {"and", "or", "unless", "bool", "offset", "inf", "by"}}


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each series that is read with a selector, and the labels the selector names."""
    for name, inside in re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", expression):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r"\"[^\"]*\"", '""', inside)))

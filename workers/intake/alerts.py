"""From what Alertmanager posts to notices. Pure. What it posts comes over the network: nothing in it is trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from schemas.codes import NoticeCode
from schemas.notice import FLEET, Notice, NoticeSeverity, shop_scope, warehouse_scope

MOST_ALERTS: Final = 1000
"""In one post; of more than so many the rest is told of by one notice."""

_MOST_TEXT: Final = 500
_MOST_KEY: Final = 200
_NAMED: Final = ("alertname", "severity", "job")  # not part of what tells two alerts of one name apart
_SLUG: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class BadAlerts(Exception):
    """The body is not what Alertmanager posts. Its text says what is wrong, and quotes nothing of it."""


def notices_of(body: bytes, now: datetime) -> list[Notice]:
    """A notice for each alert, that it fires or is over. Raises BadAlerts."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise BadAlerts("the body is no JSON") from None
    alerts = read.get("alerts") if isinstance(read, dict) else None
    if not isinstance(alerts, list):
        raise BadAlerts("there is no list of alerts in it")
    notices = {one.key: one for one in (_notice(alert, now) for alert in alerts[:MOST_ALERTS])}
    if len(alerts) > MOST_ALERTS:
        more = _notice({"labels": {"alertname": "AlertsTooMany", "severity": "critical"}}, now)
        notices[more.key] = more
    return list(notices.values())


def _notice(alert: Any, now: datetime) -> Notice:
    """Of one that cannot be read, too: that something fires is news, whatever it is."""
    found = alert if isinstance(alert, dict) else {}
    labels, told = _texts(found.get("labels")), _texts(found.get("annotations"))
    name = labels.get("alertname", "AlertWithoutName")
    fires = found.get("status") != "resolved"
    summary = told.get("summary") or told.get("description") or name
    args = {"alert": name, "summary": summary, "summary_zh": told.get("summary_zh") or summary}
    return Notice(
        key=_key(name, labels),
        explanation=NoticeCode.ALERT(**args),
        severity=_severity(labels.get("severity", "")),
        scope=_scope(labels),
        raised=fires,
        at=_time(found.get("startsAt" if fires else "endsAt"), now),
        count=0,  # it is posted again while it fires
    )


def _texts(found: Any) -> dict[str, str]:
    """Names and texts, each of a decent length, and printable."""
    if not isinstance(found, Mapping):
        return {}
    return {_text(name): _text(value) for name, value in list(found.items())[:50] if isinstance(value, str)}


def _text(found: Any) -> str:
    whole = str(found)[:_MOST_TEXT]
    return "".join(each if each.isprintable() else " " for each in whole).strip()


def _key(name: str, labels: Mapping[str, str]) -> str:
    rest = ",".join(f"{label}={value}" for label, value in sorted(labels.items()) if label not in _NAMED)
    key = f"alert/{name}/{rest}"
    if len(key) <= _MOST_KEY:
        return key
    return f"{key[: _MOST_KEY - 33]}~{blake2b(key.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _severity(word: str) -> NoticeSeverity:
    """A word that is not known is taken for a bad one."""
    known = {"critical": NoticeSeverity.CRITICAL, "info": NoticeSeverity.INFO, "none": NoticeSeverity.INFO}
    return known.get(word, NoticeSeverity.WARNING)


def _scope(labels: Mapping[str, str]) -> str:
    channel, shop, warehouse = (labels.get(name, "") for name in ("channel", "shop", "warehouse"))
    if _is_slug(channel) and _is_slug(shop):
        return shop_scope(channel, shop)
    return warehouse_scope(warehouse) if _is_slug(warehouse) else FLEET


def _is_slug(text: str) -> bool:
    return 0 < len(text) <= 63 and set(text) <= _SLUG


def _time(found: Any, now: datetime) -> datetime:
    """When it began or ended; now, where that is not said, or is said to be later."""
    try:
        at = datetime.fromisoformat(found)
    except (TypeError, ValueError):
        return now
    if at.tzinfo is None or at.year < 2000 or at > now:
        return now
    return at.astimezone(UTC)

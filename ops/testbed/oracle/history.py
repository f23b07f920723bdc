"""What the topics said of each order, in short: written beside the logs when the books do not balance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from confluent_kafka import Message

from schemas.namespace import unprefixed

_TOLD: Final = (
    "kind",
    "instruction_id",
    "revision",
    "reason",
    "quantities",
    "missing",
    "message_id",
    "parcel",
    "parcels",
    "decision_id",
    "seen",
    "code",
    "issued",
    "number",
)
_STOCK: Final = ("event_id", "kind", "revision", "fence", "state", "stop", "lines", "changes")
_PLAN: Final = ("disposition", "gave_up", "explanation", "on_short")


class History:
    """Lines by order, oldest first. No personal data: only what is named above is taken out of a record.

    `only`: the orders to keep; all of them without it.
    """

    def __init__(self, only: Container[str] | None = None) -> None:
        self._only = only
        self._lines: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)

    def clear(self) -> None:
        """Forget all."""
        self._lines.clear()

    def add(self, message: Message) -> None:
        """Take a record in."""
        topic, at_ms = message.topic() or "", message.timestamp()[1]
        one = orjson.loads(message.value() or b"{}")
        uid = one.get("order_uid") or (message.key() or b"").decode()
        if self._only is not None and uid not in self._only:
            return
        clock = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        self._lines[uid].append((at_ms, f"{clock} {topic} {orjson.dumps(_short(topic, one)).decode()}"))

    def write(self, file: Path, uids: Iterable[str]) -> None:
        """The lines of these orders into a file."""
        with file.open("w", encoding="utf-8") as out:
            for uid in uids:
                out.write(f"{uid}\n" + "".join(f"  {line}\n" for _, line in sorted(self._lines.get(uid, ()))))

    def named_in(self, findings: Iterable[str]) -> list[str]:
        """The orders of which any of these findings speaks."""
        texts = list(findings)
        return sorted(uid for uid in self._lines if any(uid in text for text in texts))


def _short(topic: str, one: dict[str, Any]) -> dict[str, Any]:
    if unprefixed(topic) == "inventory.events":
        return _some(one, _STOCK)
    planned = one.get("planned", one)
    if "plan" not in planned:
        return _some(one, _TOLD)
    order, plan = planned["order"], planned["plan"]
    candidates = [each["warehouse_id"] for each in plan.get("candidates", ())]
    lines = {f"{line['line_id']} {line['sku']}": line["quantity"] for line in order["lines"]}
    return {"revision": order["revision"], **_some(plan, _PLAN), "candidates": candidates, "lines": lines} | _some(
        one, _TOLD
    )


def _some(one: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: one[name] for name in names if one.get(name)}

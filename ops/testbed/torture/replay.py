"""Stock counters as the inventory events tell them, one change after the other. Pure.

What the watcher may miss between two looks cannot be missed here: every change of a counter is an event, and they are
numbered without gaps within a warehouse.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from schemas.inventory import InventoryEvent, InventoryEventKind, StockChange
from schemas.record import encode
from workers.inventory.records import StockLevel

_COUNTERS: Final = tuple(field.name for field in fields(StockChange) if field.name != "sku")


class Replay:
    """Takes events in any order, with repeats, and applies them in theirs.

    `below_zero`: the lowest that an SKU was ever promised below zero, by `warehouse/sku`; `revealed`: the most units
    that were promised and turned out to be broken; `torn`: ids of events that came again and said something else.
    """

    def __init__(self) -> None:
        self.below_zero: dict[str, int] = {}
        self.revealed: Counter[str] = Counter()
        self.torn: list[str] = []
        self._levels: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._next: defaultdict[str, int] = defaultdict(lambda: 1)
        self._early: defaultdict[str, dict[int, InventoryEvent]] = defaultdict(dict)
        self._digests: dict[str, int] = {}

    def add(self, event: InventoryEvent) -> None:
        """Take one event in."""
        digest = hash(encode(event))
        if self._digests.setdefault(event.event_id, digest) != digest:
            self.torn.append(event.event_id)
        early = self._early[event.warehouse_id]
        if event.sequence >= self._next[event.warehouse_id]:
            early.setdefault(event.sequence, event)
        while (due := early.pop(self._next[event.warehouse_id], None)) is not None:
            self._apply(due)
            self._next[event.warehouse_id] += 1

    def _apply(self, event: InventoryEvent) -> None:
        for change in event.changes:
            level, name = self._levels[event.warehouse_id, change.sku], f"{event.warehouse_id}/{change.sku}"
            before = _available(level)
            for counter in _COUNTERS:
                level[counter] += getattr(change, counter)
            available = _available(level)
            if event.kind is InventoryEventKind.LOST:
                self.revealed[name] = max(self.revealed[name], -available)
            elif available < min(0, before):
                self.below_zero[name] = min(self.below_zero.get(name, 0), available)

    def missing(self) -> list[str]:
        """The first event of each warehouse that has not come, though later ones have."""
        return [f"{warehouse}/{self._next[warehouse]}" for warehouse, early in self._early.items() if early]

    def differences(self, levels: Iterable[StockLevel]) -> list[str]:
        """SKUs whose counters are not what the events add up to."""
        found = []
        for level in levels:
            told = self._levels[level.warehouse_id, level.sku]
            for name in _COUNTERS:
                counted = getattr(level, name)
                if counted != told[name]:
                    where = f"{level.warehouse_id}/{level.sku}"
                    found.append(f"{where}: {name} is {counted}, its events add up to {told[name]}")
        return found


def _available(level: Counter[str]) -> int:
    """To promise."""
    return 2 * level["on_hand"] - sum(level.values())

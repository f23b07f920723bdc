"""Inventory events folded into what they say the ledger must hold. Pure: it is given the events, and never asks.

Events come at least once and now and then out of order; each warehouse numbers its own without gaps. So they are taken
in the order of their numbers, repeats are dropped, and a number that never comes is a lost event.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple

import orjson

from schemas.inventory import InventoryEventKind

COUNTERS: Final = ("on_hand", "held", "committed", "allocated", "transfer", "safety")
LIVE: Final = frozenset({"held", "committed", "allocated"})

Event = dict[str, Any]
"""An inventory event as its JSON says it."""

_EVERYTHING: Final = 1 << 62
_REMEMBERED: Final = 1 << 14  # a repeat of an event older than that is not compared with what it repeats
_BEGAN_ANEW: Final = InventoryEventKind.BEGAN_ANEW.value
_LOST: Final = InventoryEventKind.LOST.value
_WAITING: Final = 50_000  # so many events wait for a missing number before it is given up
_MOVES: Final = {"shipped": "", "short": "", "lost": "/lost", "transfer-sent": "/send", "transfer-received": "/receive"}
_NOTHING: Final[dict[str, int]] = {}


class Record(NamedTuple):
    """What one order has, or had, in one warehouse, as its last event told."""

    revision: str
    fence: int
    state: str
    deadline_ms: int
    lines: Mapping[str, int]
    shipped: Mapping[str, int]
    stop: str
    messages: tuple[str, ...]  # of the WMS, which were taken into account
    lost: tuple[str, ...]  # of these, the ones of which only on-hand units were taken into account
    at_ms: int  # when it was written, by the clock of Redis

    @property
    def is_live(self) -> bool:
        """Whether it holds units."""
        return self.state in LIVE

    @property
    def is_swept(self) -> bool:
        """Whether the deadline list must name it."""
        return self.state == "held" and self.deadline_ms != 0

    def fields(self) -> dict[str, str]:
        """The hash in Redis."""
        fields = {
            "revision": self.revision,
            "fence": str(self.fence),
            "state": self.state,
            "deadline": str(self.deadline_ms),
            "lines": packed(self.lines),
        }
        if self.shipped:
            fields["shipped"] = packed(self.shipped)
        if self.stop:
            fields["stop"] = self.stop
        for message in self.messages:
            fields[f"wms:{message}"] = "lost" if message in self.lost else "1"
        return fields


class TransferRecord(NamedTuple):
    """How far one transfer has come in one of its two warehouses."""

    state: str
    lines: Mapping[str, int]
    at_ms: int

    @property
    def is_live(self) -> bool:
        """Whether units are set aside for it."""
        return self.state == "reserved"

    def fields(self) -> dict[str, str]:
        """The hash in Redis."""
        return {"state": self.state, "lines": packed(self.lines)}


class Movements:
    """What moved on-hand units of one SKU lately: the sorted set in Redis, with what was dropped from it dropped."""

    __slots__ = ("_heap", "scores")

    def __init__(self) -> None:
        self.scores: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def add(self, name: str, at_ms: int, keep_ms: int) -> None:
        """One movement; those that are older by `keep_ms` go."""
        self.scores[name] = at_ms
        heappush(self._heap, (at_ms, name))
        while self._heap and self._heap[0][0] <= at_ms - keep_ms:
            score, old = heappop(self._heap)
            if self.scores.get(old) == score:
                del self.scores[old]


class WarehouseReplay:
    """One warehouse, up to an event's number. Changes only in `offer`, `advance` and `skip_gap`."""

    def __init__(self, warehouse_id: str, remember_ms: int, moved_ms: int) -> None:
        self.warehouse_id = warehouse_id
        self.sequence = 0
        self.newest = 0  # the highest number that was offered
        self.stock: dict[str, dict[str, int]] = {}
        self.sums: dict[str, dict[str, int]] = {}  # what the records of a SKU add up to, by counter
        self.records: dict[str, Record] = {}
        self.transfers: dict[str, TransferRecord] = {}
        self.moved: dict[str, Movements] = {}
        self.lost: list[tuple[int, int]] = []  # first and last number of each gap
        self.conflicts: list[int] = []  # numbers under which two different things were told
        self.repeats = 0
        self._remember_ms = remember_ms
        self._moved_ms = moved_ms
        self._limit = _EVERYTHING
        self._waiting: dict[int, Event] = {}
        self._told = array("q", bytes(8 * _REMEMBERED))

    # -- taking events in

    def offer(self, event: Event) -> None:
        """Take one event in, at once or when its turn comes."""
        number = event["sequence"]
        self.newest = max(self.newest, number)
        if number <= self.sequence or number in self._waiting:
            self._repeated(number, event)
        elif number == self.sequence + 1 and number <= self._limit:
            self._apply(event)
            if self._waiting:
                self._drain()
        else:
            self._waiting[number] = event
            if len(self._waiting) > _WAITING and self._limit == _EVERYTHING:
                self.skip_gap()

    def advance(self, number: int | None = None) -> bool:
        """Go on to this number and no further, by default as far as events come. Whether it is reached."""
        self._limit = _EVERYTHING if number is None else number
        self._drain()
        return self.sequence >= (self.newest if number is None else number)

    def skip_gap(self) -> None:
        """Give up the numbers that never came: note them as lost and go on behind them, not beyond the limit."""
        if not self._waiting and self._limit == _EVERYTHING:
            return
        upto = min(min(self._waiting, default=_EVERYTHING) - 1, self._limit)
        if upto > self.sequence:
            for number in range(max(self.sequence, upto - _REMEMBERED) + 1, upto + 1):
                self._told[number % _REMEMBERED] = 0
            self.lost.append((self.sequence + 1, upto))
            self.sequence = upto
        self._drain()

    def _drain(self) -> None:
        while self.sequence < self._limit and (event := self._waiting.pop(self.sequence + 1, None)) is not None:
            self._apply(event)

    def _repeated(self, number: int, event: Event) -> None:
        self.repeats += 1
        waiting = self._waiting.get(number)
        told = self._told[number % _REMEMBERED] if waiting is None else _gist(waiting)
        if self.sequence - number < _REMEMBERED and told not in (0, _gist(event)):
            self.conflicts.append(number)

    def _apply(self, event: Event) -> None:
        number = event["sequence"]
        self.sequence = number
        self._told[number % _REMEMBERED] = _gist(event)
        at_ms = milliseconds(event["at"])
        if event["kind"] == _BEGAN_ANEW:
            for kept in (self.stock, self.sums, self.records, self.transfers, self.moved):
                kept.clear()
        self._count(event)
        if order_uid := event.get("order_uid"):
            self._note_record(order_uid, event, at_ms)
        if transfer_id := event.get("transfer_id"):
            self._note_transfer(transfer_id, event, at_ms)
        if event["kind"] in _MOVES:
            self._note_movements(event, at_ms)

    def _count(self, event: Event) -> None:
        stock = self.stock
        for change in event["changes"]:
            fields = stock.get(change["sku"])
            if fields is None:
                fields = stock[change["sku"]] = {}
            for counter in COUNTERS:
                if delta := change.get(counter):
                    fields[counter] = fields.get(counter, 0) + delta
        if counted := event.get("counted"):
            counted_at = milliseconds(event["counted_at"])
            for sku in counted:
                stock.setdefault(sku, {})["counted_at"] = counted_at

    def _note_record(self, order_uid: str, event: Event, at_ms: int) -> None:
        before = self.records.get(order_uid)
        messages: tuple[str, ...] = ()
        lost: tuple[str, ...] = ()
        if before is not None and (before.is_live or before.at_ms + self._remember_ms > at_ms):
            messages, lost = before.messages, before.lost
        if message := event.get("message_id"):
            messages = messages if message in messages else (*messages, message)
            lost = tuple(one for one in lost if one != message)
            lost = (*lost, message) if event["kind"] == _LOST else lost
        deadline = event.get("deadline")
        after = Record(
            event.get("revision", ""),
            event.get("fence", 0),
            event.get("state", ""),
            milliseconds(deadline) if deadline else 0,
            event.get("lines") or _NOTHING,
            event.get("shipped") or _NOTHING,
            event.get("stop", ""),
            messages,
            lost,
            at_ms,
        )
        if before is not None and before.is_live:
            self._sum(before.state, before.lines, -1)
        if after.is_live:
            self._sum(after.state, after.lines, 1)
        self.records[order_uid] = after

    def _note_transfer(self, transfer_id: str, event: Event, at_ms: int) -> None:
        before = self.transfers.get(transfer_id)
        after = TransferRecord(event.get("state", ""), event.get("lines") or _NOTHING, at_ms)
        if before is not None and before.is_live:
            self._sum("transfer", before.lines, -1)
        if after.is_live:
            self._sum("transfer", after.lines, 1)
        self.transfers[transfer_id] = after

    def _sum(self, counter: str, lines: Mapping[str, int], sign: int) -> None:
        for sku, units in lines.items():
            sums = self.sums.get(sku)
            if sums is None:
                sums = self.sums[sku] = {}
            sums[counter] = sums.get(counter, 0) + sign * units

    def _note_movements(self, event: Event, at_ms: int) -> None:
        message = event.get("message_id")
        what = f"{event['order_uid']}/{message}" if message else event.get("transfer_id", "")
        name = what + _MOVES[event["kind"]]
        moved_at = event.get("moved_at")
        moved_ms = milliseconds(moved_at) if moved_at else at_ms
        for change in event["changes"]:
            if units := change.get("on_hand"):
                movements = self.moved.setdefault(change["sku"], Movements())
                movements.add(f"{units}:{name}", moved_ms, self._moved_ms)

    # -- what follows from them

    def is_forgotten(self, record: Record | TransferRecord, now_ms: int) -> bool:
        """Whether Redis has dropped it by now, as it held nothing for so long."""
        return not record.is_live and record.at_ms + self._remember_ms <= now_ms

    def settle_by_records(self) -> None:
        """Make the counters what the records add up to: after lost events the changes no longer do."""
        for sku in self.stock.keys() | self.sums.keys():
            fields, sums = self.stock.setdefault(sku, {}), self.sums.get(sku, {})
            for counter in ("held", "committed", "allocated", "transfer"):
                if counter in fields or sums.get(counter):
                    fields[counter] = sums.get(counter, 0)


class Replay:
    """All warehouses. `remember_ms`: how long Redis keeps a record that holds nothing; `moved_ms`: a movement."""

    def __init__(self, remember_ms: int, moved_ms: int) -> None:
        self.warehouses: dict[str, WarehouseReplay] = {}
        self.events = 0
        self.unreadable = 0
        self.newest_ms = 0
        self._remember_ms = remember_ms
        self._moved_ms = moved_ms

    def warehouse(self, warehouse_id: str) -> WarehouseReplay:
        """One warehouse, empty when nothing was told of it."""
        found = self.warehouses.get(warehouse_id)
        if found is None:
            found = self.warehouses[warehouse_id] = WarehouseReplay(warehouse_id, self._remember_ms, self._moved_ms)
        return found

    def offer(self, value: bytes) -> None:
        """Take in one record of `inventory.events`; one that is no event is counted and left out."""
        self.events += 1
        try:
            event = orjson.loads(value)
            self.warehouse(event["warehouse_id"]).offer(event)
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1

    def __iter__(self) -> Iterator[WarehouseReplay]:
        return iter(sorted(self.warehouses.values(), key=lambda one: one.warehouse_id))


def milliseconds(moment: str) -> int:
    """`2026-11-11T04:00:00.123000Z` as milliseconds since 1970."""
    when = datetime.fromisoformat(moment)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return round(when.timestamp() * 1000)


def packed(lines: Mapping[str, int]) -> str:
    """Units by SKU as the scripts write them, to the byte: `["SKU",units,...]`."""
    if not lines:
        return "[]"
    flat = [part for pair in lines.items() for part in pair]
    text = json.dumps(flat, ensure_ascii=False, separators=(",", ":"))
    return text.replace("/", "\\/").replace("\x7f", "\\u007f")


def _gist(event: Event) -> int:
    """A number that tells two events apart. Not of the whole text: another version may say the same with more words."""
    return hash(
        (
            event["kind"],
            event["at"],
            event.get("order_uid"),
            event.get("fence"),
            event.get("message_id"),
            event.get("transfer_id"),
        )
    )

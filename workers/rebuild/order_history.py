"""What Kafka has of each order's way through the reserve stage, taken in record by record. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import orjson

from schemas.fulfillment import InstructionKind, WmsEvent, gives_back, refuses_change
from schemas.order import GOOD_TO_SHIP, LineKind
from schemas.plan import Disposition
from schemas.record import encode
from schemas.revision import Newest
from workers.reserve.result import DELETED, PARTLY_SHIPPED, Instruction, digest_of_told

_GIFT: Final = LineKind.GIFT.value
_CODES: Final = (encode(PARTLY_SHIPPED), encode(DELETED))
TELLING: Final = (InstructionKind.FULFIL, InstructionKind.CHANGE)


class Planned(NamedTuple):
    """A planned order in short."""

    revision: str
    disposition: Disposition
    pays: bool
    partition: int
    offset: int
    at_ms: int
    gave_up: tuple[str, ...] = ()
    raw: bytes = b""  # kept only for those that the stage had not finished with


class Instructed(NamedTuple):
    """One instruction that was sent."""

    revision: str
    told: Instruction
    digest: str
    units: dict[str, int]  # that it asks for


class GaveBack(NamedTuple):
    """A warehouse gave an instruction back. `event`: what it said; empty once it follows a change of it."""

    revision: str
    message_id: str
    event: str


@dataclass(slots=True)
class Trail:
    """All that Kafka tells of one order, records aside."""

    done: Planned | None = None  # the newest that the stage had finished with
    seen: str = ""  # the newest revision that said the same once more
    open: list[Planned] = field(default_factory=list)  # those that come again
    instructed: dict[tuple[str, str, str], Instructed] = field(default_factory=dict)  # revision, warehouse, kind
    backordered: dict[str, tuple[dict[str, int], bool]] = field(default_factory=dict)  # by revision
    transfers: dict[str, tuple[dict[str, int], str, str]] = field(default_factory=dict)  # by revision
    gave_up: list[tuple[str, str]] = field(default_factory=list)  # revision, warehouse
    kept_back: list[str] = field(default_factory=list)  # revisions by which no warehouse was to ship it any more
    shipped_in_part: dict[str, dict[str, int]] = field(default_factory=dict)  # by revision: what nobody ships
    deleted: set[str] = field(default_factory=set)  # revisions of which a person was told that the shop deleted it
    refused: set[tuple[str, str]] = field(default_factory=set)  # warehouse, revision of a change
    given_back: dict[str, list[GaveBack]] = field(default_factory=dict)  # by warehouse
    mixed: dict[str, list[str]] = field(default_factory=dict)  # by revision: line ids, when a gift stands before others


class Trails:
    """Takes in the topics of the order path: `orders.planned` before what followed from it."""

    def __init__(
        self,
        is_done: Callable[[int, int], bool],
        is_void: Callable[[str, str, int], bool] = lambda order_uid, revision, decided: False,
    ) -> None:
        self.orders: dict[str, Trail] = {}
        self.unreadable = 0
        self._is_done = is_done  # of partition and offset: whether the stage had finished with it
        self._is_void = is_void  # of order uid, revision and decisions known: whether it never claimed it

    def of(self, order_uid: str) -> Trail:
        """One order's trail."""
        found = self.orders.get(order_uid)
        if found is None:
            found = self.orders[order_uid] = Trail()
        return found

    def planned(self, value: bytes, partition: int, offset: int, at_ms: int) -> None:
        """A record of `orders.planned`."""
        try:
            one = orjson.loads(value)
            order, plan = one["order"], one["plan"]
            void = self._is_void(order["uid"], order["revision"], one.get("decided", 0))
            planned = Planned(
                order["revision"],
                Disposition(plan["disposition"]),
                order["payment"] in GOOD_TO_SHIP,
                partition,
                offset,
                at_ms,
                tuple(plan.get("gave_up", ())),
            )
            trail = self.of(order["uid"])
            kinds = [line["kind"] for line in order["lines"]]
            if sorted(kinds, key=_GIFT.__eq__) != kinds:
                trail.mixed[planned.revision] = [line["line_id"] for line in order["lines"]]
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1
            return
        if not self._is_done(partition, offset):
            trail.open.append(planned._replace(raw=value))
            return
        if void:
            return  # it was put back, to be decided with what people had decided
        before = trail.done.revision if trail.done is not None else ""
        newest = Newest(before, trail.seen).after(planned.revision)
        trail.seen = newest.seen
        if newest.revision < planned.revision:
            return  # the stage found nothing new in it
        trail.gave_up += [(planned.revision, warehouse_id) for warehouse_id in planned.gave_up]
        if planned.disposition not in (Disposition.RESERVE, Disposition.IGNORE):
            trail.kept_back.append(planned.revision)
        if trail.done is None or newest.revision > before:
            trail.done = planned

    def instruction(self, value: bytes) -> None:
        """A record of `orders.routed.<warehouse>`."""
        try:
            one = orjson.loads(value)
            kind = InstructionKind(one["kind"])
            picks = [*one["purchased"], *one["gifts"]]
            trail, parts = self.of(one["order_uid"]), one["parcels"]
            if mixed := trail.mixed.get(one["revision"]):
                picks.sort(key=lambda pick: mixed.index(pick["line_id"]))
            units: dict[str, int] = {}
            for pick in picks:
                units[pick["sku"]] = units.get(pick["sku"], 0) + pick["quantity"]
            told = Instruction(
                warehouse_id=one["warehouse_id"],
                kind=kind,
                parcel=one["parcel"],
                parcels=parts,
                line_ids=None if parts == 1 else tuple(pick["line_id"] for pick in picks),
                units=units if kind in TELLING else {},
            )
            digest = digest_of_told(picks, one["ship_to"], one["buyer_remark"], one["seller_memo"])
            instructed = Instructed(one["revision"], told, digest if kind in TELLING else "", units)
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1
            return
        trail.instructed[instructed.revision, told.warehouse_id, kind] = instructed

    def backorder(self, value: bytes) -> None:
        """A record of `orders.backordered`."""
        try:
            one = orjson.loads(value)
            order = one["planned"]["order"]
            self.of(order["uid"]).backordered[order["revision"]] = one["missing"], one["after_expiry"]
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1

    def transfer(self, value: bytes) -> None:
        """A record of `transfers.requested`."""
        try:
            one = orjson.loads(value)
            moved = one["quantities"], one["to_warehouse"], one.get("from_warehouse") or ""
            self.of(one["order_uid"]).transfers[one["revision"]] = moved
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1

    def review(self, value: bytes) -> None:
        """A record of `orders.review`; most are of other stages, and tell nothing of this one."""
        if not any(code in value for code in _CODES):
            return
        try:
            one = orjson.loads(value)
            order, codes = one["planned"]["order"], one["planned"]["plan"]["hold_codes"]
            if DELETED in codes:
                self.of(order["uid"]).deleted.add(order["revision"])
            if PARTLY_SHIPPED in codes:
                trail = self.of(order["uid"])
                trail.shipped_in_part[order["revision"]] = one["missing"]
                trail.kept_back.append(order["revision"])
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1

    def answer(self, event: WmsEvent, revision: str, instruction: InstructionKind) -> None:
        """What a warehouse said to an instruction, when the fulfill stage had finished with it; in their order."""
        trail, where = self.orders.get(event.order_uid), event.warehouse_id
        if trail is None or (revision, where, instruction) not in trail.instructed or instruction not in TELLING:
            return
        if refuses_change(event.kind, instruction):
            trail.refused.add((where, revision))
            return
        said = trail.given_back.setdefault(where, [])
        if instruction is InstructionKind.CHANGE:
            said[:] = [one._replace(event="") if one.revision < revision else one for one in said]
        known = any((one.revision, one.message_id) == (revision, event.message_id) for one in said)
        if gives_back(event.kind, instruction) and not known:
            said.append(GaveBack(revision, event.message_id, encode(event).decode()))

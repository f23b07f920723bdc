"""What the reserve stage had written down about each order, made again from what it read and what it said. Pure.

Kafka tells three things: which planned orders the stage had finished with (those below the offsets it committed), what
it told the world about them, and, through the inventory events, what stock each order has. From these follows the
order's pointer, `order:{<uid>}`. Where the stage may have been in the middle of an order, the pointer says so: it is
`claimed` for every warehouse where the order has anything. The next claim then looks there first, as after any crash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from schemas.fulfillment import InstructionKind
from schemas.order import lines_to_ship
from schemas.plan import Disposition, PlannedOrder
from schemas.record import encode
from schemas.revision import is_same_state
from workers.inventory.records import ENDED, ActiveInstruction, Holdings, OrderState
from workers.rebuild.instruction_history import Records, heard_of, last_settled, routed_of
from workers.rebuild.order_history import Planned, Trail
from workers.reserve.result import Instruction, Result

_KEEPS: Final = (Disposition.RELEASE, Disposition.REVIEW, Disposition.DEFER)
"""With these, a warehouse that has the order is told to stop."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """`order:{<uid>}` as it is to be written."""

    fields: dict[str, str]
    expires_ms: int = 0  # 0 = never


# -- what follows ---------------------------------------------------------------------------------------------------


def pointer_of(trail: Trail, records: Records, remember_ms: int) -> Pointer | None:
    """The order's pointer; None when nothing is known that it could say."""
    done, trail = last_settled(trail, records)
    newest = max((record.revision for record in records.values()), default="")
    if done is not None and newest <= done.revision:
        return _settled(trail, done, records, remember_ms)
    if not newest:
        return None
    if done is None and not trail.open:
        return _from_records(newest, records, remember_ms)
    return _claimed(trail, done, newest, records)


def is_lost(trail: Trail, records: Records) -> bool:
    """Whether the stage had finished with the newest revision, and yet nothing shows that it took effect.

    Then its inventory events were lost on their way to Kafka. It may still turn out to need no stock at all.
    """
    done = trail.done
    if done is None or trail.open or done.revision in _said_without_stock(trail):
        return False
    older = [record for record in records.values() if record.revision < done.revision]
    if done.disposition is Disposition.RESERVE:
        known = any(record.revision >= done.revision or record.state == "shipped" for record in records.values())
        return not known
    if done.disposition is Disposition.IGNORE:
        return any(record.state == "held" for record in older)
    return any(record.is_live for record in older)


def _said_without_stock(trail: Trail) -> set[str]:
    """Revisions of which it was said that no warehouse has what they want."""
    return {*trail.backordered, *trail.transfers, *trail.shipped_in_part}


def _settled(trail: Trail, planned: Planned, records: Records, remember_ms: int) -> Pointer:
    routed, holdings = routed_of(trail, planned.revision), _holdings(trail, records, planned)
    state = _state(trail, planned, records, holdings, routed)
    fields = {
        "revision": planned.revision,
        "fence": _fence(records),
        "phase": "settled",
        "intent": "",
        "state": state.value,
        "holdings": encode(holdings).decode(),
        "routed": encode(routed).decode(),
        "source": f"{planned.partition}:{planned.offset}",
    }
    at_ms = max((record.at_ms for record in records.values()), default=planned.at_ms)
    fields |= _seen(trail, planned.revision) | _said(trail) | heard_of(trail, planned.revision)
    return Pointer(fields, at_ms + remember_ms if state in ENDED else 0)


def _claimed(trail: Trail, done: Planned | None, newest: str, records: Records) -> Pointer:
    """As if the stage had died at work on this revision: what it left is looked for where the order has anything.

    `done`: the last that was settled.
    """
    fields = {
        "revision": newest,
        "fence": _fence(records),
        "phase": "claimed",
        "intent": ",".join(sorted(records)),
        **_seen(trail, newest),
        **_said(trail, before=newest),
    }
    if done is not None:
        routed = routed_of(trail, done.revision)
        holdings = {where: dict(record.lines) for where, record in records.items() if record.is_live}
        fields["state"] = _state(trail, done, records, holdings, routed).value
        fields["holdings"], fields["routed"] = encode(holdings).decode(), encode(routed).decode()
        fields["source"] = f"{done.partition}:{done.offset}"
        fields |= heard_of(trail, done.revision)
    return Pointer(fields)


def _from_records(newest: str, records: Records, remember_ms: int) -> Pointer:
    """An order of which only its stock is still known. What its warehouse has taken over, it was told of."""
    holdings = {where: dict(record.lines) for where, record in records.items() if record.is_live}
    paid = [where for where, record in records.items() if record.state in ("committed", "allocated")]
    taken = {where: ActiveInstruction(digest="") for where in paid if records[where].state == "allocated"}
    if paid:
        state = OrderState.COMMITTED
    elif holdings:
        state = OrderState.HELD
    else:
        ended = {record.state for record in records.values()}
        state = OrderState(next(iter(ended))) if len(ended) == 1 else OrderState.RELEASED
    fields = {
        "revision": newest,
        "fence": _fence(records),
        "phase": "settled",
        "intent": "",
        "state": state.value,
        "holdings": encode(holdings).decode(),
        "routed": encode(taken).decode(),
        "source": "",
    }
    at_ms = max(record.at_ms for record in records.values())
    return Pointer(fields, at_ms + remember_ms if state in ENDED else 0)


def _state(
    trail: Trail, planned: Planned, records: Records, holdings: Holdings, routed: Mapping[str, ActiveInstruction]
) -> OrderState:
    if planned.revision in trail.transfers:
        return OrderState.AWAITING_TRANSFER
    if planned.revision in trail.backordered:
        return OrderState.COMMITTED if routed else OrderState.BACKORDERED
    if planned.revision in trail.shipped_in_part:
        return OrderState.PARTLY_SHIPPED
    if planned.disposition is Disposition.RELEASE:
        return OrderState.STOPPING if holdings else OrderState.RELEASED
    if any(record.state == "expired" and record.revision == planned.revision for record in records.values()):
        return OrderState.EXPIRED
    if planned.disposition is Disposition.RESERVE:
        if not records:
            return OrderState.RELEASED
        return OrderState.COMMITTED if planned.pays else OrderState.HELD
    if not holdings:
        return OrderState.NOTHING
    return (
        OrderState.HELD if planned.disposition is not Disposition.IGNORE and not planned.pays else OrderState.COMMITTED
    )


def _holdings(trail: Trail, records: Records, planned: Planned) -> Holdings:
    """What the order was given: what it still has, and what has left since. None of what it gave back."""
    if planned.disposition in _KEEPS or planned.revision in trail.shipped_in_part:
        return {where: dict(record.lines) for where, record in records.items() if record.is_live}
    given: Holdings = {}
    for where, record in records.items():
        if record.is_live or record.state == "shipped":
            units = dict(record.lines) if record.is_live else {}
            for sku, gone in record.shipped.items():
                units[sku] = units.get(sku, 0) + gone
            given[where] = units
    return given


def _seen(trail: Trail, revision: str) -> dict[str, str]:
    """The newest revision that said the same as this one."""
    return {"seen": trail.seen} if is_same_state(trail.seen, revision) else {}


def _said(trail: Trail, before: str = "") -> dict[str, str]:
    """What each revision said; of all, or of those older than `before`."""
    told: dict[str, list[Instruction]] = {}
    for one in trail.instructed.values():
        told.setdefault(one.revision, []).append(one.told)
    revisions = told.keys() | _said_without_stock(trail) | trail.deleted
    return {
        f"said:{revision}": encode(_result(trail, revision, told.get(revision, []))).decode()
        for revision in sorted(revisions)
        if not before or revision < before
    }


def _result(trail: Trail, revision: str, told: Iterable[Instruction]) -> Result:
    cancels_last = sorted(told, key=lambda one: (one.kind is InstructionKind.CANCEL, one.parcel, one.warehouse_id))
    missing, late = trail.backordered.get(revision, ({}, False))
    moved, to, giver = trail.transfers.get(revision, ({}, "", ""))
    rest = trail.shipped_in_part.get(revision, {})
    return Result(
        told=tuple(cancels_last),
        backordered=revision in trail.backordered,
        missing=missing or moved or rest,
        transfer_to=to,
        transfer_from=giver,
        after_expiry=late,
        partly_shipped=revision in trail.shipped_in_part,
        deleted=revision in trail.deleted,
    )


def _fence(records: Records) -> str:
    return str(max((record.fence for record in records.values()), default=0))


def needs_stock(planned: PlannedOrder) -> bool:
    """Whether an order has lines that take stock."""
    return bool(lines_to_ship(planned.order))


def same_pointer(found: Mapping[str, str], made: Mapping[str, str]) -> bool:
    """Whether two pointers mean the same: the claim's number and the spelling of the JSON do not count.

    Neither do `heard:*`, of which only refused changes come back: what else was given back is no longer routed. Nor
    `overtaken:*`, in which an answer stays that a warehouse gave before its order was given back for good; nor
    `followed:*`, without which units wait for longer.
    """
    return _meaning(found) == _meaning(made)


def _meaning(fields: Mapping[str, str]) -> dict[str, Any]:
    meant: dict[str, Any] = {}
    for name, value in fields.items():
        if name in ("holdings", "routed") or name.startswith("said:"):
            meant[name] = orjson.loads(value or "{}")
            meant[name].pop("decided", None)  # of plans; what is made again from instructions need not be repeated
        elif name not in ("fence", "source", "returned") and not name.startswith(("heard:", "overtaken:", "followed:")):
            meant[name] = value
    return meant

"""What warehouses were told of an order, as Kafka has it, and what the reserve stage had yet to tell them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from schemas.fulfillment import InstructionKind
from schemas.order import Line, lines_to_ship
from schemas.plan import PlannedOrder
from schemas.record import decode, encode
from workers.inventory.availability import wanted
from workers.inventory.operations.stash_return import MOST_OVERTAKEN
from workers.inventory.records import ActiveInstruction
from workers.rebuild.order_history import TELLING, Instructed, Planned, Trail
from workers.rebuild.replay import Record
from workers.reserve.claimed import MOST_TOLD
from workers.reserve.result import Instruction, digest_of

Records = Mapping[str, Record]
"""What one order has, by warehouse."""


def routed_of(trail: Trail, upto: str) -> dict[str, ActiveInstruction]:
    """What each warehouse was last told by this revision, where that was to ship."""
    return _standing(trail, [one for one in trail.instructed.values() if one.revision <= upto], upto)


def _standing(trail: Trail, said: Iterable[Instructed], upto: str) -> dict[str, ActiveInstruction]:
    last: dict[str, Instructed] = {}
    stands: dict[str, Instruction] = {}  # the last that was not refused
    revisions: dict[str, tuple[str, ...]] = {}  # since it was told to ship
    kept_back = max((revision for revision in trail.kept_back if revision <= upto), default="")
    for one in sorted([one for one in said if one.revision >= kept_back], key=lambda one: one.revision):
        where = one.told.warehouse_id
        last[where] = one
        if (where, one.revision) not in trail.refused:
            stands[where] = one.told
        before = revisions.get(where, ()) if one.told.kind is InstructionKind.CHANGE else ()
        revisions[where] = (*before, one.revision)[-MOST_TOLD:]
    for revision, warehouse_id in trail.gave_up:
        if revision <= upto and warehouse_id in last and last[warehouse_id].revision < revision:
            del last[warehouse_id]
    routed = {
        where: ActiveInstruction(
            digest=one.digest,
            line_ids=stands.get(where, one.told).line_ids,
            parcel=one.told.parcel,
            parcels=one.told.parcels,
            revisions=tuple(each for each in revisions[where] if (where, each) not in trail.refused),
            units=stands[where].units if where in stands else {},
        )
        for where, one in last.items()
        if one.told.kind in TELLING
    }
    standing = ((where, one) for where, one in routed.items() if not _was_given_back(trail, where, one))
    return dict(sorted(standing, key=lambda item: item[1].parcel))


def _was_given_back(trail: Trail, where: str, routed: ActiveInstruction) -> bool:
    """Whether the warehouse gave back what stands, and the fulfill stage was done with its answer.

    Most such orders were planned anew without it. Of one that was at work just then, nothing more was said.
    """
    return any(one.revision in routed.revisions[-1:] for one in trail.given_back.get(where, ()))


def heard_of(trail: Trail, upto: str) -> dict[str, str]:
    """By field of the pointer: changes that were refused, and what was given back of instructions that stood before."""
    fields = {
        f"heard:{where}:{revision}": f"settled {revision} change"
        for where, revision in sorted(trail.refused)
        if revision <= upto
    }
    for where, routed in routed_of(trail, upto).items():
        replaced = routed.revisions[:-1]
        kept = [
            {"revision": one.revision, "message": one.message_id, "event": one.event}
            for one in trail.given_back.get(where, ())
            if one.revision in replaced
        ]
        while kept and len(packed := encode(kept)) > MOST_OVERTAKEN:
            kept.pop()
        if kept:
            fields[f"overtaken:{where}"] = packed.decode()
    return fields


def last_settled(trail: Trail, records: Records) -> tuple[Planned | None, Trail]:
    """The newest revision that was settled: one that the stage had finished with, or one that it had spoken of.

    Nothing is said of a revision before it is settled. So one that comes again, though some warehouse was told to ship
    it, must end as it did: walked again it could be placed otherwise, and that warehouse would ship it all the same;
    and what that warehouse answers is about an order that was placed. The trail that comes back has what was yet to be
    said, too.
    """
    for planned in sorted(trail.open, key=lambda planned: planned.revision, reverse=True):
        if trail.done is not None and planned.revision < trail.done.revision:
            break
        said = [one.told for one in trail.instructed.values() if one.revision == planned.revision]
        told = [one for one in said if one.kind in TELLING]
        if told and all(_was_taken(one.warehouse_id, planned, records) for one in told):
            unsaid = _unsaid(trail, planned, records, said, told)
            if unsaid is None:
                break
            return planned, replace(trail, instructed=trail.instructed | unsaid) if unsaid else trail
    return trail.done, trail


def _was_taken(warehouse_id: str, planned: Planned, records: Records) -> bool:
    """Whether the stock of this revision is known: its event may be lost, and then it must be taken again."""
    found = records.get(warehouse_id)
    return found is not None and found.revision >= planned.revision


def _unsaid(
    trail: Trail, planned: Planned, records: Records, said: Sequence[Instruction], told: Sequence[Instruction]
) -> dict[tuple[str, str, str], Instructed] | None:
    """What was yet to be said, as a trail has it; None when unknown, as more than one new parcel may be missing."""
    order = decode(PlannedOrder, planned.raw).order
    named = {line_id for one in told for line_id in one.line_ids or ()}
    whole = any(one.line_ids is None for one in told)
    rest = () if whole else tuple(line for line in lines_to_ship(order) if line.line_id not in named)
    stood = _stood(trail, planned, [one.warehouse_id for one in said])
    changing = any(one.kind is InstructionKind.CHANGE for one in told)
    if not (stood or changing) and len(told) < told[0].parcels - 1:
        return None
    steps = _changes(planned, records, rest, stood) if stood else _last_parcel(planned, records, rest, told)
    unsaid: dict[tuple[str, str, str], Instructed] = {}
    for one, lines in steps:
        digest = digest_of(order, lines) if lines else ""
        if one.kind is not InstructionKind.CHANGE or digest != stood[one.warehouse_id].digest:
            instructed = Instructed(planned.revision, one, digest, wanted(lines))
            unsaid[planned.revision, one.warehouse_id, one.kind] = instructed
    return unsaid


def _stood(trail: Trail, planned: Planned, spoken_to: Collection[str]) -> dict[str, ActiveInstruction]:
    """The warehouses that had the order before, and of which this revision has said nothing yet."""
    before = [one for one in trail.instructed.values() if one.revision < planned.revision]
    routed = _standing(trail, before, planned.revision)
    return {where: one for where, one in routed.items() if where not in (*spoken_to, *planned.gave_up)}


def _changes(
    planned: Planned, records: Records, rest: Sequence[Line], stood: Mapping[str, ActiveInstruction]
) -> Iterator[tuple[Instruction, Sequence[Line]]]:
    """To each warehouse that had a part: what its part is now, or to stop, as when the reserve stage revises."""
    first = next(iter(stood))
    for where, routed in stood.items():
        others = [one.line_ids or () for name, one in stood.items() if name != where]
        owned = tuple(
            line
            for line in rest
            if line.line_id in (routed.line_ids or ())
            or (where == first and not any(line.line_id in ids for ids in others))
        )
        if not owned:
            yield Instruction(warehouse_id=where, kind=InstructionKind.CANCEL), ()
        elif where in records and records[where].is_live:
            yield _told(where, InstructionKind.CHANGE, routed.parcel, routed.parcels, owned), owned


def _last_parcel(
    planned: Planned, records: Records, rest: Sequence[Line], told: Sequence[Instruction]
) -> Iterator[tuple[Instruction, Sequence[Line]]]:
    parts, where = {one.parcel for one in told}, {one.warehouse_id for one in told}
    missing = [number for number in range(1, told[0].parcels + 1) if number not in parts]
    takers = [name for name, one in records.items() if one.revision == planned.revision and one.is_live]
    taker = next((name for name in sorted(takers) if name not in where), None)
    if missing and rest and taker is not None:
        yield _told(taker, InstructionKind.FULFIL, missing[0], told[0].parcels, rest), rest


def _told(warehouse_id: str, kind: InstructionKind, parcel: int, parcels: int, lines: Sequence[Line]) -> Instruction:
    return Instruction(
        warehouse_id=warehouse_id,
        kind=kind,
        parcel=parcel,
        parcels=parcels,
        line_ids=None if parcels == 1 else tuple(line.line_id for line in lines),
        units=wanted(lines),
    )

"""What an order's pointer says of one instruction to one warehouse, read: an answer is judged by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from workers.inventory.records import InstructionStatus, SupersededReturn


def parse_instruction_status(
    pointer: Mapping[bytes, bytes], warehouse_id: str, instruction: str
) -> InstructionStatus | None:
    """An order's pointer, as seen by who answers an instruction; None when there is no such order.

    `instruction`: its revision. Where none stands any more, the last ones are read: an answer is judged by them.
    """
    if b"revision" not in pointer:
        return None
    skus = orjson.loads(pointer.get(b"holdings") or b"{}").get(warehouse_id, ())
    told = orjson.loads(pointer.get(b"routed") or b"{}").get(warehouse_id)
    *replaced, stands = (told and told.get("revisions")) or ("",)
    said = _said_to(pointer, warehouse_id)
    units = _units_of(said)
    sent, most = _sent(said) if pointer.get(b"source") else (None, None)
    standing = InstructionStatus(
        pointer[b"revision"].decode(),
        tuple(skus),
        stands,
        f"heard:{warehouse_id}:{instruction}".encode() in pointer,
        told.get("units") or {} if told else {},
        int(pointer.get(b"fence") or 0),
        pointer.get(b"phase") == b"claimed",
        replaced=replaced,
        overtaken=parse_superseded(pointer.get(f"overtaken:{warehouse_id}".encode())),
        sent=sent,
        most=most,
        asked=units.get(instruction),
        followed=_followed(pointer, warehouse_id),
        wants=units[max(units)] if units else {},
    )
    if stands:
        return standing._replace(may_ship=_may_ship(pointer, warehouse_id, units, [*replaced, stands]))
    last = _last_told(pointer, warehouse_id, said, units)
    may_ship = _may_ship(pointer, warehouse_id, units, [*last.replaced, last.told_last])
    return standing._replace(**last._asdict(), may_ship=may_ship)


def _said_to(pointer: Mapping[bytes, bytes], warehouse_id: str) -> list[tuple[str, Mapping[str, Any]]]:
    """All that one warehouse was told of the order, as (revision, instruction)."""
    return [
        (name.removeprefix(b"said:").decode(), told)
        for name, said in pointer.items()
        if name.startswith(b"said:")
        for told in orjson.loads(said).get("told", ())
        if told["warehouse_id"] == warehouse_id
    ]


def _sent(said: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[set[tuple[str, str]], dict[str, int] | None]:
    """What was sent, as (revision, kind); and the most units of each SKU that any instruction asked for.

    The units are None where an earlier version of ours sent an instruction and did not note them.
    """
    sent, most, known = {(revision, told["kind"]) for revision, told in said}, dict[str, int](), True
    for _, told in said:
        units = told.get("units") or {}
        known = known and (bool(units) or told["kind"] == "cancel")
        for sku, asked in units.items():
            most[sku] = max(asked, most.get(sku, 0))
    return sent, most if known else None


Units = Mapping[str, Mapping[str, int]]
"""What instructions to ship asked for, by revision and SKU."""


def _units_of(said: Sequence[tuple[str, Mapping[str, Any]]]) -> Units:
    """By revision, the units that an instruction to ship asked for, where they are known."""
    return {revision: units for revision, told in said if told["kind"] != "cancel" and (units := told.get("units"))}


def _followed(pointer: Mapping[bytes, bytes], warehouse_id: str) -> str:
    return (pointer.get(f"followed:{warehouse_id}".encode()) or b"").decode()


def _may_ship(pointer: Mapping[bytes, bytes], warehouse_id: str, units: Units, of: Sequence[str]) -> Units:
    """Of these instructions, those that no change replaced which the warehouse follows; none if units are not known."""
    followed = _followed(pointer, warehouse_id)
    may_ship = [revision for revision in of if revision >= followed]
    return {revision: units[revision] for revision in may_ship} if units.keys() >= set(may_ship) else {}


def parse_superseded(packed: bytes | None) -> tuple[SupersededReturn, ...]:
    """What `stash_return.lua` left, less what `drop_return.lua` made void."""
    kept = orjson.loads(packed or b"[]")
    return tuple(SupersededReturn(one["revision"], one["event"].encode()) for one in kept if one["event"])


class LastTold(NamedTuple):
    """Revisions of the last instructions to a warehouse, less changes that were refused; "" where there was none."""

    told_last: str  # to ship
    cancelled: str = ""  # to stop after that
    replaced: Sequence[str] = ()  # to ship: what the one of `told_last` changes
    units: Mapping[str, int] = {}  # that the one of `told_last` asks for


def _last_told(
    pointer: Mapping[bytes, bytes], warehouse_id: str, said: Sequence[tuple[str, Mapping[str, Any]]], units: Units
) -> LastTold:
    """What a warehouse was last told, of all that the order's pointer remembers to have said."""
    ships, fulfil, cancelled = [""], "", ""
    for revision, told in said:
        if told["kind"] == "cancel":
            cancelled = max(cancelled, revision)
            continue
        ships.append(revision)
        if told["kind"] == "fulfil":
            fulfil = max(fulfil, revision)
    heard = {revision: pointer.get(f"heard:{warehouse_id}:{revision}".encode()) for revision in ships}
    if cancelled < max(ships):
        return LastTold(max(revision for revision in ships if not (heard[revision] or b"").endswith(b" change")))
    # What was given back is not cancelled: of what a cancellation ends, only refused changes were heard of.
    *replaced, told_last = sorted(revision for revision in ships if heard[revision] is None)
    stood = [revision for revision in replaced if revision >= fulfil]
    return LastTold(told_last, cancelled, stood, units.get(told_last, {}))

"""What becomes of one instruction in the warehouse: drawn from a seed, the order and the try: always the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Final, NamedTuple

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEventKind


@dataclass(frozen=True, slots=True)
class Mishaps:
    """Shares of instructions, 0 to 1, that end otherwise than shipped in one parcel; and of messages that go astray."""

    not_there: float = 0.003  # nothing of the SKU is promised until the next count: rare, or the shelves look empty
    damaged: float = 0.03
    address: float = 0.015
    other: float = 0.02
    parts: float = 0.1  # of those with several units: they leave in two parcels
    part_only: float = 0.003  # of those: the second parcel is found damaged
    twice: float = 0.05
    out_of_order: float = 0.05
    impossible: float = 0.0  # of those that ship in one parcel: something is said of it besides that cannot be right


CALM: Final = Mishaps(0, 0, 0, 0, 0, 0, 0, 0, 0)
"""Everything is shipped, and every message sent once, in order."""


class Act(NamedTuple):
    """Something that the warehouse does with an instruction, and when it says so."""

    kind: WmsEventKind
    after: float  # seconds after the instruction came
    said_after: float  # seconds after the instruction came; later than `after`
    quantities: dict[str, int]
    reason: str = ""

    @property
    def ends(self) -> bool:
        """Whether the instruction is given back with it."""
        return self.kind in (WmsEventKind.SHORT, WmsEventKind.REJECTED)


def units(told: FulfillmentInstruction) -> dict[str, int]:
    """Units to pick, by SKU."""
    wanted: dict[str, int] = {}
    for line in (*told.purchased, *told.gifts):
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    return wanted


def random_of(seed: int, *names: str) -> Random:
    """Randomness that the same names always draw from in the same way."""
    digest = blake2b("/".join((str(seed), *names)).encode(), digest_size=8).digest()
    return Random(int.from_bytes(digest))  # noqa: S311  # it simulates, it guards nothing


def fate(told: FulfillmentInstruction, seed: int, mishaps: Mishaps, pace: float) -> list[Act]:
    """All acts of an instruction, in the order in which they happen. `pace`: 1 = shipped in one to three seconds."""
    attempt = told.revision.partition("+")[2]  # without the modify time, which is another in every run
    random = random_of(seed, told.order_uid, told.warehouse_id, told.kind, attempt)
    if told.kind is InstructionKind.CHANGE:  # to reject it would mean that the parcel goes out as told before
        mishaps = replace(mishaps, address=0, other=0)
    acts = list(_acts(units(told), random, mishaps))
    said = [act.after + random.uniform(0.2, 0.8) for act in acts]
    if random.random() < mishaps.out_of_order:
        said[0] = max(said) + 0.3  # `accepted` comes when all else was said
    return [
        act._replace(after=act.after * pace, said_after=moment * pace) for act, moment in zip(acts, said, strict=True)
    ]


def _acts(wanted: dict[str, int], random: Random, mishaps: Mishaps) -> Iterator[Act]:
    start = random.uniform(0.1, 0.4)
    drawn = random.random()
    for share, reason in ((mishaps.address, "address"), (mishaps.other, "other")):
        if drawn < share:
            yield Act(WmsEventKind.REJECTED, start, 0, {}, reason)
            return
        drawn -= share
    yield Act(WmsEventKind.ACCEPTED, start, 0, {})
    picked = start + random.uniform(0.3, 0.8)
    for share, reason in ((mishaps.not_there, "not-there"), (mishaps.damaged, "damaged")):
        if drawn < share:
            yield Act(WmsEventKind.SHORT, picked, 0, _one_of(wanted, random), reason)
            return
        drawn -= share
    yield Act(WmsEventKind.PICKED, picked, 0, {})
    yield from _parcels(wanted, picked + random.uniform(0.4, 1.6), random, mishaps)


def _parcels(wanted: dict[str, int], leaves: float, random: Random, mishaps: Mishaps) -> Iterator[Act]:
    if sum(wanted.values()) < 2 or random.random() >= mishaps.parts + mishaps.part_only:
        yield Act(WmsEventKind.SHIPPED, leaves, 0, wanted)
        return
    first = _one_of(wanted, random)
    rest = {sku: count - first.get(sku, 0) for sku, count in wanted.items() if count > first.get(sku, 0)}
    damaged = random.random() * (mishaps.parts + mishaps.part_only) < mishaps.part_only
    yield Act(WmsEventKind.SHIPPED, leaves, 0, first)
    second = leaves + 1.0  # more than any delay in saying so: a part is said before the rest
    yield Act(WmsEventKind.SHORT if damaged else WmsEventKind.SHIPPED, second, 0, rest, "damaged" if damaged else "")


def _one_of(wanted: dict[str, int], random: Random) -> dict[str, int]:
    return {random.choice(sorted(wanted)): 1}

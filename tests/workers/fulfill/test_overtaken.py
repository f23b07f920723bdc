"""What a warehouse gives back just before it reads a change: it counts if the warehouse then refuses the change."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import permutations
from random import Random
from typing import Any, NamedTuple

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.order import Order
from schemas.plan import Disposition, PlannedOrder, ReviewOrder
from schemas.record import decode, encode
from schemas.revision import retry_of
from tests.builders import a_cancelled_order, a_line, a_wms_event, an_order
from tests.fakes import DyingLedger
from tests.workers.fulfill.house import BJ, HZ, NUT, TEA, House
from workers.inventory.ledger import Ledger
from workers.inventory.operations.stash_return import MOST_OVERTAKEN
from workers.runtime.errors import TransientError

R1, R2, R3, R4 = "r1", "r2", "r3", "r4"
GIVE_BACKS = [  # and what is left on hand of 10 when all of the first instruction, 1 unit, is given back
    ("short", "not-there", 0),
    ("short", "damaged", 9),
    ("short", "other", 10),
    ("rejected", "damaged", 9),
    ("rejected", "other", 10),
    ("cancelled", "", 10),
]
EACH_GIVE_BACK = pytest.mark.parametrize(("kind", "reason", "left"), GIVE_BACKS)


@pytest.fixture
async def house(redis: Redis) -> House:
    return await stocked(House(redis))


async def stocked(house: House) -> House:
    await house.stock(HZ, nut=10, tea=10)
    await house.stock(BJ, nut=10, tea=10)
    return house


class Told(NamedTuple):
    """What the warehouse was told: the order, and changes of it."""

    first: FulfillmentInstruction
    changes: Sequence[FulfillmentInstruction]


def asking(units: int) -> Order:
    return an_order(lines=(a_line(quantity=units),))


async def told(house: House, changes: int = 1) -> Told:
    """An order for one NUT, and changes that each ask for another one."""
    said = [(await house.place(asking(n), HZ, BJ, revision=f"r{n}"))[0] for n in range(1, changes + 2)]
    assert [one.kind for one in said] == ["fulfil"] + ["change"] * changes
    return Told(said[0], said[1:])


def refused(change: FulfillmentInstruction) -> WmsEvent:
    return a_wms_event(change, "rejected", f"no {change.revision}", reason="other")


def wire(outcomes: list[Any]) -> list[list[bytes]]:
    return [[encode(event) for event in outcome] for outcome in outcomes]


async def shipped_by_beijing(house: House, again: PlannedOrder, left: int) -> None:
    """Whatever Hangzhou had is free there, or lost; Beijing has the order."""
    [instruction] = await house.reserve(again)
    assert (instruction.kind, instruction.warehouse_id) == (InstructionKind.FULFIL, BJ)
    level = await house.level()
    assert (level.committed, level.allocated, level.on_hand) == (0, 0, left)
    assert (await house.level(BJ)).committed > 0


@EACH_GIVE_BACK
async def test_it_counts_once_the_change_is_refused(house: House, kind: str, reason: str, left: int) -> None:
    first, [change] = await told(house)
    none, [again] = await house.answer(a_wms_event(first, kind, reason=reason), refused(change))
    assert none == ()
    assert (again.order.revision, again.plan.gave_up) == (retry_of(R2), (HZ,))
    await shipped_by_beijing(house, again, left)


@EACH_GIVE_BACK
async def test_repeats_of_every_message_change_nothing_and_say_the_same(
    house: House, kind: str, reason: str, left: int
) -> None:
    first, [change] = await told(house)
    early, no = a_wms_event(first, kind, reason=reason), refused(change)
    _, _, said, *repeated = await house.answer(early, early, no, early, no, no)
    assert wire(repeated) == wire([said, said, said])
    before = await house.level()
    assert wire(await house.answer(no)) == wire([said])
    assert await house.level() == before
    await shipped_by_beijing(house, said[0], left)
    assert await house.answer(early, no, early) == [(), (), ()]
    assert (await house.level()).on_hand == left


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_it_counts_when_the_last_of_several_changes_is_refused_in_any_order(
    house: House, order: Sequence[int]
) -> None:
    first, changes = await told(house, changes=3)
    early = a_wms_event(first, "short", reason="damaged", quantities={NUT: 1})
    await house.answer(early)
    outcomes = await house.answer(*[refused(changes[number]) for number in order])
    assert not [event for outcome in outcomes[:-1] for event in outcome if isinstance(event, PlannedOrder)]
    [again] = outcomes[-1]
    await shipped_by_beijing(house, again, 9)


async def test_what_came_between_two_changes_counts_when_both_are_refused(house: House) -> None:
    first, [change] = await told(house)
    await house.answer(a_wms_event(first, "rejected", reason="other"))
    [newer] = await house.place(asking(3), HZ, BJ, revision=R3)
    *_, [again] = await house.answer(refused(newer), refused(change))
    await shipped_by_beijing(house, again, 10)


async def test_goods_of_which_a_part_has_left_go_to_a_person(house: House) -> None:
    lines = (a_line(), a_line(TEA, quantity=3, line_id="2"))
    [first] = await house.place(an_order(lines=lines), HZ, revision=R1)
    await house.answer(
        a_wms_event(first, "accepted"), a_wms_event(first, "picked"), a_wms_event(first, "shipped", quantities={NUT: 1})
    )
    [change] = await house.place(an_order(lines=lines[1:]), HZ, revision=R2)
    assert change.kind is InstructionKind.CHANGE
    early = a_wms_event(first, "short", reason="damaged", quantities={TEA: 3})
    none, [again, review] = await house.answer(early, refused(change))
    assert none == ()
    assert isinstance(review, ReviewOrder)
    assert (again.plan.disposition, again.plan.hold_codes) == (Disposition.REVIEW, ("wms-partly-shipped",))
    level = await house.level(sku=TEA)
    assert (level.allocated, level.committed, level.on_hand) == (0, 0, 7)


async def test_one_message_per_missing_sku_counts_each(house: House) -> None:
    lines = (a_line(), a_line(TEA, line_id="2"))
    [first] = await house.place(an_order(lines=lines), HZ, BJ, revision=R1)
    [change] = await house.place(an_order(lines=lines[:1]), HZ, BJ, revision=R2)
    shorts = [a_wms_event(first, "short", sku, reason="not-there", quantities={sku: 1}) for sku in (NUT, TEA)]
    *_, [again] = await house.answer(*shorts, refused(change))
    assert [(await house.level(sku=sku)).on_hand for sku in (NUT, TEA)] == [0, 0]
    assert again.order.revision == retry_of(R2)


async def test_a_bad_address_goes_to_a_person(house: House) -> None:
    first, [change] = await told(house)
    _, [again, _] = await house.answer(a_wms_event(first, "rejected", reason="address"), refused(change))
    assert again.plan.hold_codes == ("wms-address",)


async def test_without_it_the_refusal_goes_to_a_person_as_ever(house: House) -> None:
    _, [change] = await told(house)
    [[review]] = await house.answer(refused(change))
    assert review.planned.plan.hold_codes == ("wms-change-refused",)


@pytest.mark.parametrize("kind", ["accepted", "picked", "shipped"])
async def test_it_is_void_once_the_change_is_followed(house: House, kind: str) -> None:
    first, [change] = await told(house)
    early = a_wms_event(first, "short", reason="damaged")
    assert await house.answer(early, a_wms_event(change, kind), early) == [(), (), ()]
    [outcome] = await house.answer(refused(change))
    assert [event for event in outcome if isinstance(event, PlannedOrder)] == []
    level = await house.level()
    assert level.on_hand == (7 if kind == "shipped" else 9)  # what was broken is broken all the same
    assert level.available_to_promise == 7


async def test_a_change_that_is_given_back_itself_places_the_order_anew_once(house: House) -> None:
    first, [change] = await told(house)
    early, back = a_wms_event(first, "short", reason="damaged"), a_wms_event(change, "short", reason="other")
    none, [again] = await house.answer(early, back)
    assert (none, again.order.revision) == ((), retry_of(R2))
    await shipped_by_beijing(house, again, 9)
    assert await house.answer(refused(change)) == [()]
    assert (await house.level()).on_hand == 9


async def test_a_change_given_back_before_a_newer_one_that_is_refused_counts_alone(house: House) -> None:
    first, [change, newer] = await told(house, changes=2)
    early = a_wms_event(first, "short", reason="damaged", quantities={NUT: 1})
    back = a_wms_event(change, "short", reason="other")
    *_, [again] = await house.answer(early, back, refused(newer))
    await shipped_by_beijing(house, again, 9)


@EACH_GIVE_BACK
async def test_it_frees_a_cancelled_order_once_the_change_is_refused(
    house: House, kind: str, reason: str, left: int
) -> None:
    first, [change] = await told(house)
    early = a_wms_event(first, kind, reason=reason)
    [stop] = await house.place(a_cancelled_order(), revision=R3, disposition=Disposition.RELEASE)
    assert await house.answer(early) == [()]
    gone = {"damaged": 1, "not-there": 8}.get(reason, 0)  # an empty shelf promises nothing more
    assert (await house.level()).available_to_promise == 8 - gone
    await house.answer(refused(change), refused(stop))
    level = await house.level()
    assert (level.committed, level.allocated, level.on_hand) == (0, 0, left)


@pytest.mark.parametrize("repeats", [1, 2])
async def test_what_a_followed_change_leaves_out_is_free_though_a_cancellation_came_between(
    redis: Redis, house: House, repeats: int
) -> None:
    """The change is followed and shipped, and the cancellation comes too late."""
    lines = (a_line(quantity=2), a_line(TEA, line_id="2"))
    [first] = await house.place(an_order(lines=lines), HZ, revision=R1)
    await house.answer(a_wms_event(first, "accepted"))
    [change] = await house.place(an_order(lines=lines[:1]), HZ, revision=R2)
    [stop] = await house.place(a_cancelled_order(), revision=R3, disposition=Disposition.RELEASE)
    assert stop.kind is InstructionKind.CANCEL
    for _ in range(repeats):
        await house.answer(
            a_wms_event(change, "accepted"),
            a_wms_event(change, "shipped", quantities={NUT: 2}),
            a_wms_event(stop, "rejected", reason="other"),
        )
    for sku, left in ((NUT, 8), (TEA, 10)):
        level = await house.level(sku=sku)
        assert (level.committed, level.allocated, level.on_hand) == (0, 0, left)


async def test_what_a_followed_change_keeps_waits_for_the_answer_to_the_cancellation(house: House) -> None:
    lines = (a_line(quantity=2), a_line(TEA, line_id="2"))
    await house.place(an_order(lines=lines), HZ, revision=R1)
    [change] = await house.place(an_order(lines=lines[:1]), HZ, revision=R2)
    [stop] = await house.place(a_cancelled_order(), revision=R3, disposition=Disposition.RELEASE)
    await house.answer(a_wms_event(change, "accepted"))
    assert ((await house.level()).available_to_promise, (await house.level(sku=TEA)).available_to_promise) == (8, 10)
    await house.answer(a_wms_event(stop, "cancelled"))
    assert (await house.level()).available_to_promise == 10


async def test_an_order_that_is_at_work_meanwhile_starts_over(house: House) -> None:
    first, [change] = await told(house)
    await house.answer(a_wms_event(first, "rejected", reason="other"))
    await house.ledger.orders.claim([(an_order().uid, R3, [HZ, BJ])])  # somebody has begun, and read what was told
    assert await house.answer(refused(change)) == [()]
    [anew] = await house.place(asking(3), HZ, BJ, revision=R3)
    assert (anew.kind, anew.revision) == (InstructionKind.FULFIL, R3)


async def test_a_change_told_while_the_give_back_is_taken_in_does_not_lose_it(redis: Redis, house: House) -> None:
    first, [change] = await told(house)
    await house.answer(refused(change))

    class Slow(type(house.ledger.warehouses)):  # type: ignore[misc]  # tells of a newer change after the stock was noted
        async def record_return(self, given_back: Any) -> Any:
            [self.newer] = await house.place(asking(3), HZ, BJ, revision=R4)
            return await super().record_return(given_back)

    slow = Ledger(redis)
    slow.warehouses = warehouses = Slow(redis, slow._run)
    assert await house.answer(a_wms_event(first, "rejected", reason="other"), ledger=slow) == [()]
    [[again]] = await house.answer(refused(warehouses.newer))
    await shipped_by_beijing(house, again, 10)


async def test_what_is_remembered_is_bounded(redis: Redis, house: House) -> None:
    first, [change] = await told(house)
    shorts = [a_wms_event(first, "short", f"m{n}", reason="x" * 50_000, quantities={NUT: 1}) for n in range(5)]
    await house.answer(*shorts)
    assert len(await redis.hget(f"order:{{{first.order_uid}}}", f"overtaken:{HZ}") or b"") <= MOST_OVERTAKEN
    [[again]] = await house.answer(refused(change))
    assert again.order.revision == retry_of(R2)


# -- deaths


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 9))
@EACH_GIVE_BACK
async def test_a_death_at_any_step_forgets_nothing_and_says_it_in_the_same_bytes(
    redis: Redis, house: House, step: int, after: bool, kind: str, reason: str, left: int
) -> None:
    first, [change] = await told(house)
    events = [a_wms_event(first, kind, reason=reason), refused(change)]
    with suppress(TransientError):  # beyond the last step: Redis has all of it, Kafka has nothing
        await house.answer(*events, ledger=DyingLedger(redis, step, after=after))
    first_time = await house.answer(*events)
    [again] = first_time[-1]
    assert (again.order.revision, again.plan.gave_up) == (retry_of(R2), (HZ,))
    assert wire(await house.answer(*events))[-1] == wire(first_time)[-1]
    await shipped_by_beijing(house, again, left)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 6))
@EACH_GIVE_BACK
async def test_a_death_after_the_refusal_of_a_change_loses_no_retry(
    redis: Redis, house: House, step: int, after: bool, kind: str, reason: str, left: int
) -> None:
    first, [change] = await told(house)
    await house.answer(refused(change))
    event = a_wms_event(first, kind, reason=reason)
    with suppress(TransientError):
        await house.answer(event, ledger=DyingLedger(redis, step, after=after))
    [[again]] = await house.answer(event)
    assert again.order.revision == retry_of(R2)
    await shipped_by_beijing(house, again, left)


def answers_by_chance(seed: int, said: Sequence[FulfillmentInstruction], random: Random) -> list[WmsEvent]:
    """A warehouse that read the first so many instructions, gives that back, and refuses those it reads later."""
    follows = random.randrange(len(said) - 1)
    # A change that is rejected is not given back: what it replaced stands again.
    kind, reason, _ = random.choice([one for one in GIVE_BACKS if not follows or one[0] != "rejected"])
    late = [a_wms_event(said[follows], kind, f"back {seed}", reason=reason)]
    late += [refused(change) for change in said[follows + 1 :]]
    random.shuffle(late)
    events = [a_wms_event(said[follows], "accepted"), *late]
    for event in random.sample(events, random.randrange(len(events))):  # some come again, later than the first time
        events.insert(random.randrange(events.index(event), len(events)) + 1, event)
    return events


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_is_refused_repeated_and_died_at_the_order_goes_on_once(
    redis: Redis, house: House, seed: int
) -> None:
    random = Random(seed)
    first, changes = await told(house, changes=random.randint(1, 4))
    events = answers_by_chance(seed, [first, *changes], random)
    anew: set[bytes] = set()
    while events:
        batch = events[: random.randint(1, len(events))]
        for _ in range(random.randrange(4)):
            with suppress(TransientError):  # what a life that ended said may be in Kafka, too
                ledger = DyingLedger(redis, random.randint(1, 12), after=random.random() < 0.5)
                anew |= planned_in(await house.answer(*batch, ledger=ledger))
        anew |= planned_in(await house.answer(*batch))
        events = events[len(batch) :]
    [again] = anew
    [instruction] = await house.reserve(decode(PlannedOrder, again))
    assert (instruction.kind, instruction.warehouse_id) == (InstructionKind.FULFIL, BJ)
    level = await house.level()
    assert (level.committed, level.allocated) == (0, 0)


def planned_in(outcomes: list[Any]) -> set[bytes]:
    return {encode(event) for outcome in outcomes for event in outcome if isinstance(event, PlannedOrder)}

"""What stands of people's decisions is made again from Kafka as the apply stage had left it in Redis, to the byte."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.codes import HoldCode
from schemas.decision import AddedGift, Correction, Decision, DecisionKind, LineCorrection, ReceiverCorrection
from schemas.order import OrderStatus
from schemas.record import encode
from tests.builders import a_line, an_order
from tests.workers.apply.fleet import BJ, COOKIES, HZ, NUT, Fleet, a_decision, touched
from workers.inventory.keys import decisions_key, order_key
from workers.rebuild.decision_history import DecisionTrails

ORDER = an_order(status=OrderStatus.ON_HOLD, holds=(HoldCode.RISK_REVIEW,), lines=(a_line("NO-SUCH", 3),))
MOVED = ReceiverCorrection(province="上海", city="上海市", street="示例路 9 号", name="示例", phone="00000000000")


@pytest.fixture
def fleet(redis: Redis) -> Fleet:
    return Fleet(redis)


def a_day() -> list[Decision]:
    """All kinds of decisions about one order, some of them refused."""
    wishes = (
        Correction(
            lines=(LineCorrection(line_id="1", sku=COOKIES, quantity=2),), gifts=(AddedGift(sku=NUT, quantity=1),)
        ),
        Correction(lines=(LineCorrection(line_id="1", sku=NUT),), receiver=MOVED),
        Correction(lines=(LineCorrection(line_id="1", quantity=9),)),
    )
    kinds: list[tuple[DecisionKind, dict[str, Any]]] = [
        *[(DecisionKind.CORRECT, {"correction": wish}) for wish in wishes],
        (DecisionKind.NOTE, {}),
        (DecisionKind.RELEASE, {"warehouse_id": BJ}),
        (DecisionKind.HOLD, {}),
        (DecisionKind.HOLD, {}),
        (DecisionKind.SPLIT, {}),
    ]
    return [a_decision(ORDER, kind, number, **fields) for number, (kind, fields) in enumerate(kinds)]


async def decided(fleet: Fleet) -> list[Decision]:
    """Each by somebody who saw what the one before had made of the order."""
    await fleet.stocked(100, HZ, BJ)
    await fleet.stocked(100, HZ, BJ, sku=COOKIES)
    await fleet.platform(ORDER)
    made = []
    for decision in a_day():
        revision = (await fleet.state(ORDER.uid)).revision
        made.append(replace(decision, seen=revision))
        await fleet.decide(made[-1])
    return made


def read_again(fleet: Fleet, decisions: list[Decision]) -> DecisionTrails:
    trails = DecisionTrails()
    for decision in decisions:
        trails.decision(encode(decision))
    for number, one in enumerate([*fleet.decided, *fleet.decided]):  # each twice
        trails.decided(encode(one), 1000 + number)
    return trails


async def test_what_stands_comes_back_to_the_byte(fleet: Fleet, redis: Redis) -> None:
    made = await decided(fleet)
    assert [answer.is_done for answer in fleet.decided] == [True, True, False, True, True, True, False, True]

    fields = read_again(fleet, made).pointer_fields(ORDER.uid)

    kept: Any = await redis.hmget(order_key(ORDER.uid), *fields)
    assert fields == dict(zip(fields, [value.decode() for value in kept], strict=True))


async def test_what_became_of_each_comes_back_to_the_byte(fleet: Fleet, redis: Redis) -> None:
    made = await decided(fleet)

    [(uid, answers)] = read_again(fleet, made).answers()

    kept: Any = await redis.hgetall(decisions_key(uid))
    assert {name.decode(): value.decode() for name, value in kept.items()} == answers.by_id


async def test_a_plan_that_knew_nothing_of_a_decision_is_void_and_others_are_not(fleet: Fleet) -> None:
    await fleet.stocked()
    order = an_order()
    await fleet.platform(order)
    late = await fleet.plan_new(touched(order))
    hold = a_decision(order, DecisionKind.HOLD)
    await fleet.decide(hold)
    await fleet.carry(late)
    trails = read_again(fleet, [hold])

    void = [trails.is_void(order.uid, one.order.revision, one.decided) for one in fleet.planned]

    assert void == [False, False, True, False], "as told, held, too late to know, decided anew"


def test_what_cannot_be_read_is_counted() -> None:
    trails = DecisionTrails()
    trails.decision(b"{")
    trails.decided(b"{", 1)
    assert (trails.unreadable, list(trails.answers())) == (1, [])

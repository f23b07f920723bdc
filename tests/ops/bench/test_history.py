"""The history that `stock rebuild` is measured with is one that the fleet could have written."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import chain

from ops.bench.history import ON_HAND, History
from ops.testbed.torture.replay import Replay as Counting
from schemas.fulfillment import FulfillmentInstruction
from schemas.inventory import InventoryEvent
from schemas.plan import PlannedOrder
from schemas.record import encode
from workers.rebuild.replay import Replay
from workers.rebuild.replay_audit import event_findings

BEGAN = datetime(2026, 11, 11, tzinfo=UTC)


def made(orders: int) -> list[object]:
    history = History(["hangzhou", "beijing"], skus=20, began=BEGAN)
    return [*history.counts(), *chain.from_iterable(history.order() for _ in range(orders))]


def test_it_is_the_same_every_time() -> None:
    assert made(50) == made(50)


def test_its_events_have_no_gap_and_no_promise_below_zero() -> None:
    replay, counting = Replay(1 << 40, 1 << 40), Counting()
    for event in made(300):
        if isinstance(event, InventoryEvent):
            replay.offer(encode(event))
            counting.add(event)
    assert [finding for one in replay for finding in event_findings(one)] == []
    assert (counting.missing(), counting.torn, counting.below_zero) == ([], [], {})
    assert all(min(sums.values()) >= 0 for one in replay for sums in one.sums.values())
    assert all(one.stock[sku]["on_hand"] <= ON_HAND for one in replay for sku in one.stock)


def test_every_order_is_planned_and_told_of_once() -> None:
    kinds = Counter(type(each) for each in made(300))
    assert kinds[PlannedOrder] == kinds[FulfillmentInstruction] == 300
    assert 600 < kinds[InventoryEvent] < 902

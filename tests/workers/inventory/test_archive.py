"""Single planned orders are found again by where they stand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.ports import free_port
from schemas.plan import PlannedOrder
from schemas.record import encode
from tests.builders import a_planned_order, an_order
from tests.kafka import TopicReader, create_topics, put, unique
from workers.inventory.archive import PlannedArchive
from workers.runtime.errors import TransientError

ORDERS = 3000


@pytest.fixture(scope="module")
def written(broker: Broker) -> tuple[str, dict[str, tuple[int, int]]]:
    """A topic of planned orders, and the place of each by its order id."""
    topic = unique("orders.planned")
    create_topics(broker.address, [topic], partitions=2)
    orders = [a_planned_order(an_order(str(number))) for number in range(ORDERS)]
    put(broker.address, topic, [(one.order.uid.encode(), encode(one)) for one in orders])
    reader = TopicReader(broker.address, [topic], partitions=2)
    messages = reader.until(lambda seen: len(seen) >= ORDERS)
    reader.close()
    places = {}
    for message in messages:
        partition, offset, key = message.partition(), message.offset(), message.key()
        assert partition is not None
        assert offset is not None
        assert isinstance(key, bytes)
        places[key.decode()] = (partition, offset)
    return topic, places


@pytest.fixture
async def archive(broker: Broker, written: tuple[str, dict[str, tuple[int, int]]]) -> AsyncIterator[PlannedArchive]:
    archive = PlannedArchive(broker.address, topic=written[0], patience_seconds=6)
    yield archive
    await archive.close()


def uids(found: list[PlannedOrder | None]) -> list[str | None]:
    return [None if one is None else one.order.uid for one in found]


async def test_orders_far_apart_near_and_twice_are_given_in_the_order_asked(
    archive: PlannedArchive, written: tuple[str, dict[str, tuple[int, int]]]
) -> None:
    asked = [an_order(str(number)).uid for number in (2999, 3, 4, 5, 1500, 3, 0, *range(100, 200))]
    for _ in range(2):
        assert uids(await archive.read([written[1][uid] for uid in asked])) == asked


async def test_readers_at_the_same_time_each_get_their_own(
    archive: PlannedArchive, written: tuple[str, dict[str, tuple[int, int]]]
) -> None:
    asked = [an_order(str(number)).uid for number in range(0, 2000, 200)]
    found = await asyncio.gather(*(archive.read([written[1][uid]]) for uid in asked))
    assert [uids(one) for one in found] == [[uid] for uid in asked]


async def test_a_place_beyond_the_end_is_none_and_the_others_are_found(
    archive: PlannedArchive, written: tuple[str, dict[str, tuple[int, int]]]
) -> None:
    uid = an_order("7").uid
    partition, _ = written[1][uid]
    places = [(partition, 10**6), written[1][uid], (partition, ORDERS + 5)]
    assert uids(await archive.read(places)) == [None, uid, None]


async def test_a_place_where_the_end_still_seems_to_be_is_waited_for(broker: Broker) -> None:
    """So it looks on a broker that has just begun to lead the partition."""
    topic = unique("orders.planned")
    create_topics(broker.address, [topic], partitions=1)
    first, second = a_planned_order(an_order("1")), a_planned_order(an_order("2"))
    put(broker.address, topic, [(b"k", encode(first))])
    archive = PlannedArchive(broker.address, topic=topic)
    waiting = asyncio.create_task(archive.read([(0, 1)]))
    done, _ = await asyncio.wait([waiting], timeout=3)
    assert not done, "the end was believed at once"

    put(broker.address, topic, [(b"k", encode(second))])

    assert uids(await waiting) == [second.order.uid]
    await archive.close()


async def test_what_is_no_planned_order_is_none(broker: Broker) -> None:
    topic = unique("orders.planned")
    create_topics(broker.address, [topic], partitions=1)
    put(broker.address, topic, [(b"k", b"{not json")])
    archive = PlannedArchive(broker.address, topic=topic)
    assert await archive.read([(0, 0)]) == [None]
    await archive.close()


async def test_nothing_asked_needs_no_broker() -> None:
    assert await PlannedArchive("127.0.0.1:1").read([]) == []


async def test_a_broker_that_is_away_is_a_transient_error() -> None:
    archive = PlannedArchive(f"127.0.0.1:{free_port()}", patience_seconds=0.5)
    with pytest.raises(TransientError):
        await archive.read([(0, 0)])
    await archive.close()

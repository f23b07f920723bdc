"""`orderfleet stock rebuild` on a real Redis and a real broker: what was flushed comes back to the byte."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from ops.testbed.local_stack.broker import Broker
from schemas.fulfillment import FulfillmentInstruction, WmsEvent
from schemas.order import Order
from schemas.plan import Disposition, OnShort, PlannedOrder, ReviewOrder
from schemas.record import changed, decode, encode
from schemas.revision import retry_of
from schemas.topics import (
    INVENTORY_EVENTS,
    ORDERS_BACKORDERED,
    ORDERS_PLANNED,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
)
from tests.builders import a_gift, a_line, a_plan, a_planned_order, a_wms_event, an_order, an_unpaid_order
from tests.kafka import TopicReader, put, wait_until
from tests.ops.cli.conftest import Run
from tests.workers.inventory.traffic import WAREHOUSES, Traffic
from workers.fulfill.agent import FulfillAgent
from workers.inventory.archive import PlannedArchive
from workers.inventory.keys import WAREHOUSES as WAREHOUSES_KEY
from workers.inventory.keys import order_key, reservation_key, sequence_key, stock_key
from workers.inventory.records import Count, OrderState
from workers.rebuild import quiet
from workers.rebuild.contents import dump, read_contents
from workers.rebuild.order_state import same_pointer
from workers.relay.agent import RelayAgent
from workers.reserve.agent import ReserveAgent
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.stage import Delivery
from workers.runtime.wire import Encoder

OUTPUTS = (
    ORDERS_ROUTED,
    ORDERS_BACKORDERED,
    TRANSFERS_REQUESTED,
    ORDERS_REVIEW,
    ORDERS_PLANNED,
    INVENTORY_EVENTS,
    WMS_EVENTS,
)


class Fleet(Traffic):
    """Traffic whose orders and outputs go through Kafka, as the stages write them; one partition a topic."""

    def __init__(self, redis: AsyncRedis, broker: Broker, seed: int = 5) -> None:
        super().__init__(redis, seed)
        self.redis = redis
        self._broker = broker
        self._encode = Encoder(OUTPUTS)
        self._unpublished: list[Any] = []

    async def handle(self, *planned: PlannedOrder) -> None:
        """As the traffic does; `acknowledge` publishes it and commits the group's progress."""
        said = len(self.events)
        await super().handle(*planned)
        self._unpublished += [*planned, *self.events[said:]]

    async def acknowledge(self) -> None:
        """Kafka has it all, and the reserve stage has finished with it."""
        await self.publish(self._unpublished)
        self._unpublished.clear()
        self.commit(len(self.planned))

    async def publish(self, values: Sequence[Any]) -> None:
        """Write values to their topics."""
        topics: dict[str, list[tuple[bytes, bytes]]] = {}
        for record in map(self._encode, values):
            topics.setdefault(record.topic, []).append((record.key, record.value))
        for topic, records in topics.items():
            put(self._broker.address, topic, records)

    def commit(self, offset: int, group: str = "orderfleet-reserve", topic: str = ORDERS_PLANNED.name) -> None:
        """A stage has finished with what stands below this offset."""
        consumer = Consumer({"bootstrap.servers": self._broker.address, "group.id": group})
        consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
        consumer.close()

    async def relay(self) -> None:
        """Publish what the outboxes hold, and let go of the lease."""
        if self._unpublished:
            await self.acknowledge()
        relay = RelayAgent(self.ledger)
        while events := await relay.tick():
            await self.publish(events)
            await relay.confirmed()
        await self.stop_relaying()

    async def stop_relaying(self) -> None:
        """As if ten seconds passed."""
        async for key in self.redis.scan_iter(match="relay:*"):
            await self.redis.delete(key)

    async def again(self, planned: PlannedOrder, offset: int) -> Sequence[Any]:
        """What a stage that starts after the rebuild says to a planned order that comes (again)."""
        agent = ReserveAgent(self.ledger, 1800)
        [outcome] = await agent.handle([Delivery(planned, key=b"", partition=0, offset=offset)])
        assert not isinstance(outcome, Exception)
        return outcome

    async def dealt_with(self, *events: WmsEvent) -> Sequence[Any]:
        """The same, and the answers stand in Kafka as ones with which the stage has finished."""
        await self.publish(events)
        said = await self.answered(*events)
        self.commit(len(events), "orderfleet-fulfill", WMS_EVENTS.name)
        return said

    async def answered(self, *events: WmsEvent) -> Sequence[Any]:
        """What the fulfill stage says to answers of warehouses."""
        archive = PlannedArchive(self._broker.address)
        try:
            outcomes = await FulfillAgent(self.ledger, archive).handle([Delivery(one, key=b"") for one in events])
        finally:
            await archive.close()
        said: list[Any] = []
        for outcome in outcomes:
            assert not isinstance(outcome, Exception)
            said += outcome
        return said


@pytest.fixture
def log_broker(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker of the test's own."""
    with Broker(tmp_path_factory.mktemp("log-broker")) as running:
        wanted = wanted_topics(channels=[], warehouses=WAREHOUSES, partitions=1, replication=1)
        create_topics(running.address, wanted)
        monkeypatch.setenv("ORDERFLEET_KAFKA", running.address)
        yield running


@pytest.fixture(autouse=True)
def short_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else is there to be seen: to look for a whole second, twice in a rebuild, shows nothing more."""
    monkeypatch.setattr(quiet, "LOOK_SECONDS", 0.05)


World = Callable[[Callable[[Fleet], Awaitable[Any]]], Any]


@pytest.fixture
def world(redis_url: str, log_broker: Broker) -> World:
    """Do something with the fleet; what it did before is remembered."""
    past: list[Fleet] = []

    def act(deed: Callable[[Fleet], Awaitable[Any]]) -> Any:
        async def acting() -> Any:
            async with AsyncRedis.from_url(redis_url) as redis:
                fleet = Fleet(redis, log_broker)
                if past:
                    fleet.planned, fleet.events = past[-1].planned, past[-1].events
                past.append(fleet)
                return await deed(fleet)

        return asyncio.run(acting())

    return act


async def state(fleet: Fleet) -> tuple[list[bytes], dict[str, dict[str, str]]]:
    """The dump without pointers, and the pointers."""
    meaning = (b'["order:', b'["waiting-in-hand:')  # told by meaning, and by the clock
    lines = [line for line in (await dump(fleet.redis)).split(b"\n") if not line.startswith(meaning)]
    pointers = {each.key: each.value async for each in read_contents(fleet.redis) if each.family == "order"}
    return lines, pointers


async def flushed(fleet: Fleet) -> None:
    await fleet.redis.flushall()


def rebuilt(run: Run, *options: str) -> dict[str, Any]:
    result = run("stock", "rebuild", "--json", *options)
    assert result.exit_code == 0, (result.stderr, result.exception)
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def of(fleet: Fleet, kind: type[Any]) -> list[Any]:
    return [event for event in fleet.events if isinstance(event, kind)]


# -- the same state ------------------------------------------------------------------------------------------------


@pytest.fixture
def afternoon(world: World) -> tuple[list[bytes], dict[str, dict[str, str]]]:
    """A busy afternoon, all of it in Kafka. What Redis holds after it."""

    async def work(fleet: Fleet) -> tuple[list[bytes], dict[str, dict[str, str]]]:
        await fleet.stock()
        await fleet.run(120)
        await fleet.relay()
        return await state(fleet)

    done: tuple[list[bytes], dict[str, dict[str, str]]] = world(work)
    return done


def test_a_flushed_redis_comes_back_to_the_byte(world: World, run: Run, afternoon: Any) -> None:
    lines, _ = afternoon
    assert len(lines) > 60
    world(flushed)

    told = rebuilt(run)

    lines_now, pointers_now = world(state)
    assert lines_now == lines
    assert told["keys"] == len([line for line in lines if b'["waiting' not in line]) + len(pointers_now)
    assert any(line.startswith(b'["waiting:') for line in lines)
    assert told["events"] > 100
    assert told["lost_orders"] == []


def test_orders_get_pointers_that_mean_the_same(world: World, run: Run, afternoon: Any) -> None:
    _, pointers = afternoon
    world(flushed)

    rebuilt(run)

    _, now = world(state)
    assert now.keys() == pointers.keys()
    for key, before in pointers.items():
        after = now[key]
        assert (after["revision"], after["phase"]) == (before["revision"], before["phase"])
        assert json.loads(after["routed"]).keys() >= json.loads(before["routed"]).keys(), key
        for name, said in before.items():
            if name.startswith("said:"):
                assert same_pointer({name: after[name]}, {name: said}), (key, name)


def test_tombstones_expire_when_they_would_have(world: World, run: Run, afternoon: Any) -> None:
    async def expiries(fleet: Fleet) -> dict[str, int]:
        return {
            e.key: e.expires_ms async for e in read_contents(fleet.redis) if e.family in ("reservation", "transfer")
        }

    before = world(expiries)
    world(flushed)
    rebuilt(run)

    after = world(expiries)
    assert any(before.values())
    assert before.keys() == after.keys()
    assert all(abs(before[key] - after[key]) < 2000 for key in before)


def test_dry_run_proves_that_nothing_differs(world: World, run: Run, afternoon: Any) -> None:
    result = run("stock", "rebuild", "--dry-run")

    assert "reservation" not in result.stdout
    assert "stock:" not in result.stdout


def test_dry_run_names_what_differs(world: World, run: Run, afternoon: Any, redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.hincrby(stock_key("hangzhou", "MUG-350"), "on_hand", 1)
        client.hset(reservation_key("hangzhou", "taobao:x:1"), "state", "held")

    result = run("stock", "rebuild", "--dry-run", "--json")

    assert result.exit_code == 1
    found = json.loads(result.stdout)["differences"]
    assert found["other"]["stock"] == 1
    assert found["surplus"] == {"reservation": 1}


def test_events_that_only_the_outbox_has_are_kept_by_replace(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, afternoon: Any
) -> None:
    monkeypatch.chdir(tmp_path)

    async def go_on(fleet: Fleet) -> Any:
        await fleet.run(20)
        await fleet.ledger.stock.set_counts("hangzhou", {"MUG-350": Count(on_hand=77)})
        before = await state(fleet)
        await fleet.redis.hincrby(stock_key("hangzhou", "MUG-350"), "on_hand", 5)
        return before

    lines, _ = world(go_on)

    told = rebuilt(run, "--replace")

    assert world(state)[0] == lines
    backup = Path(told["backup"])
    assert backup.stat().st_mode & 0o077 == 0

    async def outbox(fleet: Fleet) -> int:
        return int(await fleet.redis.xlen("outbox:{hangzhou}"))

    assert world(outbox) > 0
    damaged = backup.read_bytes()
    rebuilt(run, "--replace", "--from", str(backup))
    assert world(state)[0] != lines
    assert backup.read_bytes() == damaged


# -- refusing ------------------------------------------------------------------------------------------------------


def test_a_redis_that_holds_stock_is_left_alone(world: World, run: Run, afternoon: Any) -> None:
    lines, _ = afternoon

    result = run("stock", "rebuild")

    assert result.exit_code == 1
    assert "keys of the ledger; nothing was changed" in result.stderr
    assert "--replace" in result.stderr
    assert world(state)[0] == lines


def test_a_relay_at_work_is_named(world: World, run: Run, afternoon: Any) -> None:
    async def lease(fleet: Fleet) -> None:
        await fleet.ledger.outbox.lease(["beijing"], 10_000)

    world(lease)

    result = run("stock", "rebuild", "--replace")

    assert result.exit_code == 1
    assert "a worker relays the events of beijing" in result.stderr


def test_a_reserve_stage_at_work_is_named(world: World, run: Run, log_broker: Broker, redis_url: str) -> None:
    consumer = Consumer(
        {"bootstrap.servers": log_broker.address, "group.id": "orderfleet-reserve", "session.timeout.ms": 6000}
    )
    consumer.subscribe([ORDERS_PLANNED.name])
    try:
        wait_until(lambda: bool(consumer.poll(0.1) or consumer.assignment()), what="joining the group")

        result = run("stock", "rebuild")
    finally:
        consumer.close()

    assert result.exit_code == 1
    assert (
        "the consumer group orderfleet-reserve is at work: stop the workers that run the stage reserve" in result.stderr
    )


def test_counters_that_change_meanwhile_are_named(
    world: World, run: Run, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stock(fleet: Fleet) -> None:
        await fleet.ledger.stock.set_counts("beijing", {"MUG-350": Count(on_hand=5)})

    world(stock)
    monkeypatch.setattr(quiet, "LOOK_SECONDS", 1.0)
    over = threading.Event()

    def write() -> None:
        with Redis.from_url(redis_url) as client:
            while not over.wait(0.01):
                client.incr(sequence_key("beijing"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        result = run("stock", "rebuild", "--replace")
    finally:
        over.set()
        writer.join()

    assert result.exit_code == 1
    assert "the counters of beijing changed while we looked" in result.stderr


def test_missing_events_are_told_and_refused(world: World, run: Run, log_broker: Broker) -> None:
    async def lossy(fleet: Fleet) -> None:
        await fleet.stock()
        await fleet.run(60)
        relay = RelayAgent(fleet.ledger)
        events = await relay.tick()
        await fleet.publish([event for event in events if event.event_id != "hangzhou/7"])
        await fleet.redis.flushall()

    world(lossy)

    result = run("stock", "rebuild")
    assert result.exit_code == 1
    assert "hangzhou/7" in result.stderr
    assert "--accept-gaps" in result.stderr

    rebuilt(run, "--accept-gaps")
    assert run("stock", "audit", "--no-replay").exit_code in (0, 1)

    async def audited(fleet: Fleet) -> bool:
        return (await fleet.ledger.stock.audit()).is_clean

    assert world(audited)


# -- what comes after it -------------------------------------------------------------------------------------------


def instructions(events: Sequence[Any]) -> list[tuple[str, str]]:
    return [(event.kind.value, event.warehouse_id) for event in events if isinstance(event, FulfillmentInstruction)]


def placed(world: World, run: Run, planned: PlannedOrder, *, committed: bool = True, told: bool = True) -> None:
    """One order placed, then Redis flushed and rebuilt; by default the stage had finished with it and said all."""

    async def place(fleet: Fleet) -> None:
        for warehouse in WAREHOUSES:
            await fleet.ledger.stock.set_counts(warehouse, {sku: Count(on_hand=9) for sku in ("A", "B")})
        if committed and told:
            await fleet.handle(planned)
        else:
            await fleet.publish([planned])
            await Traffic.handle(fleet, planned)
            await fleet.publish(fleet.events if told else [])
        await fleet.relay()
        await fleet.redis.flushall()

    world(place)
    rebuilt(run)


def later(order: Order, minutes: int = 5, **fields: Any) -> Order:
    """A newer revision."""
    return an_order(
        order.platform_order_id,
        **{"lines": order.lines, "placed_at": order.placed_at, **fields},
        modified_at=order.modified_at + timedelta(minutes=minutes),
    )


def units(fleet: Fleet, warehouse: str = "hangzhou") -> Awaitable[Any]:
    return fleet.ledger.stock.levels(warehouse, ["A"])


ORDER = an_order("1", lines=(a_line("A", 2), a_gift("B", 1, line_id="2", bound_to=("1",))))
PLANNED = a_planned_order(ORDER, a_plan("hangzhou", "beijing"))
SPLIT = an_order("1", lines=(a_line("A", 9, line_id="1"), a_line("B", 9, line_id="2")))


def test_a_repeat_says_the_same_and_takes_nothing(world: World, run: Run) -> None:
    placed(world, run, PLANNED)

    async def repeat(fleet: Fleet) -> None:
        said = await fleet.again(PLANNED, 1)
        assert [encode(each) for each in said] == [encode(each) for each in fleet.events]
        [level] = await units(fleet)
        assert level.committed == 2

    world(repeat)


def test_an_older_revision_changes_nothing(world: World, run: Run) -> None:
    placed(world, run, PLANNED)
    older = changed(ORDER, revision="0" * 15 + ".0000.0")

    async def late(fleet: Fleet) -> None:
        assert await fleet.again(a_planned_order(older, a_plan("beijing")), 1) == ()
        [level] = await units(fleet)
        assert level.committed == 2

    world(late)


def test_a_newer_revision_that_says_the_same_is_not_told_again(world: World, run: Run) -> None:
    placed(world, run, PLANNED)

    async def revise(fleet: Fleet) -> None:
        assert await fleet.again(a_planned_order(later(ORDER), a_plan("beijing", "hangzhou")), 1) == []
        [level] = await units(fleet)
        assert level.committed == 2

    world(revise)


def test_the_warehouse_that_was_told_is_told_of_a_change_and_of_the_end(world: World, run: Run) -> None:
    placed(world, run, PLANNED)

    async def revise(fleet: Fleet) -> None:
        more = later(ORDER, lines=(a_line("A", 3),))
        assert instructions(await fleet.again(a_planned_order(more, a_plan("beijing")), 1)) == [("change", "hangzhou")]
        gone = a_planned_order(later(more), a_plan(disposition=Disposition.RELEASE))
        assert instructions(await fleet.again(gone, 2)) == [("cancel", "hangzhou")]
        [level] = await units(fleet)
        assert level.committed == 3  # until the warehouse answers

    world(revise)


def test_an_order_that_was_never_acknowledged_is_found_where_it_is(world: World, run: Run) -> None:
    """The stage died between Redis and Kafka; meanwhile the better warehouse has stock again."""

    async def place(fleet: Fleet) -> None:
        await fleet.ledger.stock.set_counts("beijing", {"A": Count(on_hand=9), "B": Count(on_hand=9)})
        await fleet.publish([PLANNED])
        await Traffic.handle(fleet, PLANNED)
        await fleet.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=9), "B": Count(on_hand=9)})
        await fleet.relay()
        await fleet.redis.flushall()

    world(place)
    rebuilt(run)

    async def again(fleet: Fleet) -> None:
        assert instructions(await fleet.again(PLANNED, 0)) == [("fulfil", "beijing")]
        assert [(await units(fleet, each))[0].committed for each in ("hangzhou", "beijing")] == [0, 2]
        assert (await fleet.ledger.stock.audit()).is_clean

    world(again)


def test_a_split_that_was_told_in_part_ends_as_it_began(world: World, run: Run) -> None:
    planned = a_planned_order(SPLIT, a_plan("hangzhou", "beijing", on_short=OnShort.SPLIT))

    async def place(fleet: Fleet) -> list[Any]:
        await fleet.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=9)})
        await fleet.ledger.stock.set_counts("beijing", {"B": Count(on_hand=9)})
        await fleet.publish([planned])
        await Traffic.handle(fleet, planned)
        assert len(fleet.events) == 2
        await fleet.publish(fleet.events[:1])
        await fleet.ledger.stock.set_counts("hangzhou", {"B": Count(on_hand=9)})
        await fleet.relay()
        await fleet.redis.flushall()
        return fleet.events

    events = world(place)
    rebuilt(run)

    async def again(fleet: Fleet) -> None:
        said = await fleet.again(planned, 0)
        assert sorted(encode(each) for each in said) == sorted(encode(each) for each in events)

    world(again)


def test_what_a_warehouse_gives_back_before_its_order_comes_again_is_placed_anew(
    world: World, run: Run, log_broker: Broker
) -> None:
    """The stage died when the warehouse was told and its own progress was not yet noted."""
    placed(world, run, PLANNED, committed=False)

    async def give_back(fleet: Fleet) -> None:
        [told] = of(fleet, FulfillmentInstruction)
        [again] = await fleet.answered(a_wms_event(told, "short", reason="damaged", quantities={"A": 1}))
        assert isinstance(again, PlannedOrder)
        assert (again.order.revision, again.plan.gave_up) == (retry_of(ORDER.revision), ("hangzhou",))
        assert [encode(each) for each in await fleet.again(PLANNED, 0)] == [encode(told)]
        assert instructions(await fleet.again(again, 1)) == [("fulfil", "beijing")]
        assert (await fleet.ledger.stock.audit()).is_clean

    world(give_back)


def test_an_order_that_was_told_and_lost_its_stock_takes_it_again(world: World, run: Run) -> None:
    async def place(fleet: Fleet) -> None:
        await fleet.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=9), "B": Count(on_hand=9)})
        await fleet.relay()
        await fleet.publish([PLANNED])
        await Traffic.handle(fleet, PLANNED)
        await fleet.publish(fleet.events)
        await fleet.redis.flushall()

    world(place)
    rebuilt(run)

    async def again(fleet: Fleet) -> None:
        assert instructions(await fleet.again(PLANNED, 0)) == [("fulfil", "hangzhou")]
        [level] = await units(fleet)
        assert level.committed == 2

    world(again)


@pytest.mark.parametrize(
    ("revised", "said"),
    [
        ((a_line("A", 8, line_id="1"), a_line("B", 9, line_id="2")), [("change", "hangzhou")]),
        ((a_line("A", 8, line_id="1"), a_line("B", 8, line_id="2")), [("change", "hangzhou"), ("change", "beijing")]),
        ((a_line("A", 8, line_id="1"),), [("change", "hangzhou"), ("cancel", "beijing")]),
    ],
)
def test_a_change_of_a_split_order_that_was_told_in_part_ends_as_it_began(
    world: World, run: Run, revised: tuple[Any, ...], said: list[tuple[str, str]]
) -> None:
    planned = a_planned_order(SPLIT, a_plan("hangzhou", "beijing", on_short=OnShort.SPLIT))
    change = a_planned_order(later(SPLIT, lines=revised), a_plan("hangzhou", "beijing", on_short=OnShort.SPLIT))

    async def place(fleet: Fleet) -> list[Any]:
        await fleet.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=9)})
        await fleet.ledger.stock.set_counts("beijing", {"B": Count(on_hand=9)})
        await fleet.handle(planned)
        await fleet.acknowledge()
        before = len(fleet.events)
        await fleet.publish([change])
        await Traffic.handle(fleet, change)
        told = fleet.events[before:]
        assert instructions(told) == said
        await fleet.publish(told[:1])
        await fleet.relay()
        await fleet.redis.flushall()
        return told

    told = world(place)
    rebuilt(run)

    async def again(fleet: Fleet) -> None:
        assert [encode(each) for each in await fleet.again(change, 1)] == [encode(each) for each in told]
        assert (await fleet.ledger.stock.audit()).is_clean

    world(again)


def test_a_hold_that_expired_is_remembered_as_such(world: World, run: Run) -> None:
    unpaid = an_unpaid_order("1", lines=(a_line("A", 9),))

    async def place(fleet: Fleet) -> None:
        await fleet.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=9)})
        await fleet.handle(a_planned_order(unpaid))
        now = 2 * 10**12
        await fleet.ledger.holds.expire(await fleet.ledger.holds.due("hangzhou", now, 9), now)
        await fleet.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=3)})
        await fleet.relay()
        await fleet.redis.flushall()

    world(place)
    rebuilt(run)

    async def pay(fleet: Fleet) -> None:
        assert (await fleet.ledger.orders.where_is(unpaid.uid)).state is OrderState.EXPIRED
        [backorder] = await fleet.again(a_planned_order(later(unpaid)), 1)
        assert backorder.after_expiry

    world(pay)


# -- what warehouses had answered ----------------------------------------------------------------------------------

MORE = a_planned_order(later(ORDER, lines=(a_line("A", 3),)), a_plan("hangzhou", "beijing"))


def changed_and_answered(world: World, run: Run, *answers: tuple[int, str]) -> list[FulfillmentInstruction]:
    """An order, a change of it, and what the warehouse says to the one (0) and the other (1); then all is rebuilt."""

    async def place(fleet: Fleet) -> list[FulfillmentInstruction]:
        for warehouse in WAREHOUSES:
            await fleet.ledger.stock.set_counts(warehouse, {sku: Count(on_hand=9) for sku in ("A", "B")})
        await fleet.handle(PLANNED, MORE)
        await fleet.acknowledge()
        told = of(fleet, FulfillmentInstruction)
        assert [one.kind for one in told] == ["fulfil", "change"]
        await fleet.dealt_with(*(a_wms_event(told[which], kind, reason="other") for which, kind in answers))
        await fleet.relay()
        await fleet.redis.flushall()
        return told

    told: list[FulfillmentInstruction] = world(place)
    rebuilt(run)
    return told


def says(world: World, *events: WmsEvent) -> list[Any]:
    async def answer(fleet: Fleet) -> list[Any]:
        said = list(await fleet.answered(*events))
        assert (await fleet.ledger.stock.audit()).is_clean
        return said

    done: list[Any] = world(answer)
    return done


def test_an_order_whose_change_was_refused_is_placed_anew_when_it_is_given_back(world: World, run: Run) -> None:
    told, _ = changed_and_answered(world, run, (1, "rejected"))
    [again] = says(world, a_wms_event(told, "short", reason="damaged", quantities={"A": 1}))
    assert isinstance(again, PlannedOrder)
    assert again.plan.gave_up == ("hangzhou",)


def test_what_a_change_has_overtaken_counts_when_the_change_is_refused(world: World, run: Run) -> None:
    _, change = changed_and_answered(world, run, (0, "rejected"))
    [again] = says(world, a_wms_event(change, "rejected", reason="other"))
    assert isinstance(again, PlannedOrder)
    assert again.plan.gave_up == ("hangzhou",)


def test_what_a_change_has_overtaken_is_void_when_the_warehouse_followed_it(world: World, run: Run) -> None:
    _, change = changed_and_answered(world, run, (0, "rejected"), (1, "accepted"))
    [review] = says(world, a_wms_event(change, "rejected", reason="other"))
    assert isinstance(review, ReviewOrder)
    assert review.planned.plan.hold_codes == ("wms-change-refused",)


def test_an_answer_that_is_not_dealt_with_comes_again_by_itself(world: World, run: Run, log_broker: Broker) -> None:
    async def place(fleet: Fleet) -> FulfillmentInstruction:
        await fleet.ledger.stock.set_counts("hangzhou", {sku: Count(on_hand=9) for sku in ("A", "B")})
        await fleet.handle(PLANNED, MORE)
        await fleet.acknowledge()
        told, change = of(fleet, FulfillmentInstruction)
        assert isinstance(change, FulfillmentInstruction)
        await fleet.publish([a_wms_event(told, "rejected", reason="other"), a_wms_event(change, "rejected")])
        await fleet.relay()
        await fleet.redis.flushall()
        return change

    change = world(place)
    rebuilt(run)

    [review] = says(world, a_wms_event(change, "rejected", reason="other"))
    assert isinstance(review, ReviewOrder)


def test_an_order_that_a_person_must_see_to_is_at_no_warehouse(world: World, run: Run) -> None:
    """The warehouse gave it back for its address; corrected it is told to ship it, not of a change."""

    async def place(fleet: Fleet) -> None:
        await fleet.ledger.stock.set_counts("hangzhou", {sku: Count(on_hand=9) for sku in ("A", "B")})
        await fleet.handle(PLANNED)
        await fleet.acknowledge()
        [told] = of(fleet, FulfillmentInstruction)
        again, _ = await fleet.dealt_with(a_wms_event(told, "rejected", reason="address"))
        await fleet.handle(again)
        await fleet.relay()
        await fleet.redis.flushall()

    world(place)
    rebuilt(run)

    async def corrected(fleet: Fleet) -> None:
        assert instructions(await fleet.again(MORE, 2)) == [("fulfil", "hangzhou")]
        assert (await fleet.ledger.stock.audit()).is_clean

    world(corrected)


def test_what_was_given_back_while_the_next_revision_was_at_work_is_told_anew(world: World, run: Run) -> None:
    """The fulfill stage said nothing: whoever was at work on the order had to know. It died, and so did Redis."""

    async def give_back(fleet: Fleet) -> None:
        for warehouse in WAREHOUSES:
            await fleet.ledger.stock.set_counts(warehouse, {sku: Count(on_hand=9) for sku in ("A", "B")})
        await fleet.handle(PLANNED)
        await fleet.acknowledge()
        [told] = of(fleet, FulfillmentInstruction)
        await fleet.publish([MORE])
        await fleet.ledger.orders.claim([(MORE.order.uid, MORE.order.revision, ["hangzhou", "beijing"])])
        assert await fleet.dealt_with(a_wms_event(told, "rejected", reason="other")) == []
        await fleet.relay()
        await fleet.redis.flushall()

    world(give_back)
    assert not rebuilt(run)["lost_orders"]

    async def go_on(fleet: Fleet) -> None:
        assert instructions(await fleet.again(MORE, 1)) == [("fulfil", "hangzhou")]
        assert (await fleet.ledger.stock.audit()).is_clean

    world(go_on)


def test_what_is_left_of_an_order_that_shipped_in_part_waits_for_a_person_as_before(world: World, run: Run) -> None:
    async def ship_in_part(fleet: Fleet) -> dict[str, dict[str, str]]:
        await fleet.ledger.stock.set_counts("hangzhou", {sku: Count(on_hand=9) for sku in ("A", "B")})
        await fleet.handle(PLANNED)
        await fleet.acknowledge()
        [told] = of(fleet, FulfillmentInstruction)
        again, _ = await fleet.dealt_with(
            a_wms_event(told, "shipped", "m1", quantities={"A": 1}),
            a_wms_event(told, "short", "m2", reason="damaged"),
        )
        await fleet.handle(again)
        await fleet.handle(MORE)
        [review] = of(fleet, ReviewOrder)
        assert review.missing
        await fleet.relay()
        _, pointers = await state(fleet)
        await fleet.redis.flushall()
        return pointers

    before = world(ship_in_part)
    assert not rebuilt(run)["lost_orders"]

    async def look(fleet: Fleet) -> None:
        _, pointers = await state(fleet)
        assert all(same_pointer(before[key], pointers[key]) for key in before)
        assert await fleet.again(MORE, 2) == of(fleet, ReviewOrder)
        [review] = await fleet.again(changed(MORE, order=changed(MORE.order, revision="r3")), 3)
        assert isinstance(review, ReviewOrder)

    world(look)


# -- lost changes --------------------------------------------------------------------------------------------------


def lose_last_change(world: World) -> None:
    """An order was placed and told; its inventory event was still in the outbox when Redis lost everything."""

    async def place(fleet: Fleet) -> None:
        await fleet.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=9), "B": Count(on_hand=9)})
        await fleet.relay()
        await fleet.handle(PLANNED)
        await fleet.acknowledge()
        await fleet.redis.flushall()

    world(place)


def test_orders_whose_change_was_lost_are_named(world: World, run: Run) -> None:
    lose_last_change(world)

    told = rebuilt(run)

    assert [(each["order_uid"], each["revision"]) for each in told["lost_orders"]] == [(ORDER.uid, ORDER.revision)]


def test_a_lost_order_takes_its_stock_again_and_is_not_told_twice(
    world: World, run: Run, log_broker: Broker, redis_url: str
) -> None:
    lose_last_change(world)

    rebuilt(run, "--requeue")

    reader = TopicReader(log_broker.address, [ORDERS_PLANNED.name], partitions=1)
    last = reader.until(lambda found: len(found) == 2)[-1]
    reader.close()
    planned = decode(PlannedOrder, last.value() or b"")
    assert planned.order.revision == retry_of(ORDER.revision)

    async def again(fleet: Fleet) -> None:
        assert await fleet.again(planned, 1) == []
        [level] = await units(fleet)
        assert level.committed == 2
        assert (await fleet.ledger.stock.audit()).is_clean

    world(again)
    with Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.hget(order_key(ORDER.uid), "phase") == "settled"
        assert client.smembers(WAREHOUSES_KEY) == {"hangzhou"}
        assert client.get(sequence_key("hangzhou")) == "2"


def test_orders_that_need_no_stock_are_not_lost(world: World, run: Run) -> None:
    empty = an_order("1", lines=())

    async def place(fleet: Fleet) -> None:
        await fleet.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=9)})
        await fleet.handle(a_planned_order(empty), a_planned_order(an_order("2", lines=(a_line("A", 99),))))
        await fleet.relay()
        await fleet.redis.flushall()

    world(place)

    assert rebuilt(run)["lost_orders"] == []

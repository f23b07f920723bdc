"""Open orders read again by id: what changed in silence is news, what was deleted is cancelled, trouble is neither."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis

from channel_adapters.contract import ChannelError
from channel_adapters.shop import ShopSettings
from ops.testbed.simulators.catalogue import load_catalogue
from ops.testbed.simulators.generator import Generator
from ops.testbed.simulators.sale import Sale, Stage
from ops.testbed.simulators.server import Simulator, listening
from ops.testbed.simulators.shops import simulated_shop
from ops.testbed.simulators.stories import refund_first_line
from ops.testbed.simulators.world import World
from schemas.order import OrderStatus
from tests.workers.intake.fakes import FakeClock, FakeKafka
from tests.workers.intake.mall import ADAPTERS, MORNING, POLICY, Intake, Mall, case, header, normalized, paid_order
from workers.intake.cursor import Cursors
from workers.intake.lease import LeaseLost, Leases
from workers.intake.policy import PollPolicy
from workers.intake.poll import ShopPoller
from workers.intake.push import PushIntake
from workers.intake.unread import Unread
from workers.runtime.errors import TransientError

SECRET = "example-webhook-secret"


@pytest.fixture
def mall() -> Mall:
    return Mall()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=0.5) as client:
        yield client


@pytest.fixture
async def shop(mall: Mall) -> AsyncIterator[ShopSettings]:
    async with mall.listening() as url:
        yield ShopSettings(
            channel="woocommerce",
            shop_id="mall",
            base_url=url,
            app_key="ck_example",
            app_secret=SecretStr("cs_example"),
            webhook_secret=SecretStr(SECRET),
        )


@pytest.fixture
async def intake(redis: Redis, kafka: FakeKafka, shop: ShopSettings, http: httpx.AsyncClient) -> Intake:
    return Intake(redis, kafka, shop, http, FakeClock(MORNING))


# -- what is news --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["01", "02"])
async def test_a_change_under_an_unmoved_stamp_is_published_as_a_newer_edition(
    intake: Intake, mall: Mall, name: str
) -> None:
    before, after = case(name)
    mall.put(before)
    await intake.poll()
    mall.put(after)
    [record] = await intake.reread()
    first, second = map(normalized, intake.kafka.records)
    assert header(record, "edition") == b"1"
    assert header(record, "source") == b"reread"
    assert second.revision > first.revision
    assert intake.in_force(before["id"]).lines == second.lines
    assert await intake.reread() == []


async def test_an_order_that_goes_back_to_what_it_was_is_a_third_edition(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(paid)
    await intake.poll()
    for number, order in enumerate((refunded, paid, refunded, paid), start=1):
        mall.put(order)
        [record] = await intake.reread()
        assert header(record, "edition") == b"%d" % number
        assert intake.in_force(5001).holds == normalized(record).holds
    assert intake.in_force(5001).holds == ()


async def test_neither_an_unchanged_order_nor_what_is_not_kept_is_published(intake: Intake, mall: Mall) -> None:
    mall.put(paid_order(1), paid_order(2))
    await intake.poll()
    mall.put(paid_order(2, cart_hash="another", version="9.9", my_plugin={"views": 7}))
    assert await intake.reread() == []
    assert await intake.registered() == {"1", "2"}


async def test_an_order_that_has_ended_is_not_read_again_and_forgotten_in_time(intake: Intake, mall: Mall) -> None:
    mall.put(paid_order(1, status="completed"), paid_order(2))
    await intake.poll()
    due = await intake.register.due(intake.key, intake.clock().timestamp() + 3600, 10)
    assert [order.order_id for order in due.orders] == ["2"]
    mall.put(paid_order(1))
    assert await intake.reread() == []
    await intake.reread(8 * 86_400)
    assert await intake.registered() == {"2"}


async def test_what_polling_reads_again_keeps_its_edition(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(paid)
    await intake.poll()
    mall.put(refunded)
    await intake.reread()
    await Cursors(intake.redis).rewind(intake.key, MORNING.replace(hour=7))
    [again] = await intake.poll()
    assert header(again, "edition") == b"1"
    assert intake.in_force(5001).holds == normalized(again).holds


# -- deletion and trash --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trash", [True, False])
async def test_04_a_deleted_or_trashed_order_is_cancelled_by_reading(intake: Intake, mall: Mall, trash: bool) -> None:
    first = case("04")["first"]
    mall.put(first, paid_order(1))
    await intake.poll()
    if trash:
        mall.trash.add("5004")
    else:
        del mall.orders["5004"]
    [record] = await intake.reread()
    assert header(record, "event") == b"deleted"
    assert intake.in_force(5004).status is OrderStatus.CANCELLED
    assert intake.in_force(1).status is OrderStatus.TO_SHIP
    assert mall.asked == ["5004"]
    assert await intake.reread() == []


async def pushed(intake: Intake, body: bytes, topic: str) -> None:
    signature = b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    headers = {"x-wc-webhook-signature": signature, "x-wc-webhook-topic": topic}
    adapter = ADAPTERS["woocommerce"]
    adapter.verify(headers, body, intake.shop)
    receiver = PushIntake(
        producer=intake.kafka,
        leases=Leases(intake.redis),
        register=intake.register,
        rereads=[intake.shop],
        now=intake.clock,
    )
    await receiver.take_in(intake.key, adapter, headers, body)


async def test_04_a_signed_deletion_cancels_at_once(intake: Intake, mall: Mall) -> None:
    mall.put(case("04")["first"])
    await intake.poll()
    mall.orders.clear()
    await pushed(intake, json.dumps(case("04")["webhook_order_deleted"]).encode(), "order.deleted")
    assert header(intake.kafka.records[-1], "event") == b"deleted"
    assert intake.in_force(5004).status is OrderStatus.CANCELLED
    assert await intake.reread() == []


async def test_a_late_push_of_an_older_state_has_the_order_read_again(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(refunded)
    await intake.poll()
    await pushed(intake, json.dumps(paid).encode(), "order.updated")
    [record] = await intake.reread(0)
    assert header(record, "edition") == b"1"
    assert intake.in_force(5001).holds == normalized(record).holds != ()


async def test_a_reading_that_a_push_overtook_is_made_again(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(paid)
    await intake.poll()

    async def refund_while_it_is_read() -> None:
        mall.before_answer = None
        mall.put(refunded)
        await pushed(intake, json.dumps(refunded).encode(), "order.updated")

    mall.before_answer = refund_while_it_is_read
    mall.put(paid | {"customer_note": "changed too"})
    records = await intake.reread()
    assert [header(each, "source") for each in records] == [b"webhook"]
    await intake.reread(61)
    assert intake.in_force(5001).holds != ()


# -- what is no deletion -------------------------------------------------------------------------------------------


async def test_an_order_that_only_the_list_leaves_out_stays(intake: Intake, mall: Mall) -> None:
    mall.put(paid_order(1), paid_order(2))
    await intake.poll()
    mall.unlisted.add("1")
    assert await intake.reread() == []
    assert mall.asked == ["1"]
    assert await intake.registered() == {"1", "2"}


async def test_what_only_the_list_leaves_out_is_read_by_itself(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(paid)
    await intake.poll()
    mall.put(refunded)
    mall.unlisted.add("5001")
    [record] = await intake.reread()
    assert header(record, "edition") == b"1"


@pytest.mark.parametrize(("orders", "gone"), [(3, 3), (30, 11)])
async def test_many_missing_orders_are_trouble_of_the_shop(
    intake: Intake, mall: Mall, orders: int, gone: int, caplog: pytest.LogCaptureFixture
) -> None:
    mall.put(*map(paid_order, range(1, orders + 1)))
    await intake.poll()
    for number in range(1, gone + 1):
        del mall.orders[str(number)]
    assert await intake.reread() == []
    assert "OrdersMissingAtShop" in caplog.text
    assert len(await intake.registered()) == orders
    mall.put(*map(paid_order, range(1, gone + 1)))
    assert await intake.reread(3600) == []
    assert all(intake.in_force(number).status is OrderStatus.TO_SHIP for number in range(1, orders + 1))


async def test_an_operator_who_allows_it_has_all_of_them_cancelled(intake: Intake, mall: Mall) -> None:
    """As the runbook says: four times their number, in whatever hour it was tried before."""
    mall.put(*map(paid_order, range(1, 4)))
    await intake.poll()
    mall.orders.clear()
    assert await intake.reread() == []
    intake = remade(intake, replace(POLICY, most_missing=12))
    assert len(await intake.reread()) == 3


async def test_a_few_missing_orders_of_many_are_deleted(intake: Intake, mall: Mall) -> None:
    mall.put(*map(paid_order, range(1, 6)))
    await intake.poll()
    del mall.orders["2"], mall.orders["4"]
    records = await intake.reread()
    assert {record.key for record in records} == {b"woocommerce:mall:2", b"woocommerce:mall:4"}


async def test_deletions_one_by_one_are_braked_when_they_are_too_many_in_an_hour(intake: Intake, mall: Mall) -> None:
    intake = remade(intake, replace(POLICY, most_missing=2, every_seconds=60))
    mall.put(*map(paid_order, range(1, 20)))
    await intake.poll()
    published = 0
    for number in range(1, 5):
        del mall.orders[str(number)]
        published += len(await intake.reread(61))
    assert published == 2


def remade(intake: Intake, policy: Any) -> Intake:
    return Intake(intake.redis, intake.kafka, intake.shop, intake.http, intake.clock, policy)


def nothing_found(request: web.Request) -> web.Response | None:
    return web.json_response([]) if request.path.endswith("/orders") else web.Response(status=503)


def page_of_a_host(request: web.Request) -> web.Response | None:
    if request.path.endswith("/orders"):
        return web.json_response([])
    return web.Response(status=404, text="<html>404 Not Found</html>", content_type="text/html")


def no_rest_api(request: web.Request) -> web.Response | None:
    if request.path.endswith("/orders"):
        return web.json_response([])
    body = {"code": "rest_no_route", "message": "No route was found.", "data": {"status": 404}}
    return web.json_response(body, status=404)


def down(_request: web.Request) -> web.Response | None:
    return web.Response(status=500)


def no_list(_request: web.Request) -> web.Response | None:
    return web.json_response({"orders": []})


@pytest.mark.parametrize("instead", [nothing_found, page_of_a_host, no_rest_api, down, no_list])
async def test_trouble_cancels_nothing_and_what_is_due_stays_due(intake: Intake, mall: Mall, instead: Any) -> None:
    first, second = case("01")
    mall.put(first)
    await intake.poll()
    mall.put(second)
    mall.instead = instead
    with pytest.raises(ChannelError):
        await intake.reread()
    assert len(intake.kafka.records) == 1
    mall.instead = lambda _request: None
    [record] = await intake.reread(0)
    assert header(record, "edition") == b"1"


async def test_a_shop_that_does_not_answer_in_time_cancels_nothing(intake: Intake, mall: Mall) -> None:
    mall.put(paid_order(1))
    await intake.poll()
    released = asyncio.Event()
    mall.before_answer = released.wait
    try:
        with pytest.raises(ChannelError):
            await intake.reread()
    finally:
        released.set()
    assert len(intake.kafka.records) == 1
    assert await intake.registered() == {"1"}


# -- whose turn it is, and what a kill leaves ----------------------------------------------------------------------


async def test_who_lost_the_lease_while_reading_publishes_nothing(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(paid)
    await intake.poll()
    mall.put(refunded)
    mall.before_answer = intake.lease
    with pytest.raises(LeaseLost):
        await intake.reread()
    assert len(intake.kafka.records) == 1
    mall.before_answer = None
    assert len(await intake.reread(0)) == 1


async def test_who_lost_the_lease_deletes_nothing(intake: Intake, mall: Mall) -> None:
    mall.put(paid_order(1), paid_order(2))
    await intake.poll()
    del mall.orders["1"]
    lease = await intake.lease()
    mall.before_answer = intake.lease
    intake.clock.move(1801)
    with pytest.raises(LeaseLost):
        await intake.rereader.turn(lease)
    assert len(intake.kafka.records) == 2


class Killed(Exception):
    """In the place of kill -9: nothing after it is done."""


async def killed_before_the_register_knew(intake: Intake) -> None:
    def die() -> None:
        intake.kafka.before_confirm = None
        raise Killed

    intake.kafka.before_confirm = die
    with pytest.raises(Killed):
        await intake.reread()


async def test_what_was_published_before_a_kill_is_repeated_as_it_was(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(paid)
    await intake.poll()
    mall.put(refunded)
    await killed_before_the_register_knew(intake)
    [again] = await intake.reread(0)
    first = intake.kafka.records[1]
    assert (again.value, header(again, "edition")) == (first.value, b"1")
    assert header(again, "dedupe-key") == header(first, "dedupe-key")
    assert await intake.reread() == []


async def test_what_changed_after_a_kill_is_a_greater_edition(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(paid)
    await intake.poll()
    mall.put(refunded)
    await killed_before_the_register_knew(intake)
    mall.put(paid)
    [record] = await intake.reread(0)
    assert header(record, "edition") == b"2"
    assert intake.in_force(5001).holds == ()


async def test_a_deletion_is_repeated_after_a_kill(intake: Intake, mall: Mall) -> None:
    mall.put(paid_order(1))
    await intake.poll()
    mall.orders.clear()
    await killed_before_the_register_knew(intake)
    [again] = await intake.reread(0)
    assert header(again, "dedupe-key") == header(intake.kafka.records[1], "dedupe-key")
    assert await intake.reread() == []


async def test_what_kafka_did_not_take_is_read_again(intake: Intake, mall: Mall) -> None:
    paid, refunded = case("01")
    mall.put(paid)
    await intake.poll()
    mall.put(refunded)
    intake.kafka.away = True
    with pytest.raises(TransientError):
        await intake.reread()
    intake.kafka.away = False
    assert len(await intake.reread(0)) == 1


async def test_the_poller_reads_again_between_its_rounds(intake: Intake, mall: Mall) -> None:
    mall.put(paid_order(1, date_modified_gmt="2020-01-01T00:00:00"))
    await intake.register.ask(intake.key, intake.clock().timestamp(), ["1"])
    poller = ShopPoller(
        intake.shop,
        intake.client,
        producer=intake.kafka,
        leases=Leases(intake.redis),
        cursors=Cursors(intake.redis),
        unread=Unread(intake.redis),
        policy=PollPolicy(),
        adapter=ADAPTERS["woocommerce"],
        register=intake.register,
        now=intake.clock,
    )
    task = asyncio.create_task(poller.run())
    try:
        async with asyncio.timeout(10):
            while not intake.kafka.records:  # noqa: ASYNC110  # what is awaited has no event of its own
                await asyncio.sleep(0.005)
    finally:
        task.cancel()
        await asyncio.wait([task])
    [record] = intake.kafka.records
    assert (record.key, header(record, "source")) == (b"woocommerce:mall:1", b"reread")


# -- both platforms as they are simulated --------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["woocommerce", "shopify"])
async def test_a_simulated_shop_is_read_again(
    redis: Redis, kafka: FakeKafka, http: httpx.AsyncClient, channel: str
) -> None:
    world = World(Generator(11, load_catalogue()), 150, rate=500.0)
    ended = world.settle(MORNING.timestamp())
    clock = FakeClock(MORNING)
    clock.move(ended - MORNING.timestamp() + 30)
    async with listening(Simulator(world, lambda: clock().timestamp())) as port:
        intake = Intake(redis, kafka, simulated_shop(channel, f"http://127.0.0.1:{port}"), http, clock)
        await intake.poll()
        assert await intake.reread() == []
        store = world.stores[channel]
        paid = [sale for sale in world.sales if sale.channel == channel and _may_change(sale)]
        refunded, edited, deleted = paid[:3]
        refund_first_line(refunded, refunded.modified_at)
        edited.items[0].quantity -= 1
        for sale in (refunded, edited):
            store.amend(sale)
        store.delete(deleted.order_id)
        records = {record.key.decode().rpartition(":")[2]: record for record in await intake.reread()}
        assert records.keys() == {sale.order_id for sale in (refunded, edited, deleted)}
        assert header(records[refunded.order_id], "edition") == header(records[edited.order_id], "edition") == b"1"
        assert intake.in_force(edited.order_id).lines[0].quantity == edited.items[0].quantity
        assert intake.in_force(deleted.order_id).status is OrderStatus.CANCELLED
        assert await intake.reread() == []


def _may_change(sale: Sale) -> bool:
    return sale.stage is Stage.PAID and not sale.oddity and sale.items[0].quantity > 1 and not sale.refunded_at

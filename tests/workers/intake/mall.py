"""A small self-built mall over a real socket, and intake in front of it as it is read again by id."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web
from redis.asyncio import Redis

from channel_adapters.contract import ReadsById
from channel_adapters.registry import CHANNELS
from channel_adapters.shop import ShopSettings
from schemas.order import Order
from schemas.revision import Newest
from tests.workers.intake.fakes import FakeClock, FakeKafka
from workers.intake.cursor import Cursors
from workers.intake.lease import Lease, Leases
from workers.intake.policy import PollPolicy
from workers.intake.reader import ShopReader
from workers.intake.register import OpenOrders, RereadPolicy, ShopRegister
from workers.intake.reread import Rereader
from workers.intake.store import ShopKey
from workers.intake.unread import Unread
from workers.normalize.decide import decide as normalize
from workers.runtime.kafka.records import Record
from workers.runtime.stage import Delivery

CASES = Path(__file__).parents[2] / "cases"
ADAPTERS = {name: channel.adapter for name, channel in CHANNELS.items()}
MORNING = datetime(2026, 10, 1, 8, 30, tzinfo=UTC)
NO_SUCH_ORDER = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
POLICY = RereadPolicy(pause_seconds=0.0)


def case(name: str) -> Any:
    """One of tests/cases."""
    [path] = CASES.glob(f"{name}*.json")
    return json.loads(path.read_text(encoding="utf-8"))


def paid_order(number: int, **changes: Any) -> dict[str, Any]:
    """Case 01's first order under another number."""
    order: dict[str, Any] = case("01")[0]
    return order | {"id": number, "number": str(number)} | changes


class Mall:
    """A WooCommerce mall of whole order objects, with the ways in which malls leave orders out."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.trash: set[str] = set()
        self.unlisted: set[str] = set()  # a plugin keeps them out of every list
        self.instead: Callable[[web.Request], web.Response | None] = lambda _request: None
        self.before_answer: Callable[[], Any] | None = None
        self.asked: list[str] = []

    def put(self, *orders: dict[str, Any]) -> None:
        for order in orders:
            self.orders[str(order["id"])] = order

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/wp-json/wc/v3/orders", self._list)
        app.router.add_get("/wp-json/wc/v3/orders/{number}", self._one)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _list(self, request: web.Request) -> web.Response:
        if (instead := self.instead(request)) is not None:
            return instead
        listed = [order for number, order in self.orders.items() if number not in self.trash | self.unlisted]
        if "include" in request.query:
            wanted = request.query["include"].split(",")
            listed = [order for order in listed if str(order["id"]) in wanted]
        else:
            after, before = request.query["modified_after"], request.query["modified_before"]
            listed = [order for order in listed if after < order["date_modified_gmt"] < before]
        answer = json.dumps(listed)
        if self.before_answer is not None:
            await self.before_answer()
        return web.Response(text=answer, content_type="application/json")

    async def _one(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        self.asked.append(number)
        if (instead := self.instead(request)) is not None:
            return instead
        if number not in self.orders:
            return web.json_response(NO_SUCH_ORDER, status=404)
        status = {"status": "trash"} if number in self.trash else {}
        return web.json_response(self.orders[number] | status)


class Intake:
    """The parts that read one shop, driven by hand: `poll` by modify time, `reread` by id."""

    def __init__(
        self, redis: Redis, kafka: FakeKafka, shop: ShopSettings, http: httpx.AsyncClient, clock: FakeClock,
        policy: RereadPolicy = POLICY,
    ) -> None:  # fmt: skip
        self.redis, self.kafka, self.shop, self.http, self.clock = redis, kafka, shop, http, clock
        self.key = ShopKey.of(shop)
        adapter = ADAPTERS[shop.channel]
        client = CHANNELS[shop.channel].make_client(shop, http, clock)
        assert isinstance(client, ReadsById)
        self.client = client
        self.register = OpenOrders(redis, policy)
        self.reader = ShopReader(
            shop,
            client,
            producer=kafka,
            cursors=Cursors(redis),
            unread=Unread(redis),
            policy=PollPolicy(),
            register=ShopRegister(shop, adapter, self.register, clock),
            now=clock,
        )
        self.rereader = Rereader(shop, client, adapter, producer=kafka, register=self.register, now=clock)

    async def lease(self) -> Lease:
        """One that takes the shop from whoever has it."""
        await self.redis.delete(self.key.redis_key("lease"))
        lease = await Leases(self.redis).acquire(self.key)
        assert lease is not None
        return lease

    async def poll(self) -> list[Record]:
        """One round; what it published."""
        before = len(self.kafka.records)
        await self.reader.read_round(await self.lease())
        return self.kafka.records[before:]

    async def reread(self, seconds: float = 1801) -> list[Record]:
        """All that is due when so many seconds have passed; what was published."""
        before = len(self.kafka.records)
        self.clock.move(seconds)
        lease = await self.lease()
        async with asyncio.timeout(30):
            while (await self.rereader.turn(lease)).more:
                pass
        return self.kafka.records[before:]

    async def registered(self) -> set[str]:
        """The ids in the register."""
        members: list[bytes] = await self.redis.zrange(self.key.redis_key("open-due"), 0, -1)  # type: ignore[assignment]
        return {member.decode() for member in members}

    def in_force(self, number: int | str) -> Order:
        """What the fleet goes by after all that was published about an order."""
        key = f"{self.key.channel}:{self.key.shop_id}:{number}".encode()
        newest, order = Newest(), None
        for each in map(normalized, (record for record in self.kafka.records if record.key == key)):
            if (after := newest.after(each.revision)).revision != newest.revision:
                order = each
            newest = after
        assert order is not None
        return order


def normalized(record: Record) -> Order:
    """The record as the normalizing worker reads it."""
    return normalize(Delivery(record.value, record.key, list(record.headers), record.topic), ADAPTERS)


def header(record: Record, name: str) -> bytes | None:
    """One of its headers."""
    return dict(record.headers).get(name)

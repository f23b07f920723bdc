"""Takes in what platforms push: `POST /webhooks/<channel>/<shop>`, signed, answered after Kafka has it.

    200  confirmed, seen before, or a hint (then the shop is polled soon)
    401  the signature is missing or wrong
    404  no such shop, or none that has a secret to check pushes with
    408  the body did not arrive in time
    413  the body is too large
    503  Kafka is away: the platform sends it again, and the poller finds the order in any case

A push that cannot be read is kept whole as a dead letter and answered 200: to send the same bytes again would not
help, and some platforms switch a webhook off after a few refusals. A push that is sent again does no harm, whoever
sends it: the same order state is one state, however often it comes. The replay window only saves the work.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final

from aiohttp import web
from redis.asyncio import Redis

from channel_adapters.contract import (
    ChannelAdapter,
    ChannelError,
    ForgedRequest,
    OrderHint,
    RawOrder,
    UnreadablePayload,
)
from channel_adapters.reading import MAX_PAYLOAD_BYTES
from channel_adapters.shop import ShopSettings
from schemas.record import record
from schemas.text import Text
from workers.intake.lease import Leases
from workers.intake.raw import STAGE, Arrival, Sender, raw_record, unreadable_letter
from workers.intake.reader import utc_now
from workers.intake.store import ShopKey, asked
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.records import Record

logger = logging.getLogger(__name__)

_NOBODY: Final = ShopKey("unknown", "unknown")
_DELIVERY_IDS: Final = ("x-shopify-webhook-id", "x-wc-webhook-delivery-id")
_COMPLAINT_SECONDS: Final = 60.0
_REDIS_SECONDS: Final = 1.0  # platforms wait five seconds for the answer

# WooCommerce sends this form, without a signature, when a webhook is saved, and wants a 200. It tells us nothing.
_PING = re.compile(rb"\s*webhook_id=\d{1,20}\s*")


@record
class WebhookPolicy:
    """What an operator may set about pushes. Sizes in bytes, times in seconds."""

    most_bytes: int = MAX_PAYLOAD_BYTES
    read_seconds: float = 10.0
    replay_seconds: int = 86_400
    large_bytes: int = 256 << 10
    """Bodies above this are taken in a few at a time, so that memory stays bounded whoever calls."""

    large_at_once: int = 8


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A shop whose platform pushes, and the format it pushes in."""

    shop: ShopSettings
    adapter: ChannelAdapter

    @property
    def secret(self) -> str:
        """What pushes are signed with: the webhook's own secret, else the app's. "" = pushes cannot be checked."""
        return self.shop.push_secret


class Answer(Exception):
    """Ends the handling of a push with this status and these words."""

    def __init__(self, status: int, text: Text) -> None:
        super().__init__(text.en)
        self.status = status
        self.text = text


class ReplayWindow:
    """Remembers the pushes that were confirmed lately. Without Redis it remembers nothing, and nothing is refused.

    A push is known by its delivery id and its whole body: the id stands in a header, which no platform signs, so by
    itself it could be used to have another push taken for a repeat.
    """

    def __init__(self, redis: Redis, seconds: int) -> None:
        self._redis = redis
        self._seconds = seconds

    async def has(self, shop: ShopKey, delivery: str, body: bytes) -> bool:
        """Whether this push was confirmed before."""
        with suppress(TransientError, TimeoutError):
            async with asyncio.timeout(_REDIS_SECONDS):
                return bool(await asked(self._redis.exists(_replay_key(shop, delivery, body))))
        return False

    async def add(self, shop: ShopKey, delivery: str, body: bytes) -> None:
        """Remember a confirmed push."""
        with suppress(TransientError, TimeoutError):
            async with asyncio.timeout(_REDIS_SECONDS):
                await asked(self._redis.set(_replay_key(shop, delivery, body), b"1", ex=self._seconds))


class Webhooks:
    """The receiver of all shops of a process."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        *,
        producer: Sender,
        redis: Redis,
        leases: Leases,
        policy: WebhookPolicy | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._endpoints = {ShopKey.of(each.shop): each for each in endpoints if each.secret}
        self._producer = producer
        self._leases = leases
        self._policy = policy or WebhookPolicy()
        self._replays = ReplayWindow(redis, self._policy.replay_seconds)
        self._now = now
        self._large = asyncio.Semaphore(self._policy.large_at_once)
        self._complained: dict[ShopKey, float] = {}

    def app(self) -> web.Application:
        """The HTTP application."""
        app = web.Application(client_max_size=self._policy.most_bytes)
        app.router.add_post("/webhooks/{channel}/{shop}", self.receive)
        return app

    async def receive(self, request: web.Request) -> web.Response:
        """One push."""
        shop = ShopKey(request.match_info["channel"], request.match_info["shop"])
        try:
            await self._take_in(shop, request)
        except Answer as answer:
            return self._answer(shop, answer.status, f"{answer.text.en} | {answer.text.zh}")
        return self._answer(shop, 200, "success")

    def _answer(self, shop: ShopKey, status: int, message: str) -> web.Response:
        """`{"code":0,"msg":"success"}` is the reply that Douyin demands; the others look at the status alone."""
        label = shop if shop in self._endpoints else _NOBODY
        metrics.INTAKE_WEBHOOKS.labels(*label, str(status)).inc()
        return web.json_response({"code": 0 if status == 200 else status, "msg": message}, status=status)

    async def _take_in(self, shop: ShopKey, request: web.Request) -> None:
        endpoint = self._endpoints.get(shop)
        if endpoint is None:
            raise Answer(404, Text("no such shop takes pushes here", "此处没有接收推送的该店铺"))
        async with self._room_for(request):
            body = await self._body(request)
            if not _PING.fullmatch(body):
                await self._take_in_body(shop, endpoint, request, body)

    def _room_for(self, request: web.Request) -> AbstractAsyncContextManager[object]:
        length = request.content_length
        small = length is not None and length <= self._policy.large_bytes
        return nullcontext() if small else self._large

    async def _body(self, request: web.Request) -> bytes:
        too_large = Answer(413, Text("the body is too large", "请求体过大"))
        if (request.content_length or 0) > self._policy.most_bytes:
            raise too_large
        try:
            async with asyncio.timeout(self._policy.read_seconds):
                return await request.read()
        except TimeoutError:
            raise Answer(408, Text("the body did not arrive in time", "请求体接收超时")) from None
        except web.HTTPRequestEntityTooLarge:
            raise too_large from None

    async def _take_in_body(self, shop: ShopKey, endpoint: Endpoint, request: web.Request, body: bytes) -> None:
        headers = {name.lower(): _utf8(value) for name, value in request.headers.items()}
        headers[":path"] = request.raw_path
        try:
            endpoint.adapter.verify(headers, body, endpoint.shop)
        except ForgedRequest as error:
            self._complain(shop, error.text)
            raise Answer(401, error.text) from None
        delivery = next((headers[name] for name in _DELIVERY_IDS if name in headers), "")
        if await self._replays.has(shop, delivery, body):
            return
        await self._publish(shop, endpoint.adapter, body)
        await self._replays.add(shop, delivery, body)

    def _complain(self, shop: ShopKey, text: Text) -> None:
        """One line a minute and shop: whoever forges pushes must not be able to fill the logs."""
        if time.monotonic() - self._complained.get(shop, -_COMPLAINT_SECONDS) >= _COMPLAINT_SECONDS:
            self._complained[shop] = time.monotonic()
            logger.warning("%s: push refused: %s | 推送被拒绝：%s", shop, text.en, text.zh)

    async def _publish(self, shop: ShopKey, adapter: ChannelAdapter, body: bytes) -> None:
        arrival = Arrival(shop=shop, source="webhook", at=self._now())
        try:
            orders = adapter.open_envelope(body)
        except OrderHint:
            await self._ask_for_a_poll(shop)
            return
        except UnreadablePayload as error:
            await self._keep_unreadable(arrival, body, error)
            await self._ask_for_a_poll(shop)
            return
        except ChannelError as error:
            await self._keep_unreadable(arrival, body, UnreadablePayload("platform-error", "", error.text))
            return
        await self._publish_orders(arrival, orders)

    async def _publish_orders(self, arrival: Arrival, orders: Iterable[RawOrder]) -> None:
        records = [raw_record(arrival, order) for order in orders]
        await self._send(records)
        metrics.INTAKE_ORDERS.labels(*arrival.shop, "webhook").inc(len(records))

    async def _keep_unreadable(self, arrival: Arrival, body: bytes, error: UnreadablePayload) -> None:
        await self._send([unreadable_letter(arrival, body, error)])
        metrics.DEAD_LETTERS.labels(STAGE, error.code).inc()
        logger.warning(
            "%s: a push cannot be read, kept as a dead letter: %s %s | 推送无法解析，已存入死信：%s",
            arrival.shop, error.where, error.text.en, error.text.zh,
        )  # fmt: skip

    async def _ask_for_a_poll(self, shop: ShopKey) -> None:
        """Without Redis nobody can be asked; the next poll finds the order all the same."""
        with suppress(TransientError, TimeoutError):
            async with asyncio.timeout(_REDIS_SECONDS):
                await self._leases.hint(shop)

    async def _send(self, records: list[Record]) -> None:
        try:
            await self._producer.send(records)
        except TransientError as error:
            logger.warning("a push is not taken: %s", error)
            raise Answer(503, Text("cannot store it now; send it again", "暂时无法保存，请稍后重发")) from None


def _utf8(header: str) -> str:
    """Bytes that are no UTF-8 come as half surrogates, which cannot be encoded again to be compared."""
    return header.encode("utf-8", "replace").decode()


def _replay_key(shop: ShopKey, delivery: str, body: bytes) -> str:
    digest = blake2b(body, key=blake2b(delivery.encode()).digest(), digest_size=16)
    return f"{shop.redis_key('push')}:{digest.hexdigest()}"


async def serve(webhooks: Webhooks, *, host: str = "127.0.0.1", port: int) -> web.AppRunner:
    """Listen; `runner.cleanup()` ends it and lets pushes under way finish. Raises OSError when the port is taken.

    On loopback unless told otherwise: TLS and the open internet belong to a reverse proxy in front.
    """
    runner = web.AppRunner(webhooks.app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner

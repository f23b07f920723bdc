"""Takes in what platforms push: `POST /webhooks/<channel>/<shop>`, signed, answered after Kafka has it.

    200  confirmed, seen before, or a hint (then the order is read soon)
    401  the signature is missing or wrong
    404  no such shop, or none that has a secret to check pushes with
    408  the body did not arrive in time
    413  the body is too large
    415  the body is compressed: no platform does that, and a small one may become a large one
    503  Kafka is away, or there is no room: the platform sends it again, and polling finds the order in any case

What the headers alone show to be forged is refused before its body is read. A push that is sent again does no harm,
whoever sends it: the same order state is one state, however often it comes. The replay window only saves the work.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, ParamSpec

from aiohttp import web
from redis.asyncio import Redis

from channel_adapters.contract import ChannelAdapter, ForgedRequest, Headers
from channel_adapters.reading import MAX_PAYLOAD_BYTES
from channel_adapters.shop import ShopSettings
from schemas.text import Text
from workers.intake.body import BodyLimits, BodyReader, BodyRefused, BrokenOff
from workers.intake.connections import NO_ROOM, ConnectionLimits, Connections
from workers.intake.http_server import hang_up, listening
from workers.intake.poll import where_it_broke
from workers.intake.push import PushIntake
from workers.intake.store import ShopKey, asked
from workers.runtime import metrics
from workers.runtime.errors import TransientError

logger = logging.getLogger(__name__)

P = ParamSpec("P")

_NOBODY: Final = ShopKey("unknown", "unknown")
_DELIVERY_IDS: Final = ("x-shopify-webhook-id", "x-wc-webhook-delivery-id")
_COMPLAINT_SECONDS: Final = 60.0
_REDIS_SECONDS: Final = 1.0  # platforms wait five seconds for the answer
_NOBODY_READS: Final = 499  # for the metrics only: the caller is gone

# WooCommerce sends this form, without a signature, when a webhook is saved, and wants a 200. It tells us nothing.
_PING = re.compile(rb"\s*webhook_id=\d{1,20}\s*")
_PING_BYTES: Final = 64

_ENCODED: Final = Text(
    "the body has a Content-Encoding, and only plain ones are taken; see what stands between us and the platform",
    "请求体使用了 Content-Encoding，仅接收未压缩的内容；请检查平台与本服务之间的代理",
)
_REFUSALS: Final = {
    408: Text("the body did not arrive in time", "请求体接收超时"),
    413: Text("the body is too large", "请求体过大"),
    503: NO_ROOM,
}


@dataclass(frozen=True, slots=True)
class WebhookPolicy:
    """What an operator may set about pushes."""

    body: BodyLimits = field(default_factory=lambda: BodyLimits(most_bytes=MAX_PAYLOAD_BYTES))
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    replay_seconds: int = 86_400


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A shop whose platform pushes, and the format it pushes in."""

    shop: ShopSettings
    adapter: ChannelAdapter


class Answer(Exception):
    """Ends the handling of a push with this status and these words."""

    def __init__(self, status: int, text: Text) -> None:
        super().__init__(text.en)
        self.status = status
        self.text = text


class ReplayWindow:
    """Remembers the pushes that were confirmed lately. Without Redis it remembers nothing, and nothing is refused.

    A push is known by its delivery id and its whole body: the id stands in a header, which no platform signs, so by
    itself it could be used to have another push taken for a repeat. One without an id is always taken in: an order may
    be deleted twice, and both times the body is the same.
    """

    def __init__(self, redis: Redis, seconds: int) -> None:
        self._redis = redis
        self._seconds = seconds

    async def has(self, shop: ShopKey, delivery: str, body: bytes) -> bool:
        """Whether this push was confirmed before."""
        if not delivery:
            return False
        with suppress(TransientError, TimeoutError):
            async with asyncio.timeout(_REDIS_SECONDS):
                return bool(await asked(self._redis.exists(_replay_key(shop, delivery, body))))
        return False

    async def add(self, shop: ShopKey, delivery: str, body: bytes) -> None:
        """Remember a confirmed push."""
        if not delivery:
            return
        with suppress(TransientError, TimeoutError):
            async with asyncio.timeout(_REDIS_SECONDS):
                await asked(self._redis.set(_replay_key(shop, delivery, body), b"1", ex=self._seconds))


class Webhooks:
    """The receiver of all shops of a process."""

    def __init__(
        self, endpoints: Iterable[Endpoint], *, intake: PushIntake, redis: Redis, policy: WebhookPolicy | None = None
    ) -> None:
        self._endpoints = {ShopKey.of(each.shop): each for each in endpoints if each.shop.push_secret}
        self._intake = intake
        self._policy = policy or WebhookPolicy()
        self._replays = ReplayWindow(redis, self._policy.replay_seconds)
        self._bodies = BodyReader(self._policy.body)
        self._connections = Connections(self._policy.connections)
        self._complained: dict[ShopKey, float] = {}

    @asynccontextmanager
    async def listening(self, *, host: str = "127.0.0.1", port: int) -> AsyncIterator[int]:
        """Take pushes; gives the port. Leaving lets those under way finish. Raises OSError when the port is taken.

        On loopback unless told otherwise: TLS and the open internet belong to a reverse proxy in front.
        """
        app = web.Application(client_max_size=self._policy.body.most_bytes)
        app.router.add_post("/webhooks/{channel}/{shop}", self.receive)
        async with listening(app, self._connections, host=host, port=port) as bound:
            yield bound

    async def receive(self, request: web.Request) -> web.Response:
        """One push."""
        shop = ShopKey(request.match_info["channel"], request.match_info["shop"])
        self._connections.reading(request)
        try:
            status, text = await self._outcome(shop, request)
        finally:
            self._connections.waiting(request)
        response = self._answer(shop, status, text)
        if not request.content.is_eof():  # what is left of the body is nobody's next request
            await hang_up(request, response)
        return response

    async def _outcome(self, shop: ShopKey, request: web.Request) -> tuple[int, Text]:
        """What it is answered. No exception is kept: its frames would keep the body."""
        try:
            await self._take_in(shop, request)
        except Answer as answer:
            return answer.status, answer.text
        except BodyRefused as refused:
            return refused.status, _REFUSALS[refused.status]
        except BrokenOff:
            metrics.INTAKE_DROPPED.labels("broken-off").inc()
            return _NOBODY_READS, Text("broken off", "连接中断")
        except TransientError as error:
            logger.warning("%s: a push is not taken: %s", shop, error)
            return 503, Text("cannot store it now; send it again", "暂时无法保存，请稍后重发")
        except Exception as error:  # noqa: BLE001  # a bug must neither end the server nor print what a body says
            logger.error("%s: a push broke: %s", shop, where_it_broke(error))
            return 500, Text("cannot take it in; it is polled for", "暂时无法处理，将通过轮询获取")
        return 200, Text("success", "success")

    def _answer(self, shop: ShopKey, status: int, text: Text) -> web.Response:
        """`{"code":0,"msg":"success"}` is the reply that Douyin demands; the others look at the status alone."""
        label = shop if shop in self._endpoints else _NOBODY
        metrics.INTAKE_WEBHOOKS.labels(*label, str(status)).inc()
        ok = status == 200
        message = text.en if ok else f"{text.en} | {text.zh}"
        return web.json_response({"code": 0 if ok else status, "msg": message}, status=status)

    async def _take_in(self, shop: ShopKey, request: web.Request) -> None:
        endpoint = self._endpoints.get(shop)
        if endpoint is None:
            raise Answer(404, Text("no such shop takes pushes here", "此处没有接收推送的该店铺"))
        headers = _headers(request)
        forged = _forgery(endpoint.adapter.verify_headers, headers, endpoint.shop)
        if forged is not None:
            if not await self._is_ping(request):
                raise self._refusal(shop, forged)
            return
        if headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
            raise Answer(415, _ENCODED)
        async with self._bodies.body(request) as body:
            await self._take_in_body(shop, endpoint, request, headers, body)

    async def _is_ping(self, request: web.Request) -> bool:
        if (request.content_length or _PING_BYTES + 1) > _PING_BYTES:
            return False
        async with self._bodies.body(request) as body:
            return _PING.fullmatch(body) is not None

    async def _take_in_body(
        self, shop: ShopKey, endpoint: Endpoint, request: web.Request, headers: Headers, body: bytes
    ) -> None:
        forged = await self._intake.apart.work(
            len(body), _forgery, endpoint.adapter.verify, headers, body, endpoint.shop
        )
        if forged is not None:
            raise self._refusal(shop, forged)
        self._connections.serving(request)
        delivery = next((headers[name] for name in _DELIVERY_IDS if name in headers), "")
        if await self._replays.has(shop, delivery, body):
            return
        await self._intake.take_in(shop, endpoint.adapter, headers, body)
        await self._replays.add(shop, delivery, body)

    def _refusal(self, shop: ShopKey, text: Text) -> Answer:
        """One line a minute and shop: whoever forges pushes must not be able to fill the logs."""
        if time.monotonic() - self._complained.get(shop, -_COMPLAINT_SECONDS) >= _COMPLAINT_SECONDS:
            self._complained[shop] = time.monotonic()
            logger.warning("%s: push refused: %s | 推送被拒绝：%s", shop, text.en, text.zh)
        return Answer(401, text)


def _forgery(check: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> Text | None:
    """Why a request is refused; None when it is right."""
    try:
        check(*args, **kwargs)
    except ForgedRequest as error:
        return error.text
    return None


def _headers(request: web.Request) -> dict[str, str]:
    """As the contract wants them. The path as it was sent: that is what is signed, not what a library makes of it."""
    headers = {name.lower(): _utf8(value) for name, value in request.headers.items()}
    headers[":path"] = _utf8(request.raw_path)
    return headers


def _utf8(header: str) -> str:
    """Bytes that are no UTF-8 come as half surrogates, which cannot be encoded again to be compared."""
    return header.encode("utf-8", "replace").decode()


def _replay_key(shop: ShopKey, delivery: str, body: bytes) -> str:
    digest = blake2b(body, key=blake2b(delivery.encode()).digest(), digest_size=16)
    return f"{shop.redis_key('push')}:{digest.hexdigest()}"

"""Pushes: who may send them, what becomes of them, and what they are answered."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from channel_adapters.douyin.adapter import ADAPTER as DOUYIN
from channel_adapters.shop import ShopSettings
from channel_adapters.shopify.adapter import ADAPTER as SHOPIFY
from channel_adapters.woocommerce.adapter import ADAPTER as WOOCOMMERCE
from ops.local_stack.ports import LOOPBACK, free_port
from schemas.dead_letter import DeadLetter
from schemas.record import decode
from tests.workers.intake.fakes import FakeKafka
from workers.intake.lease import Leases
from workers.intake.webhook import Endpoint, WebhookPolicy, Webhooks, serve

SECRET = "example-webhook-secret"
ORDER = json.dumps(
    {
        "id": 1001,
        "status": "processing",
        "currency": "CNY",
        "date_modified_gmt": "2026-11-11T00:00:00",
        "line_items": [],
    }
).encode()
AT = datetime(2026, 11, 11, 0, 0, 2, tzinfo=UTC)
HINT_KEY = "intake-hint:{woocommerce/mall}"
POLICY = WebhookPolicy(most_bytes=100_000, read_seconds=0.3)


def shop(channel: str, shop_id: str, secret: str = SECRET) -> ShopSettings:
    return ShopSettings(channel=channel, shop_id=shop_id, base_url="http://x", webhook_secret=SecretStr(secret))


ENDPOINTS = (
    Endpoint(shop("woocommerce", "mall"), WOOCOMMERCE),
    Endpoint(shop("shopify", "mall"), SHOPIFY),
    Endpoint(ShopSettings(channel="douyin", shop_id="live", base_url="http://x", app_secret=SecretStr(SECRET)), DOUYIN),
    Endpoint(shop("woocommerce", "no-secret", ""), WOOCOMMERCE),
)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"X-WC-Webhook-Signature": digest, "X-Shopify-Hmac-Sha256": digest}


class Caller:
    """Sends pushes to a running receiver."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self.http = http
        self.port = port

    async def __call__(
        self, body: bytes, headers: Mapping[str, str], path: str = "woocommerce/mall"
    ) -> tuple[int, dict[str, object]]:
        url = f"http://{LOOPBACK}:{self.port}/webhooks/{path}"
        async with self.http.post(url, data=body, headers=headers) as answer:
            return answer.status, await answer.json()


async def started(kafka: FakeKafka, redis: Redis, port: int) -> web.AppRunner:
    webhooks = Webhooks(ENDPOINTS, producer=kafka, redis=redis, leases=Leases(redis), policy=POLICY, now=lambda: AT)
    return await serve(webhooks, port=port)


@pytest.fixture
async def push(kafka: FakeKafka, redis: Redis) -> AsyncIterator[Caller]:
    port = free_port()
    runner = await started(kafka, redis, port)
    async with aiohttp.ClientSession() as http:
        yield Caller(http, port)
    await runner.cleanup()


async def test_a_signed_order_is_published_untouched_and_then_answered(push: Caller, kafka: FakeKafka) -> None:
    status, answer = await push(ORDER, signed(ORDER))
    assert (status, answer) == (200, {"code": 0, "msg": "success"})
    [record] = kafka.records
    assert record.topic == "orders.raw.woocommerce"
    assert record.key == b"woocommerce:mall:1001"
    assert record.value == ORDER
    assert dict(record.headers)["source"] == b"webhook"
    assert dict(record.headers)["shop"] == b"mall"
    assert dict(record.headers)["received-at"] == b"1794355202000"


async def test_a_shopify_order_is_published(push: Caller, kafka: FakeKafka) -> None:
    body = json.dumps({"id": 9, "updated_at": "2026-11-11T08:00:00+08:00", "line_items": []}).encode()
    assert (await push(body, signed(body), "shopify/mall"))[0] == 200
    assert kafka.records[0].key == b"shopify:mall:9"


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-WC-Webhook-Signature": ""}, {"X-WC-Webhook-Signature": "签名"}, signed(ORDER, "other"), signed(b"{}")],
)
async def test_a_forged_push_is_refused(push: Caller, kafka: FakeKafka, headers: dict[str, str]) -> None:
    status, answer = await push(ORDER, headers)
    assert status == 401
    assert answer["code"] == 401
    assert kafka.records == []


async def test_a_signature_that_is_no_text_is_refused(push: Caller, kafka: FakeKafka) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, push.port)
    head = b"POST /webhooks/woocommerce/mall HTTP/1.1\r\nHost: x\r\nX-WC-Webhook-Signature: \xff\xfe\r\n"
    writer.write(head + b"Content-Length: %d\r\n\r\n%s" % (len(ORDER), ORDER))
    async with asyncio.timeout(5):
        assert b" 401 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert kafka.records == []


async def test_a_forged_push_asks_for_no_poll(push: Caller, redis: Redis) -> None:
    assert (await push(b'{"id": 5}', signed(b"{}")))[0] == 401
    assert await redis.exists(HINT_KEY) == 0


async def test_forgers_cannot_fill_the_log(push: Caller, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        await push(ORDER, {})
    assert caplog.text.count("push refused") == 1


@pytest.mark.parametrize("path", ["woocommerce/nobody", "nothing/mall", "woocommerce/no-secret"])
async def test_a_push_for_a_shop_that_takes_none_is_not_found(push: Caller, kafka: FakeKafka, path: str) -> None:
    assert (await push(ORDER, signed(ORDER, ""), path))[0] == 404
    assert kafka.records == []


async def test_names_that_callers_make_up_do_not_become_metrics(push: Caller) -> None:
    await push(ORDER, {}, "woocommerce/made-up-by-somebody")
    labels = [sample.labels for metric in REGISTRY.collect() for sample in metric.samples]
    assert not any("made-up-by-somebody" in each.values() for each in labels)


async def test_a_body_over_the_limit_is_refused_unread(push: Caller, kafka: FakeKafka) -> None:
    body = b"x" * (POLICY.most_bytes + 1)
    assert (await push(body, signed(body)))[0] == 413


async def test_a_body_over_the_limit_that_does_not_tell_its_length_is_refused(push: Caller) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    async with push.http.post(f"http://{LOOPBACK}:{push.port}/webhooks/woocommerce/mall", data=endless()) as answer:
        assert answer.status == 413


async def test_a_body_that_does_not_arrive_is_not_waited_for(push: Caller) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, push.port)
    writer.write(b"POST /webhooks/woocommerce/mall HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_the_same_push_again_is_answered_and_not_published_again(push: Caller, kafka: FakeKafka) -> None:
    headers = {**signed(ORDER), "X-WC-Webhook-Delivery-ID": "d1"}
    assert [(await push(ORDER, headers))[0] for _ in range(3)] == [200, 200, 200]
    assert len(kafka.records) == 1


async def test_a_delivery_id_cannot_make_another_push_look_like_a_repeat(push: Caller, kafka: FakeKafka) -> None:
    other = ORDER.replace(b"1001", b"1002")
    await push(ORDER, {**signed(ORDER), "X-WC-Webhook-Delivery-ID": "d1"})
    await push(other, {**signed(other), "X-WC-Webhook-Delivery-ID": "d1"})
    assert kafka.ids() == ["1001", "1002"]


async def test_while_kafka_is_away_the_platform_is_asked_to_send_it_again(push: Caller, kafka: FakeKafka) -> None:
    kafka.away = True
    assert (await push(ORDER, signed(ORDER)))[0] == 503
    kafka.away = False
    assert (await push(ORDER, signed(ORDER)))[0] == 200
    assert kafka.ids() == ["1001"]


async def test_an_order_is_taken_in_while_redis_is_away(kafka: FakeKafka) -> None:
    port = free_port()
    async with Redis(host=LOOPBACK, port=free_port(), retry=Retry(NoBackoff(), 0)) as nobody:
        runner = await started(kafka, nobody, port)
        async with aiohttp.ClientSession() as http:
            caller = Caller(http, port)
            assert (await caller(ORDER, signed(ORDER)))[0] == 200
            assert (await caller(b'{"id":5}', signed(b'{"id":5}')))[0] == 200
        await runner.cleanup()
    assert kafka.ids() == ["1001"]


async def test_a_hint_is_acknowledged_and_brings_a_poll(push: Caller, kafka: FakeKafka, redis: Redis) -> None:
    assert (await push(b'{"id":5}', signed(b'{"id":5}')))[0] == 200
    assert kafka.records == []
    assert await redis.exists(HINT_KEY) == 1


async def test_a_douyin_push_is_a_hint_and_gets_the_reply_that_douyin_demands(
    push: Caller, kafka: FakeKafka, redis: Redis
) -> None:
    body = b'[{"tag":"101","msg_id":"1","data":"{\\"p_id\\":6900000000000000001}"}]'
    sign = hashlib.md5(b"7000000000000000001" + body + SECRET.encode()).hexdigest()
    headers = {"app-id": "7000000000000000001", "event-sign": sign}
    assert await push(body, headers, "douyin/live") == (200, {"code": 0, "msg": "success"})
    assert kafka.records == []
    assert await redis.exists("intake-hint:{douyin/live}") == 1


async def test_the_unsigned_ping_of_woocommerce_is_welcome_and_does_nothing(
    push: Caller, kafka: FakeKafka, redis: Redis
) -> None:
    assert (await push(b"webhook_id=12", {"Content-Type": "application/x-www-form-urlencoded"}))[0] == 200
    assert kafka.records == []
    assert await redis.keys("*") == []


async def test_a_signed_push_that_cannot_be_read_is_kept_whole(push: Caller, kafka: FakeKafka, redis: Redis) -> None:
    body = b'{"id": 1001, "status": '
    assert (await push(body, signed(body)))[0] == 200
    [record] = kafka.records
    assert record.topic == "orders.quarantined"
    letter = decode(DeadLetter, record.value)
    assert letter.reason == "broken-json"
    assert base64.b64decode(letter.payload_base64) == body
    assert await redis.exists(HINT_KEY) == 1


async def test_a_platforms_error_message_as_a_push_is_kept_whole(push: Caller, kafka: FakeKafka) -> None:
    body = b'{"code":"woocommerce_rest_cannot_view","message":"no","data":{"status":401}}'
    assert (await push(body, signed(body)))[0] == 200
    assert decode(DeadLetter, kafka.records[0].value).reason == "platform-error"


async def test_large_pushes_are_taken_in_a_few_at_a_time(kafka: FakeKafka, redis: Redis) -> None:
    body = ORDER[:-1] + b', "note": "' + b"x" * 50_000 + b'"}'
    bodies = [body.replace(b"1001", b"%d" % number) for number in range(2000, 2020)]
    policy = WebhookPolicy(large_bytes=1000, large_at_once=2)
    port, sending, most = free_port(), 0, 0
    send = kafka.send

    async def counted(records: object) -> None:
        nonlocal sending, most
        sending += 1
        most = max(most, sending)
        await asyncio.sleep(0.005)
        await send(records)  # type: ignore[arg-type]
        sending -= 1

    kafka.send = counted  # type: ignore[method-assign]
    webhooks = Webhooks(ENDPOINTS, producer=kafka, redis=redis, leases=Leases(redis), policy=policy)
    runner = await serve(webhooks, port=port)
    async with aiohttp.ClientSession() as http:
        caller = Caller(http, port)
        answers = await asyncio.gather(*(caller(each, signed(each)) for each in bodies))
    await runner.cleanup()
    assert {status for status, _ in answers} == {200}
    assert len(kafka.records) == 20
    assert most == 2

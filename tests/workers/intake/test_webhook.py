"""Pushes: who may send them, what becomes of them, and what they are answered."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlencode

import aiohttp
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from channel_adapters.douyin.adapter import ADAPTER as DOUYIN
from channel_adapters.jd.adapter import ADAPTER as JD
from channel_adapters.pinduoduo.adapter import ADAPTER as PINDUODUO
from channel_adapters.shop import ShopSettings
from channel_adapters.shopify.adapter import ADAPTER as SHOPIFY
from channel_adapters.taobao.adapter import ADAPTER as TAOBAO
from channel_adapters.taobao.signature import sign_inbound
from channel_adapters.woocommerce.adapter import ADAPTER as WOOCOMMERCE
from ops.testbed.local_stack.ports import LOOPBACK, free_port
from schemas.dead_letter import DeadLetter
from schemas.record import decode
from tests.workers.intake.fakes import FakeKafka
from workers.intake.body import BodyLimits
from workers.intake.lease import Leases
from workers.intake.push import PushIntake
from workers.intake.register import OpenOrders, RereadPolicy
from workers.intake.store import ShopKey
from workers.intake.webhook import Endpoint, WebhookPolicy, Webhooks

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
POLICY = WebhookPolicy(body=BodyLimits(most_bytes=100_000, small_bytes=100_000, read_seconds=0.3))


def shop(channel: str, shop_id: str, secret: str = SECRET, app_key: str = "") -> ShopSettings:
    return ShopSettings(
        channel=channel, shop_id=shop_id, base_url="http://x", app_key=app_key, webhook_secret=SecretStr(secret)
    )


ENDPOINTS = (
    Endpoint(shop("woocommerce", "mall"), WOOCOMMERCE),
    Endpoint(shop("shopify", "mall"), SHOPIFY),
    Endpoint(shop("douyin", "live", app_key="7000000000000000001"), DOUYIN),
    Endpoint(shop("taobao", "main", app_key="12345678"), TAOBAO),
    Endpoint(shop("jd", "pop"), JD),
    Endpoint(shop("pinduoduo", "main"), PINDUODUO),
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


def receiver(kafka: FakeKafka, redis: Redis, policy: WebhookPolicy = POLICY) -> Webhooks:
    intake = PushIntake(
        producer=kafka,
        leases=Leases(redis),
        register=OpenOrders(redis, RereadPolicy()),
        rereads=[shop("woocommerce", "mall"), shop("shopify", "mall")],
        now=lambda: AT,
    )
    return Webhooks(ENDPOINTS, intake=intake, redis=redis, policy=policy)


@asynccontextmanager
async def calling(webhooks: Webhooks) -> AsyncIterator[Caller]:
    async with webhooks.listening(port=0) as port, aiohttp.ClientSession() as http:
        yield Caller(http, port)


@pytest.fixture
async def push(kafka: FakeKafka, redis: Redis) -> AsyncIterator[Caller]:
    async with calling(receiver(kafka, redis)) as caller:
        yield caller


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


async def test_an_order_that_kafka_never_takes_becomes_a_letter_and_is_answered(push: Caller, kafka: FakeKafka) -> None:
    kafka.most = {"orders.raw.woocommerce": 20}
    assert (await push(ORDER, signed(ORDER)))[0] == 200
    [record] = kafka.records
    letter = decode(DeadLetter, record.value)
    assert (record.topic, letter.reason, letter.key) == (
        "orders.quarantined", "refused-by-kafka", "woocommerce:mall:1001",
    )  # fmt: skip
    assert base64.b64decode(letter.payload_base64) == ORDER


async def test_a_letter_that_kafka_never_takes_is_cut(push: Caller, kafka: FakeKafka) -> None:
    body = b'{"id": 1001, "line_items": "%s"' % (b"x" * 90_000)
    kafka.most = {"orders.quarantined": 60_000}
    assert (await push(body, signed(body)))[0] == 200
    [record] = kafka.records
    letter = decode(DeadLetter, record.value)
    assert (letter.cut, letter.payload_bytes) == (True, len(body))
    assert body.startswith(base64.b64decode(letter.payload_base64))


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
    body = b"x" * (POLICY.body.most_bytes + 1)
    assert (await push(body, signed(body)))[0] == 413


async def test_a_body_over_the_limit_that_does_not_tell_its_length_is_refused(push: Caller) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    url = f"http://{LOOPBACK}:{push.port}/webhooks/woocommerce/mall"
    async with push.http.post(url, data=endless(), headers=signed(b"")) as answer:
        assert answer.status == 413


async def test_a_body_that_does_not_arrive_is_not_waited_for(push: Caller) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, push.port)
    sign = signed(b"")["X-WC-Webhook-Signature"].encode()
    head = b"POST /webhooks/woocommerce/mall HTTP/1.1\r\nHost: x\r\nX-WC-Webhook-Signature: %s\r\n" % sign
    writer.write(head + b"Content-Length: 100\r\n\r\n{")
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_compressed_body_that_does_not_say_so_is_kept_as_it_came(push: Caller, kafka: FakeKafka) -> None:
    packed = gzip.compress(ORDER)
    assert (await push(packed, signed(packed)))[0] == 200
    letter = decode(DeadLetter, kafka.records[0].value)
    assert letter.reason == "compressed"
    assert base64.b64decode(letter.payload_base64) == packed


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
    nobody = Redis(host=LOOPBACK, port=free_port(), retry=Retry(NoBackoff(), 0))
    async with nobody, calling(receiver(kafka, nobody)) as caller:
        assert (await caller(ORDER, signed(ORDER)))[0] == 200
        assert (await caller(b'{"id":5}', signed(b'{"id":5}')))[0] == 200
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


async def test_large_pushes_share_a_budget_of_memory(kafka: FakeKafka, redis: Redis) -> None:
    body = ORDER[:-1] + b', "note": "' + b"x" * 50_000 + b'"}'
    bodies = [body.replace(b"1001", b"%d" % number) for number in range(2000, 2020)]
    limits = BodyLimits(most_bytes=60_000, small_bytes=1000, budget_bytes=2 * len(body) + 100)
    sending, most = 0, 0
    send = kafka.send

    async def counted(records: object) -> None:
        nonlocal sending, most
        sending += 1
        most = max(most, sending)
        await asyncio.sleep(0.005)
        await send(records)  # type: ignore[arg-type]
        sending -= 1

    kafka.send = counted  # type: ignore[method-assign]
    async with calling(receiver(kafka, redis, WebhookPolicy(body=limits))) as caller:
        answers = await asyncio.gather(*(caller(each, signed(each)) for each in bodies))
    assert {status for status, _ in answers} == {200}
    assert len(kafka.records) == 20
    assert most == 2


# -- every channel, as its platform signs --------------------------------------------------------------------------


def taobao_push(body: bytes, app_key: str = "12345678") -> str:
    query = {"app_key": app_key, "method": "qimen.trade.changed", "timestamp": "2026-11-11 00:00:00"}
    return urlencode({**query, "sign": sign_inbound(query, body, SECRET)})


async def test_a_call_of_taobao_is_signed_in_its_path(push: Caller, kafka: FakeKafka, redis: Redis) -> None:
    body = b'{"tid":"3000000000000000001","topic":"taobao_trade_TradeBuyerPay"}'
    assert (await push(body, {}, f"taobao/main?{taobao_push(body)}"))[0] == 200
    assert await redis.exists("intake-hint:{taobao/main}") == 1
    assert (await push(body + b" ", {}, f"taobao/main?{taobao_push(body)}"))[0] == 401
    assert (await push(body, {}, f"taobao/main?{taobao_push(body, '87654321')}"))[0] == 401
    assert (await push(body, {}, "taobao/main"))[0] == 401


async def test_a_push_of_douyin_for_another_app_is_refused(push: Caller) -> None:
    body = b'[{"tag":"101","msg_id":"1","data":"{}"}]'
    for app_id, status in (("7000000000000000001", 200), ("7000000000000000002", 401)):
        sign = hashlib.md5(app_id.encode() + body + SECRET.encode()).hexdigest()
        assert (await push(body, {"app-id": app_id, "event-sign": sign}, "douyin/live"))[0] == status


@pytest.mark.parametrize("path", ["jd/pop", "pinduoduo/main"])
async def test_a_channel_that_pushes_nothing_takes_nothing(push: Caller, path: str) -> None:
    assert (await push(ORDER, signed(ORDER), path))[0] == 401


UNKNOWN_SHAPES = {
    "woocommerce/mall": b'{"id": 5, "what": "is this"}',
    "shopify/mall": b'{"id": 5, "what": "is this"}',
    "douyin/live": b'[{"what":"is this"}]',
    "taobao/main": b'{"what": "is this"}',
}


def signed_for(path: str, body: bytes) -> tuple[dict[str, str], str]:
    if path == "taobao/main":
        return {}, f"{path}?{taobao_push(body)}"
    if path == "douyin/live":
        sign = hashlib.md5(b"7000000000000000001" + body + SECRET.encode()).hexdigest()
        return {"app-id": "7000000000000000001", "event-sign": sign}, path
    return signed(body), path


@pytest.mark.parametrize("path", UNKNOWN_SHAPES)
async def test_a_push_in_an_unknown_shape_is_kept_and_is_no_hint(push: Caller, kafka: FakeKafka, path: str) -> None:
    body = UNKNOWN_SHAPES[path]
    headers, where = signed_for(path, body)
    assert (await push(body, headers, where))[0] == 200
    letter = decode(DeadLetter, kafka.records[0].value)
    assert (letter.reason, base64.b64decode(letter.payload_base64)) == ("not-an-order", body)


HINTS = {
    "shopify/mall": b'{"id": 7, "order_id": 5, "refund_line_items": []}',
    "douyin/live": b'{"tag":"101","msg_id":"1","data":"{}"}',
    "taobao/main": b'{"tid": 5, "oid": 6}',
}


@pytest.mark.parametrize("path", HINTS)
async def test_a_hint_is_no_dead_letter(push: Caller, kafka: FakeKafka, redis: Redis, path: str) -> None:
    headers, where = signed_for(path, HINTS[path])
    assert (await push(HINTS[path], headers, where))[0] == 200
    assert kafka.records == []
    assert await redis.exists(f"intake-hint:{{{path}}}") == 1


async def test_a_refund_that_names_its_order_has_the_order_read_again(push: Caller, redis: Redis) -> None:
    headers, where = signed_for("shopify/mall", HINTS["shopify/mall"])
    await push(HINTS["shopify/mall"], headers, where)
    due = await OpenOrders(redis, RereadPolicy()).due(ShopKey("shopify", "mall"), AT.timestamp(), 10)
    assert [order.order_id for order in due.orders] == ["5"]


# -- deletions -----------------------------------------------------------------------------------------------------

DELETED = {"X-WC-Webhook-Topic": "order.deleted", "X-Shopify-Topic": "orders/delete"}


async def test_a_deleted_order_is_published_as_deleted_after_its_last_state(push: Caller, kafka: FakeKafka) -> None:
    await push(ORDER, signed(ORDER))
    body = b'{"id":1001}'
    assert (await push(body, {**signed(body), **DELETED}))[0] == 200
    record = kafka.records[1]
    headers = dict(record.headers)
    assert (record.key, record.value) == (b"woocommerce:mall:1001", body)
    assert (headers["event"], headers["deleted-after"]) == (b"deleted", b"1794355200001")


async def test_an_unknown_order_is_deleted_as_of_now(push: Caller, kafka: FakeKafka) -> None:
    body = b'{"id":77}'
    assert (await push(body, {**signed(body), **DELETED}, "shopify/mall"))[0] == 200
    assert dict(kafka.records[0].headers)["deleted-after"] == b"1794355202000"


async def test_an_order_is_deleted_while_redis_is_away(kafka: FakeKafka) -> None:
    body = b'{"id":77}'
    nobody = Redis(host=LOOPBACK, port=free_port(), retry=Retry(NoBackoff(), 0))
    async with nobody, calling(receiver(kafka, nobody)) as caller:
        assert (await caller(body, {**signed(body), **DELETED}))[0] == 200
    assert dict(kafka.records[0].headers)["event"] == b"deleted"


async def test_what_looks_deleted_under_another_topic_only_has_the_order_read_again(
    push: Caller, kafka: FakeKafka
) -> None:
    body = b'{"id":1001}'
    await push(body, {**signed(body), "X-WC-Webhook-Topic": "product.deleted"})
    assert kafka.records == []

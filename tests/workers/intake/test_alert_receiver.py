"""The receiver of alerts over HTTP, on a real broker: what is asked for before all else, and what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from confluent_kafka import Message
from pydantic import SecretStr

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.ports import free_port
from schemas.notice import Notice
from schemas.record import decode
from schemas.topics import NOTICES
from tests.kafka import TopicReader
from tests.workers.intake.test_alerts import an_alert, posted
from workers.intake import alert_receiver
from workers.intake.alert_receiver import MOST_BYTES, AlertReceiver
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.kafka.producer import Producer

TOKEN = {"Authorization": "Bearer open-sesame"}


def key_of(message: Message) -> str:
    return decode(Notice, message.value() or b"").key


class Otherwise:
    """Notes what it was to tell; tells nobody."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], bool]] = []
        self.reaches = False

    async def __call__(self, notices: Sequence[Notice], stored: bool) -> bool:
        self.asked.append(([one.key for one in notices], stored))
        return self.reaches


class Door:
    """A receiver, and the way to it."""

    def __init__(self, url: str, otherwise: Otherwise) -> None:
        self.url, self.otherwise = url, otherwise

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
        given = {
            name.encode(): value.encode("latin-1") for name, value in (TOKEN if headers is None else headers).items()
        }
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.post(f"{self.url}/alerts", content=body, headers=given)
        return answer.status_code, answer.json()["code"]


async def opened(address: str) -> AsyncIterator[Door]:
    producer, otherwise = Producer(Cluster(address)), Otherwise()
    producer.start()
    try:
        receiver = AlertReceiver(producer, SecretStr("open-sesame"), otherwise)
        async with receiver.listening(host="127.0.0.1", port=0) as port:
            yield Door(f"http://127.0.0.1:{port}", otherwise)
    finally:
        await producer.close()


@pytest.fixture
async def door(broker: Broker) -> AsyncIterator[Door]:
    """A broker is behind it."""
    async for each in opened(broker.address):
        yield each


@pytest.fixture
async def walled_up(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """Nothing is behind it."""
    monkeypatch.setattr(alert_receiver, "STORE_SECONDS", 0.5)
    async for each in opened(f"127.0.0.1:{free_port()}"):
        yield each


async def test_what_is_answered_with_200_is_in_kafka(door: Door, broker: Broker) -> None:
    wanted = {"alert/OrdersShopBehind/channel=jd,shop=main", "alert/OrdersStageBug/"}
    assert await door.post(posted(an_alert(), an_alert(labels={"alertname": "OrdersStageBug"}))) == (200, "taken")
    reading = TopicReader(broker.address, [NOTICES.name])
    try:
        await asyncio.to_thread(reading.until, lambda found: wanted <= set(map(key_of, found)))
    finally:
        reading.close()
    assert door.otherwise.asked[-1][1] is True


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "open-sesame"}, {"Authorization": "Bearer open-sesam\u00e9"}]
)
async def test_without_the_token_nothing_is_read(door: Door, headers: dict[str, str]) -> None:
    assert await door.post(b"{", headers) == (401, "token-wrong")
    assert door.otherwise.asked == []


async def test_what_is_no_post_of_alertmanager_is_refused_for_good(door: Door) -> None:
    assert await door.post(b'{"alerts": 1}') == (400, "not-alerts")


async def test_a_body_that_is_too_large_or_packed_is_refused(door: Door) -> None:
    assert await door.post(b" " * (MOST_BYTES + 1)) == (413, "body-refused")
    assert await door.post(b"x", {**TOKEN, "Content-Encoding": "gzip"}) == (415, "body-encoded")


async def test_while_kafka_is_away_it_is_posted_again_unless_everybody_was_told(walled_up: Door) -> None:
    assert await walled_up.post(posted(an_alert())) == (503, "not-stored")
    walled_up.otherwise.reaches = True
    assert await walled_up.post(posted(an_alert())) == (200, "taken")
    assert [stored for _, stored in walled_up.otherwise.asked] == [False, False]

"""What is told of a message quotes nothing that a person may have typed: letters, logs and metrics."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from prometheus_client import generate_latest

from channel_adapters.contract import ChannelError
from channel_adapters.registry import CHANNELS
from channel_adapters.shop_file import ShopPolicies
from schemas.dead_letter import DeadLetter
from schemas.record import decode
from schemas.topics import ORDERS_RAW, TOPICS, Topic
from tests.fakes import FakeProducer, KafkaRecord
from workers.normalize.agent import normalize
from workers.runtime.stage import EachOf, Stage
from workers.runtime.stage_runner import StageRunner
from workers.runtime.table import groups

PERSON = "张伟13812345678"
PAYLOADS = Path(__file__).parents[2] / "channel_adapters"
EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
MODELLED = [topic for topic in TOPICS if topic.model is not None]
VARIANTS = 25


@dataclass(frozen=True)
class Services:
    adapters: Any
    shops: ShopPolicies


def texts_in(value: Any) -> int:
    """How many texts there are in a JSON value."""
    numbers = count()
    branded(value, -1, numbers)
    return next(numbers)


def branded(value: Any, number: int | None, numbers: Iterator[int]) -> Any:
    """The value with the text of this number, or every text, replaced by a person's name and phone."""
    match value:
        case str():
            return PERSON if next(numbers) == number or number is None else value
        case list():
            return [branded(each, number, numbers) for each in value]
        case dict():
            return {name: branded(each, number, numbers) for name, each in value.items()}
        case _:
            return value


def variants(payload: bytes) -> Iterator[bytes]:
    """With every text, or one of them, or the name of a field replaced."""
    value = orjson.loads(payload)
    texts = texts_in(value)
    chosen = Random(payload).sample(range(texts), min(texts, VARIANTS))  # repeatable on purpose
    for number in (None, *chosen):
        yield orjson.dumps(branded(value, number, count()))
    yield payload.replace(b'":', f'{PERSON}":'.encode())


def shell_of(reads: Topic, agent: EachOf[Any], producer: FakeProducer) -> StageRunner:
    [group] = groups([Stage("stage", reads=reads, writes=(), agent=lambda _: None)])
    return StageRunner(group, [agent], producer, retry_seconds=1)


async def letters(shell: StageRunner, producer: FakeProducer, record: KafkaRecord) -> list[DeadLetter]:
    producer.sent.clear()
    await shell.run([record])
    return [decode(DeadLetter, sent.value) for sent in producer.sent]


def is_silent(letter: DeadLetter) -> bool:
    told = str(replace(letter, payload_base64="")) + letter.reason
    return "张伟" not in told and "13812345678" not in told


@pytest.mark.parametrize("channel", CHANNELS)
async def test_no_letter_log_or_metric_about_a_raw_order_names_a_person(
    channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    adapter, producer = CHANNELS[channel].adapter, FakeProducer()
    agent = normalize(Services({channel: adapter}, ShopPolicies(None, tuple(CHANNELS))))
    shell = shell_of(ORDERS_RAW, agent, producer)
    seen = 0
    for file in sorted((PAYLOADS / channel / "payloads").glob("*.json")):
        try:
            raw = list(adapter.open_envelope(file.read_bytes()))
        except ChannelError:
            continue
        for order in raw[:2]:
            for payload in variants(order.payload):
                for key in (f"{channel}:main:{order.platform_order_id}", PERSON):
                    record = KafkaRecord(
                        payload,
                        key=key.encode(),
                        topic=f"orders.raw.{channel}",
                        headers=[("shop", b"main"), ("note", PERSON.encode()), (PERSON, b"1")],
                    )
                    found = await letters(shell, producer, record)
                    seen += len(found)
                    assert all(map(is_silent, found)), found
    assert seen > 50
    assert "张伟" not in caplog.text
    assert "13812345678" not in caplog.text
    assert "张伟" not in generate_latest().decode()


@pytest.mark.parametrize("topic", MODELLED, ids=str)
async def test_no_letter_or_log_about_what_a_stage_cannot_read_names_a_person(
    topic: Topic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    producer = FakeProducer()
    shell = shell_of(topic, EachOf(lambda _: ()), producer)
    for file in sorted((EXAMPLES / topic.name).glob("*.json")):
        for payload in variants(file.read_bytes()):
            found = await letters(shell, producer, KafkaRecord(payload, key=PERSON.encode(), topic=topic.name))
            assert all(map(is_silent, found)), found
    assert "张伟" not in caplog.text
    assert "13812345678" not in caplog.text

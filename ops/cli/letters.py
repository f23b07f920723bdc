"""The dead letters in `orders.quarantined`: reading them, and putting the original messages back.

That a letter was put back is remembered in Redis for as long as the letter is kept. It is remembered after Kafka
confirmed the message: a crash in between can cause a repeat, which does no harm, and never a message that counts as
put back and was not.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from pydantic import ValidationError
from redis.asyncio import Redis

from ops.cli.scan import Found, Topics
from schemas.dead_letter import DeadLetter
from schemas.ids import OrderUid
from schemas.record import decode, record
from schemas.text import Text
from schemas.topics import ORDERS_QUARANTINED, ORDERS_RAW
from workers.runtime.records import Record
from workers.runtime.redis_errors import redis_errors

RETRY_OF: Final = "retry-of"
ATTEMPTS: Final = "attempts"
MOST_ATTEMPTS: Final = 9
"""A message that failed this often is put back only when it is named: nothing may go in circles by itself."""

_BATCH_LETTERS, _BATCH_BYTES = 500, 8 << 20
_KEEP_SECONDS = int(ORDERS_QUARANTINED.retention.total_seconds())


class Sender(Protocol):
    """`workers.runtime.producer.Producer`, as far as it is used here."""

    async def send(self, records: Sequence[Record]) -> None:
        """Return when all are confirmed. Raises TransientError."""
        ...


@record
class Filter:
    """Which letters are meant. What is not given does not matter."""

    letter_id: str | None = None
    reason: str | None = None
    channel: str | None = None

    def __call__(self, letter: DeadLetter) -> bool:
        """Whether this is one of them."""
        return (
            self.letter_id in (None, letter.letter_id)
            and self.reason in (None, letter.reason)
            and self.channel in (None, channel_of(letter))
        )


def read_letters(topics: Topics, wanted: Callable[[DeadLetter], bool]) -> Iterator[DeadLetter]:
    """Every wanted letter once, those of one order in the order they were written. One at a time in memory."""
    seen: set[str] = set()
    for found in topics.matching(lambda _key: True, ORDERS_QUARANTINED.name):
        letter = _letter(found)
        if letter is not None and letter.letter_id not in seen and wanted(letter):
            seen.add(letter.letter_id)
            yield letter


def _letter(found: Found) -> DeadLetter | None:
    """None for what somebody else wrote there."""
    try:
        return decode(DeadLetter, found.value)
    except ValidationError:
        return None


def channel_of(letter: DeadLetter) -> str:
    """The channel of the message, "" when it belongs to none."""
    if letter.topic.startswith(f"{ORDERS_RAW.name}."):
        return letter.topic.removeprefix(f"{ORDERS_RAW.name}.")
    try:
        return OrderUid.parse(letter.key).channel
    except ValueError:
        return ""


class Summaries:
    """The newest `limit` wanted letters (0: all), the newest first, without their payloads, and how many there are.

    Raises TransientError.
    """

    def __init__(self, topics: Topics, wanted: Callable[[DeadLetter], bool], limit: int) -> None:
        self.total = 0
        letters = (self._counted(letter) for letter in read_letters(topics, wanted))
        self.newest = heapq.nlargest(limit, letters, key=_age) if limit else sorted(letters, key=_age, reverse=True)

    def _counted(self, letter: DeadLetter) -> DeadLetter:
        self.total += 1
        return replace(letter, payload_base64="")


def _age(letter: DeadLetter) -> tuple[float, str]:
    return (letter.at.timestamp() if letter.at else 0.0, letter.letter_id)


# -- putting back --------------------------------------------------------------------------------------------------


def obstacle(letter: DeadLetter, there: Iterable[str]) -> Text | None:
    """Why the original message cannot be put back; None when it can. `there`: the topics that exist."""
    if letter.offset < 0:
        return Text(
            "it never was in its topic; the poller reads the order again, or fetch it from the platform by its id",
            "该消息从未进入主题；轮询会重新拉取该订单，也可按订单号向平台查询",
        )
    if letter.topic not in there:
        return Text(
            f"its topic {letter.topic} does not exist; make it with: orderfleet topics create",
            f"主题 {letter.topic} 不存在；请执行：orderfleet topics create",
        )
    if "\ufffd" in letter.key:
        return Text("its key was no text, and cannot be restored", "消息键不是文本，无法还原")
    try:
        payload_of(letter)
    except ValueError:
        return Text("the letter itself is damaged", "死信内容已损坏")
    return None


def payload_of(letter: DeadLetter) -> bytes:
    """The original bytes. Raises ValueError when the letter is damaged."""
    try:
        return base64.b64decode(letter.payload_base64, validate=True)
    except binascii.Error as error:
        raise ValueError(letter.letter_id) from error


def original_record(letter: DeadLetter) -> Record:
    """The message as it was, under its key, with where it comes from and which attempt this will be."""
    kept = {name: value for name, value in letter.headers.items() if name not in (RETRY_OF, ATTEMPTS)}
    added = {RETRY_OF: letter.letter_id, ATTEMPTS: str(letter.attempts + 1)}
    headers = [(name, value.encode()) for name, value in (kept | added).items()]
    return Record(letter.topic, letter.key.encode(), payload_of(letter), headers)


async def put_back(letters: Sequence[DeadLetter], producer: Sender, retried: Retried) -> None:
    """Send the originals, in their order, and remember it. Raises TransientError: then some may have been sent."""
    await producer.send([original_record(letter) for letter in letters])
    await retried.add([letter.letter_id for letter in letters])


def batches(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """The letters in portions that fit into memory."""
    batch: list[DeadLetter] = []
    size = 0
    for letter in letters:
        batch.append(letter)
        size += len(letter.payload_base64)
        if len(batch) >= _BATCH_LETTERS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class Retried:
    """Which letters were put back, and when. Raises TransientError when Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def when(self, letter_ids: Sequence[str]) -> dict[str, float]:
        """Seconds since the epoch, of those that were put back."""
        if not letter_ids:
            return {}
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for letter_id in letter_ids:
                pipeline.get(_key(letter_id))
            found = await pipeline.execute()
        return {name: float(at) for name, at in zip(letter_ids, found, strict=True) if at is not None}

    async def add(self, letter_ids: Sequence[str]) -> None:
        """They were put back now."""
        now = f"{time.time():.3f}"
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for letter_id in letter_ids:
                pipeline.set(_key(letter_id), now, ex=_KEEP_SECONDS)
            await pipeline.execute()


def _key(letter_id: str) -> str:
    return f"dead-letter-retried:{letter_id}"

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

from confluent_kafka import Message
from pydantic import ValidationError
from redis.asyncio import Redis

from schemas.dead_letter import DeadLetter, Failure
from schemas.ids import OrderUid
from schemas.namespace import prefixed
from schemas.record import changed, decode, record
from schemas.text import Text
from schemas.topics import ORDERS_QUARANTINED, ORDERS_RAW
from workers.admin.errors import NotFound
from workers.admin.scan import Found, Topics
from workers.runtime.dead_letters import ATTEMPTS_HEADER
from workers.runtime.kafka.records import Record
from workers.runtime.redis.errors import redis_errors

RETRY_OF: Final = "retry-of"
MOST_ATTEMPTS: Final = 9
"""A message that failed this often is put back only when it is named: nothing may go in circles by itself."""

_BATCH_LETTERS, _BATCH_BYTES = 500, 8 << 20
_KEEP_SECONDS = int(ORDERS_QUARANTINED.retention.total_seconds())


class Sender(Protocol):
    """`workers.runtime.kafka.producer.Producer`, as far as it is used here."""

    async def send(self, records: Sequence[Record]) -> None:
        """Return when all are confirmed. Raises TransientError."""
        ...


@record
class Filter:
    """Which letters are meant. What is not given does not matter."""

    letter_id: str | None = None
    reason: str | None = None
    channel: str | None = None
    shops: frozenset[str] | None = None  # channel:shop each; a letter that names no order is of none of them

    def __call__(self, letter: DeadLetter) -> bool:
        """Whether this is one of them."""
        return (
            self.letter_id in (None, letter.letter_id)
            and self.reason in (None, letter.reason)
            and self.channel in (None, channel_of(letter))
            and (self.shops is None or shop_of(letter) in self.shops)
        )


def read_letters(topics: Topics, wanted: Callable[[DeadLetter], bool]) -> Iterator[DeadLetter]:
    """Every wanted letter once, those of one order in the order they were written. One at a time in memory."""
    seen: set[str] = set()
    for found in topics.matching(lambda _key: True, ORDERS_QUARANTINED.name):
        letter = _letter(found)
        if letter is not None and letter.letter_id not in seen and wanted(letter):
            seen.add(letter.letter_id)
            yield letter


def find_letter(topics: Topics, letter_id: str) -> DeadLetter:
    """The letter of that name. Raises NotFound, TransientError."""
    found = next(read_letters(topics, Filter(letter_id=letter_id)), None)
    if found is None:
        raise NotFound(no_such_letter(letter_id))
    return found


def no_such_letter(letter_id: str) -> Text:
    """Nothing of that name, and how to find it."""
    return Text(
        f"there is no dead letter {letter_id}; look for it with: orderfleet dead-letters list --limit 0",
        f"没有死信 {letter_id}；请用 orderfleet dead-letters list --limit 0 查找",
    )


def _letter(found: Found) -> DeadLetter | None:
    """None for what somebody else wrote there."""
    try:
        return decode(DeadLetter, found.value)
    except ValidationError:
        return None


def failures_in_words(letter: DeadLetter) -> tuple[Failure, ...]:
    """Its failures with their sentences beside the codes, for JSON that people and their scripts read."""
    return tuple(changed(one, problem=one.tell("en"), problem_zh=one.tell("zh")) for one in letter.failures)


def channel_of(letter: DeadLetter) -> str:
    """The channel of the message, "" when it belongs to none."""
    if letter.topic.startswith(f"{ORDERS_RAW.name}."):
        return letter.topic.removeprefix(f"{ORDERS_RAW.name}.")
    try:
        return OrderUid.parse(letter.key).channel
    except ValueError:
        return ""


def shop_of(letter: DeadLetter) -> str | None:
    """The channel:shop of the order that it is about; None when it names none."""
    try:
        uid = OrderUid.parse(letter.key)
    except ValueError:
        return None
    return f"{uid.channel}:{uid.shop_id}"


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


class Original:
    """The message that a letter is about, to be put back: from the letter, or where that is cut from its topic."""

    def __init__(self, letter: DeadLetter, found: Message | None) -> None:
        """`found`: what stands at the letter's place, asked for when the letter is cut."""
        self.letter = letter
        self._found = found

    @classmethod
    def of(cls, letter: DeadLetter, topics: Topics) -> Original:
        """Looks the message up where that is needed. Raises TransientError."""
        return cls(letter, topics.at(letter.topic, letter.partition, letter.offset) if letter.cut else None)

    def obstacle(self, there: Iterable[str]) -> Text | None:
        """Why it cannot be put back; None when it can. `there`: the topics that exist."""
        letter = self.letter
        if letter.offset < 0:
            return Text(
                "it never was in its topic; the poller reads the order again, or fetch it from the platform by its id",
                "该消息从未进入主题；下一轮拉单会重新取得该订单，也可按订单号向平台查询",
            )
        if letter.topic not in there:
            return Text(
                f"its topic {letter.topic} does not exist; make it with: orderfleet topics create",
                f"主题 {letter.topic} 不存在；请执行：orderfleet topics create",
            )
        if self._found is not None:
            return None
        if letter.cut:
            return Text(
                f"the letter holds only a part of it, and {letter.topic} does not keep it any more; "
                "fetch the order from the platform",
                f"死信只保留了部分内容，且主题 {letter.topic} 已不再保留原消息；请向平台重新拉取该订单",
            )
        if "\ufffd" in letter.key:
            return Text("its key was no text, and cannot be restored", "消息键不是文本，无法还原")
        try:
            payload_of(letter)
        except ValueError:
            return Text("the letter itself is damaged", "死信内容已损坏")
        return None

    @property
    def payload(self) -> bytes:
        """Its bytes. Raises ValueError when the letter is damaged."""
        return payload_of(self.letter) if self._found is None else self._found.value() or b""

    def record(self) -> Record:
        """The message as it was, under its key, with where it comes from and which attempt this will be."""
        letter = self.letter
        headers = [(n, v) for n, v in self._headers() if n not in (RETRY_OF, ATTEMPTS_HEADER)]
        added = [(RETRY_OF, letter.letter_id.encode()), (ATTEMPTS_HEADER, b"%d" % (letter.attempts + 1))]
        key = letter.key.encode() if self._found is None else self._found.key() or b""
        return Record(letter.topic, key, self.payload, [*headers, *added])

    def _headers(self) -> Iterator[tuple[str, bytes]]:
        """Those without a value have an empty one now: no stage tells them apart."""
        if self._found is None:
            yield from ((name, value.encode()) for name, value in self.letter.headers.items())
        else:
            yield from ((name, value or b"") for name, value in self._found.headers() or ())


def payload_of(letter: DeadLetter) -> bytes:
    """The bytes that the letter holds: all, or the first of them. Raises ValueError when it is damaged."""
    try:
        return base64.b64decode(letter.payload_base64, validate=True)
    except binascii.Error as error:
        raise ValueError(letter.letter_id) from error


async def put_back(originals: Sequence[Original], producer: Sender, retried: Retried) -> None:
    """Send the originals, in their order, and remember it. Raises TransientError: then some may have been sent."""
    await producer.send([original.record() for original in originals])
    await retried.add([original.letter.letter_id for original in originals])


def batches(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """The letters in portions that fit into memory."""
    batch: list[DeadLetter] = []
    size = 0
    for letter in letters:
        batch.append(letter)
        size += max(len(letter.payload_base64), letter.payload_bytes)
        if len(batch) >= _BATCH_LETTERS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class Retried:
    """Which letters were put back, and when. Raises TransientError when Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    async def when(self, letter_ids: Sequence[str]) -> dict[str, float]:
        """Seconds since the epoch, of those that were put back."""
        if not letter_ids:
            return {}
        with redis_errors():
            pipeline = self.redis.pipeline(transaction=False)
            for letter_id in letter_ids:
                pipeline.get(_key(letter_id))
            found = await pipeline.execute()
        return {name: float(at) for name, at in zip(letter_ids, found, strict=True) if at is not None}

    async def add(self, letter_ids: Sequence[str]) -> None:
        """They were put back now."""
        now = f"{time.time():.3f}"
        with redis_errors():
            pipeline = self.redis.pipeline(transaction=False)
            for letter_id in letter_ids:
                pipeline.set(_key(letter_id), now, ex=_KEEP_SECONDS)
            await pipeline.execute()


def _key(letter_id: str) -> str:
    return prefixed(f"dead-letter-retried:{letter_id}")

"""Putting dead letters back, one run of it: which, and what became of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from redis.asyncio import Redis

from schemas.dead_letter import DeadLetter
from schemas.text import Text
from workers.admin.dead_letters import MOST_ATTEMPTS, Filter, Original, Retried, batches, put_back, read_letters
from workers.admin.erasure import Erasure, was_erased
from workers.admin.scan import Topics
from workers.runtime.kafka.cluster import Kafka
from workers.runtime.kafka.producer import Producer

_DELIVERY_SECONDS = 10


class RetryOutcome(StrEnum):
    """What became of a letter that was meant."""

    PUT_BACK = "put-back"
    WOULD_PUT_BACK = "would-put-back"
    PUT_BACK_BEFORE = "put-back-before"
    FAILED_TOO_OFTEN = "failed-too-often"
    IMPOSSIBLE = "impossible"


class RetriedLetter(NamedTuple):
    """A letter, what became of it, and why where it is impossible."""

    letter: DeadLetter
    outcome: RetryOutcome
    why: Text | None = None


class LetterRetry:
    """Puts letters back: each once unless `again`, with `dry_run` none.

    One that failed too often is put back only when `wanted` names it.
    """

    def __init__(
        self, kafka: Kafka, redis: Redis, topics: Topics, wanted: Filter, *, again: bool, dry_run: bool
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._wanted = wanted
        self._again = again
        self._dry_run = dry_run
        self._retried = Retried(redis)
        self._erasure = Erasure(redis)

    async def run(self) -> AsyncGenerator[RetriedLetter, None]:
        """Letter by letter, in portions; each is told when Kafka has it. Raises TransientError, RedisError."""
        producer = Producer(self._kafka, delivery_timeout=_DELIVERY_SECONDS)
        producer.start()
        try:
            for batch in batches(read_letters(self._topics, self._wanted)):
                judged = await self._judged(batch)
                ready = [original for original, outcome, _ in judged if outcome is RetryOutcome.PUT_BACK]
                for original, outcome, why in judged:
                    if outcome is not RetryOutcome.PUT_BACK:
                        yield RetriedLetter(original.letter, outcome, why)
                if not self._dry_run:
                    await put_back(ready, producer, self._retried)
                done = RetryOutcome.WOULD_PUT_BACK if self._dry_run else RetryOutcome.PUT_BACK
                for original in ready:
                    yield RetriedLetter(original.letter, done)
        finally:
            await producer.close()

    async def _judged(self, batch: Sequence[DeadLetter]) -> list[tuple[Original, RetryOutcome, Text | None]]:
        before = {} if self._again else await self._retried.when([letter.letter_id for letter in batch])
        erased = await self._erasure.erased(letter.key for letter in batch)
        judged: list[tuple[Original, RetryOutcome, Text | None]] = []
        for letter in batch:
            original = Original.of(letter, self._topics)
            if letter.key in erased:
                why = was_erased(letter.key, erased[letter.key])
                judged.append((original, RetryOutcome.IMPOSSIBLE, why))
            else:
                judged.append((original, *self._judge(original, before)))
        return judged

    def _judge(self, original: Original, before: Mapping[str, float]) -> tuple[RetryOutcome, Text | None]:
        letter = original.letter
        if letter.letter_id in before:
            return RetryOutcome.PUT_BACK_BEFORE, None
        why = original.obstacle(self._topics.partitions)
        if why is not None:
            return RetryOutcome.IMPOSSIBLE, why
        if letter.attempts >= MOST_ATTEMPTS and self._wanted.letter_id is None:
            return RetryOutcome.FAILED_TOO_OFTEN, None
        return RetryOutcome.PUT_BACK, None

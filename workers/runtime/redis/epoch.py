"""The epoch: an id that Kafka knows and Redis must have. Where it is missing, Redis was emptied, or is another one.

It is asked for in the same round trip as the work, after it: where the answer is right, all of the work was done on the
Redis that is meant. Once an answer was wrong, nothing more is sent before one is right again. See decision 20.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from schemas.namespace import prefixed
from schemas.text import Text
from workers.runtime import metrics
from workers.runtime.errors import TransientError

log = logging.getLogger(__name__)

RUNBOOK: Final = "ops/monitoring/runbooks/OrdersRedisEmptied.md"
_LEARN_AGAIN_SECONDS: Final = 5.0

_EMPTIED: Final = Text(
    "it was emptied: Kafka knows of stock that it does not have. Nothing is read or written until "
    f"orderfleet stock rebuild has brought it back, or orderfleet stock epoch --declare-new: {RUNBOOK}",
    "Redis 已被清空：Kafka 中有其库存记录，而 Redis 中没有。在执行 orderfleet stock rebuild 重建，"
    f"或 orderfleet stock epoch --declare-new 声明重新开始之前，不会读写任何内容：{RUNBOOK}",
)
_ANOTHER: Final = Text(
    "it is not the one that Kafka's events tell of: is ORDERFLEET_REDIS_URL right, and its database number? "
    f"Nothing is read or written: {RUNBOOK}",
    f"它不是 Kafka 事件所对应的 Redis：请检查 ORDERFLEET_REDIS_URL 及其库号。不会读写任何内容：{RUNBOOK}",
)


def epoch_key() -> str:
    """Where Redis keeps the id."""
    return prefixed("epoch")


class EpochLost(TransientError):
    """Redis was emptied, or is not the one that is meant. Only a person can settle it: its advice names the runbook."""

    @classmethod
    def of(cls, found: str) -> EpochLost:
        """`found`: the id that Redis has, "" for none."""
        advice = _ANOTHER if found else _EMPTIED
        error = cls(f"Redis: EPOCH: {advice.en}")
        error.code, error.advice = "EPOCH", advice
        return error


class EpochGuard:
    """Knows which epoch a process works with.

    `learn`: the one that Redis and Kafka agree on, made when the fleet begins. Raises TransientError when they do not
    agree, or are away.
    """

    def __init__(self, learn: Callable[[], Awaitable[str]] | None = None) -> None:
        self._expected = ""
        self._learn = learn
        self._learned = -_LEARN_AGAIN_SECONDS
        self._one_at_a_time = asyncio.Lock()
        self.in_doubt = True
        self.command: Final = ("GET", epoch_key())

    def expect(self, epoch_id: str) -> None:
        """From now on this is the one."""
        self._expected = epoch_id
        self.in_doubt = False
        metrics.EPOCH_LOST.set(0)

    def doubt(self, error: TransientError) -> None:
        """It could not be settled."""
        metrics.EPOCH_LOST.set(isinstance(error, EpochLost))

    async def check(self, reply: Any) -> None:
        """Look at what Redis answered. Raises EpochLost, or the error that it answered with."""
        if isinstance(reply, Exception):
            raise reply
        found = (reply or b"").decode()
        if not found or found != self._expected:
            self.in_doubt = True
            metrics.EPOCH_LOST.set(1)
            learned = await self._learned_again() if found or not self._expected else ""
            if not learned:
                raise EpochLost.of(found)
            found = learned
        self.expect(found)

    async def _learned_again(self) -> str:
        """A rebuild or a person may have begun a new one meanwhile; "" when there is none to agree on.

        One asks for all who wonder at the same time.
        """
        before = self._expected
        async with self._one_at_a_time:
            if self._expected != before:
                return self._expected
            now = time.monotonic()
            if self._learn is None or now - self._learned < _LEARN_AGAIN_SECONDS:
                return ""
            self._learned = now
            try:
                self._expected = await self._learn()
            except TransientError as error:
                log.warning("the epoch of the stock is not settled: %s", error)
                return ""
            return self._expected

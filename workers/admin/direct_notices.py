"""Telling people at once, past Kafka and Redis, when these are what is away: decision 28.

Only what is critical and has begun, only to those whom it concerns, and of each matter once in a while.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from schemas.notice import Notice, NoticeSeverity
from workers.notify.decide import Item, Telling, concerns
from workers.notify.matter import Matter, folded
from workers.notify.recipients import BrokenRecipients, Recipient, Recipients
from workers.notify.sending import NotSent, Send, send
from workers.notify.wording import message
from workers.runtime import metrics

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 3600.0
"""The same matter is told of directly no more often than this."""


class DirectNotices:
    """`way_is_open`: whether Redis answers, without which nobody is told in the usual way."""

    def __init__(
        self,
        load: Callable[[], Recipients],
        way_is_open: Callable[[], Awaitable[bool]],
        send: Send = send,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._load, self._way_is_open, self._send, self._clock = load, way_is_open, send, clock
        self._told: dict[tuple[str, str], float] = {}

    async def __call__(self, notices: Sequence[Notice], stored: bool) -> bool:
        """Tell what must not wait. Whether nothing of these notices is left to be told to anybody."""
        urgent = [one for one in notices if one.raised and one.severity is NoticeSeverity.CRITICAL]
        if stored and (not urgent or await self._way_is_open()):
            return True
        try:
            recipients = (await asyncio.to_thread(self._load)).recipients.values()
        except BrokenRecipients as error:
            log.error("%s; nobody is told of %d alerts", error, len(urgent))
            return False
        matters = [matter for one in urgent if (matter := folded(None, one, 0, self._now_ms())) is not None]
        reached = await asyncio.gather(*(self._tell(each, matters) for each in recipients))
        return stored or (len(urgent) == len(notices) and bool(reached) and all(reached))

    async def _tell(self, recipient: Recipient, matters: Sequence[Matter]) -> bool:
        now = self._clock()
        new = [
            each
            for each in matters
            if concerns(recipient, each)
            and now - self._told.get((recipient.name, each.key), -AGAIN_SECONDS) >= AGAIN_SECONDS
        ]
        if not new:
            return True
        try:
            await self._send(recipient.url, *message([Item(Telling.RAISED, each) for each in new], recipient))
        except NotSent as error:
            metrics.NOTICES_FAILED.labels(recipient.name).inc()
            log.error("%s is not told of %d critical alerts (%s)", recipient.name, len(new), error)
            return False
        self._told.update({(recipient.name, each.key): now for each in new})
        metrics.NOTICES_TOLD.labels(recipient.name, Telling.RAISED.value).inc(len(new))
        return True

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

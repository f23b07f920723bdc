"""The notify stage, which takes notices in, and the tell stage, which has them sent.

Sent first, then noted (decision 27): a process that dies in between sends one message twice, and none is ever lost.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from schemas.notice import Notice, NoticeSeverity
from workers.notify.decide import Item, Telling, after, begun, digest, digest_due, due, is_done_with, troubled
from workers.notify.matter import Matter, folded
from workers.notify.recipients import BrokenRecipients, Recipient, Recipients, load_recipients
from workers.notify.sending import NotSent, Send, send
from workers.notify.store import NoticeStore, Standing, sent_message
from workers.notify.wording import message
from workers.runtime import metrics
from workers.runtime.settings import Settings
from workers.runtime.stage import Delivery, Outcome

log = logging.getLogger(__name__)

MOST_ITEMS: Final = 500
"""Matters in one message; the others follow in the next."""


class Services(Protocol):
    """What these stages need of the process."""

    @property
    def settings(self) -> Settings:
        """Where the file of recipients is."""
        ...

    @property
    def notices(self) -> NoticeStore:
        """What is known of matters."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """Seconds since 1970."""
        ...


def notify(services: Services) -> NotifyAgent:
    """The agent that reads `notices`."""
    return NotifyAgent(services.notices, services.now)


def tell(services: Services) -> TellAgent:
    """The agent that ticks. Raises BrokenRecipients."""
    settings = services.settings

    def load() -> Recipients:
        return load_recipients(settings.notices_file, settings.notices_urls)

    load()
    return TellAgent(services.notices, load, services.now)


class NotifyAgent:
    """Adds notices to their matters: one question and one answer a chunk."""

    def __init__(self, store: NoticeStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def handle(self, batch: Sequence[Delivery[Notice]]) -> Sequence[Outcome]:
        """Take a batch in; no events come of it."""
        known: dict[str, Matter | None] = {}
        known |= await self._store.matters(list({delivery.value.key for delivery in batch}))
        before = dict(known)
        now_ms = int(self._now() * 1000)
        for delivery in batch:
            notice = delivery.value
            known[notice.key] = folded(known.get(notice.key), notice, delivery.offset, now_ms)
        news = [one for key, one in known.items() if one is not None and one is not before.get(key)]
        if news:
            await self._store.keep(news)
        return [()] * len(batch)


class TellAgent:
    """Sends what is due. Of any number of processes one does it at a time."""

    def __init__(
        self,
        store: NoticeStore,
        load: Callable[[], Recipients],
        now: Callable[[], float],
        send: Send = send,
    ) -> None:
        self._store = store
        self._load = load
        self._now = now
        self._send = send
        self._who = uuid.uuid4().hex
        self._recipients = Recipients()
        self._broken = ""

    async def tick(self) -> Sequence[Any]:
        """Tell everybody what they are to be told now."""
        if not await self._store.take_turn(self._who):
            return ()
        await self._look_at_file()
        standing = await self._store.standing()
        _show(standing, self._now_ms())
        everybody = self._recipients.recipients.values()
        ended = await asyncio.gather(*(self._tell(one, standing) for one in everybody), return_exceptions=True)
        for error in filter(None, ended):  # all had their turn
            raise error
        await self._forget(standing)
        return ()

    async def confirmed(self) -> None:
        """Nothing waits for this."""

    async def _look_at_file(self) -> None:
        """A broken file changes nothing, and is told in the log once."""
        try:
            self._recipients = await asyncio.to_thread(self._load)
            self._broken = ""
        except BrokenRecipients as error:
            if str(error) != self._broken:
                log.error("%s; the recipients stay as they were | %s", error, error.text.zh)
            self._broken = str(error)

    async def _tell(self, recipient: Recipient, standing: Standing) -> None:
        now_ms = self._now_ms()
        trouble = standing.trouble.get(recipient.name)
        if trouble is not None and now_ms < trouble.next_ms:
            return
        matters = standing.matters.values()
        told = standing.told.get(recipient.name, {})
        gather_seconds = self._recipients.gather_seconds
        items = due(matters, told, recipient, gather_seconds, now_ms, standing.care)[:MOST_ITEMS]
        if items and not await self._send_one(recipient, standing, items, ""):
            return
        day = digest_due(recipient, standing.digests.get(recipient.name, ""), now_ms)
        if day:
            await self._send_one(recipient, standing, digest(matters, recipient, now_ms, standing.care), day)

    async def _send_one(self, recipient: Recipient, standing: Standing, items: Sequence[Item], day: str) -> bool:
        """Whether the message was sent. `day`: of the digest that it is; one that has nothing to tell is not sent."""
        try:
            if items:
                new = {one.matter.key: begun(one, self._now_ms()) for one in items if one.telling is Telling.RAISED}
                await self._store.note_begun(recipient.name, new)
                await self._send(recipient.url, *message(items, recipient))
        except NotSent as error:
            trouble = troubled(standing.trouble.get(recipient.name), str(error), self._now_ms())
            metrics.NOTICES_FAILED.labels(recipient.name).inc()
            log.warning("a notice could not be sent to %s (%s, try %d)", recipient.name, error, trouble.tries)
            failed = sent_message(recipient.name, items, self._now_ms(), str(error))
            await self._store.note_trouble(recipient.name, trouble, failed)
            return False
        told = {} if day else {item.matter.key: after(item, self._now_ms()) for item in items}
        await self._store.note_told(recipient.name, told, day, sent_message(recipient.name, items, self._now_ms()))
        for item in items:
            metrics.NOTICES_TOLD.labels(recipient.name, item.telling.value).inc()
        return True

    async def _forget(self, standing: Standing) -> None:
        now_ms, names = self._now_ms(), list(self._recipients.recipients)
        over = []
        for key, matter in standing.matters.items():
            told = {name: standing.told[name][key] for name in names if key in standing.told.get(name, {})}
            if is_done_with(matter, told, now_ms):
                over.append(matter)
        if over:
            await self._store.forget(over, sorted({*names, *standing.told}))

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def _show(standing: Standing, now_ms: int) -> None:
    stand = [one for one in standing.matters.values() if one.standing and not one.has_lapsed(now_ms)]
    for severity in NoticeSeverity:
        metrics.NOTICES_STANDING.labels(severity.value).set(sum(one.severity is severity for one in stand))
    metrics.NOTICES_UNREACHED.set(len(standing.trouble))

"""Notices at the desk: what stands and what is over, who looks after it, what was sent to whom, and trying again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from schemas.notice import NoticeSeverity
from schemas.record import record
from schemas.text import Text
from workers.admin import notices
from workers.admin.desk.access import Actor, Deed, check_shop
from workers.admin.desk.asking import ask_redis
from workers.admin.desk.deeds import Deeds, checked_why
from workers.admin.desk.paging import Page, checked_limit, cut, from_cursor
from workers.admin.errors import NotFound
from workers.admin.notices import MatterRow, MessageRow, Unreached
from workers.runtime.settings import Settings


@record
class NoticeFilter:
    """Which matters: all that is given must hold. `scope`: as in the file of recipients, with * for anything."""

    past: bool = False
    minimum: NoticeSeverity = NoticeSeverity.INFO
    scope: str = "*"


class NoticeDesk:
    """Reads and marks what notify and tell keep. All methods raise NotAllowed, ServerAway, TransientError.

    A matter of one shop is for those who see the shop; all others are for everybody.
    """

    def __init__(self, settings: Settings, deeds: Deeds, now: Callable[[], float] = time.time) -> None:
        self._settings, self._deeds, self._now = settings, deeds, now

    def list(self, actor: Actor, wanted: NoticeFilter, *, cursor: str | None, limit: int) -> Page[MatterRow]:
        """What stands, the worst first, then the oldest; or what is over, the last first. Raises InvalidRequest."""
        with self._deeds.doing(actor, Deed.NOTICES_LIST, subject=wanted.scope if wanted.scope != "*" else ""):
            after = from_cursor(cursor, int, datetime, str)
            checked_limit(limit)
            found = [one for one in self._matters(wanted.past) if _is_meant(one, wanted) and _is_theirs(actor, one)]
            if after is not None:
                found = found[_first_after(found, after[2]) :]
            return cut(found[: limit + 1], limit, lambda one: (one.severity.rank, one.since, one.key))

    def unreached(self, actor: Actor) -> Sequence[Unreached]:
        """Whom notices do not reach now."""
        with self._deeds.doing(actor, Deed.NOTICES_SENT):
            return ask_redis(self._settings, lambda redis: notices.standing_matters(redis, self._now_ms()))[1]

    def sent(self, actor: Actor, *, recipient: str | None, failed: bool, limit: int) -> Sequence[MessageRow]:
        """The last messages, the newest first; only those that failed. Raises InvalidRequest."""
        with self._deeds.doing(actor, Deed.NOTICES_SENT, subject=recipient or ""):
            checked_limit(limit)
            found = ask_redis(self._settings, notices.sent_messages)
            return [one for one in found if recipient in (None, one.recipient) and (one.why or not failed)][:limit]

    def take(self, actor: Actor, key: str, why: str) -> MatterRow:
        """Say that the actor looks after it. Raises NotFound, InvalidRequest."""
        with self._deeds.doing(actor, Deed.NOTICES_TAKE, subject=key, why=why):
            checked_why(why)
            self._checked(actor, key)
            ask_redis(self._settings, lambda redis: notices.take_matter(redis, key, actor.name, self._now_ms()))
            return self._checked(actor, key)

    def snooze(self, actor: Actor, key: str, seconds: float, why: str) -> MatterRow:
        """Have nobody told of it for so long, unless it gets worse; 0: no longer. Raises NotFound, InvalidRequest."""
        with self._deeds.doing(actor, Deed.NOTICES_SNOOZE, subject=key, why=why):
            checked_why(why)
            self._checked(actor, key)
            ask_redis(
                self._settings,
                lambda redis: notices.snooze_matter(redis, key, actor.name, seconds, self._now_ms()),
            )
            return self._checked(actor, key)

    def retry(self, actor: Actor, recipient: str, why: str) -> None:
        """Try a recipient again at once. Raises NotFound when it is reached, or there is none of that name."""
        with self._deeds.doing(actor, Deed.NOTICES_RETRY, subject=recipient, why=why):
            checked_why(why)
            if not ask_redis(self._settings, lambda redis: notices.retry_recipient(redis, recipient)):
                raise NotFound(
                    Text(f"there is no trouble with a recipient {recipient}", f"收件人 {recipient} 没有投递问题"),
                    "no-trouble",
                )

    def _matters(self, past: bool) -> Sequence[MatterRow]:
        if past:
            return ask_redis(self._settings, lambda redis: notices.past_matters(redis, self._now_ms()))
        return ask_redis(self._settings, lambda redis: notices.standing_matters(redis, self._now_ms()))[0]

    def _checked(self, actor: Actor, key: str) -> MatterRow:
        found = ask_redis(self._settings, lambda redis: notices.find_matter(redis, key, self._now_ms()))
        shop = _shop(found)
        if shop is not None:
            check_shop(actor, shop)
        return found

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def _is_meant(matter: MatterRow, wanted: NoticeFilter) -> bool:
    return matter.severity.rank >= wanted.minimum.rank and fnmatchcase(matter.scope, wanted.scope)


def _shop(matter: MatterRow) -> str | None:
    """channel:shop of a matter that concerns one shop."""
    kind, _, name = matter.scope.partition(":")
    return name.replace("/", ":", 1) if kind == "shop" else None


def _is_theirs(actor: Actor, matter: MatterRow) -> bool:
    shop = _shop(matter)
    return shop is None or actor.sees(shop)


def _first_after(found: Sequence[MatterRow], key: str) -> int:
    """Where the next page begins: after this matter; at the beginning when it is gone, so that nothing is left out."""
    return next((place + 1 for place, one in enumerate(found) if one.key == key), 0)

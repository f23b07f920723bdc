"""Dead letters at the desk: what was set aside and why, and putting it back."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import datetime

from redis.exceptions import RedisError

from schemas.dead_letter import DeadLetter, Failure
from schemas.ids import OrderUid
from schemas.record import record
from schemas.text import Text
from workers.admin.dead_letters import Filter, Summaries, find_letter, no_such_letter
from workers.admin.desk.access import Actor, Deed, check_shop
from workers.admin.desk.asking import ServerAway, ask_topics
from workers.admin.desk.deeds import Deeds, checked_why
from workers.admin.desk.paging import checked_limit
from workers.admin.errors import NotAllowed, NotFound
from workers.admin.letter_retry import LetterRetry, RetriedLetter
from workers.admin.scan import Topics
from workers.admin.servers import kafka_away, redis_away, redis_client, redis_refused
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings


@record
class Letter:
    """A dead letter without the message that it holds, which is personal."""

    letter_id: str
    key: str
    stage: str
    reason: str
    topic: str
    at: datetime | None
    attempts: int
    failures: list[Failure]


@record
class Retry:
    """What became of a letter that was to be put back."""

    letter_id: str
    outcome: str
    why: Text | None


@record
class Letters:
    """The newest letters, and how many there are in all."""

    items: list[Letter]
    total: int


class LetterDesk:
    """Reads `orders.quarantined`. All methods raise NotAllowed, ServerAway, TransientError."""

    def __init__(self, settings: Settings, deeds: Deeds) -> None:
        self._settings, self._deeds = settings, deeds

    def list(self, actor: Actor, *, reason: str | None, channel: str | None, limit: int) -> Letters:
        """The newest of those of the actor's shops. Raises InvalidRequest."""
        with self._deeds.doing(actor, Deed.LETTERS_LIST, subject=reason or channel or ""):
            checked_limit(limit)
            meant = Filter(reason=reason, channel=channel)
            found = ask_topics(
                self._settings,
                lambda topics: Summaries(topics, lambda each: meant(each) and _is_theirs(actor, each), limit),
            )
            return Letters(items=[_letter(each) for each in found.newest], total=found.total)

    def show(self, actor: Actor, letter_id: str) -> Letter:
        """One of them. Raises NotFound."""
        with self._deeds.doing(actor, Deed.LETTERS_SHOW, subject=letter_id):
            return _letter(self._found(actor, letter_id))

    def retry(self, actor: Actor, letter_id: str, why: str) -> Retry:
        """Put its message back, once. Raises NotFound, InvalidRequest."""
        with self._deeds.doing(actor, Deed.LETTERS_RETRY, subject=letter_id, why=why):
            checked_why(why)
            self._found(actor, letter_id)
            retried = asyncio.run(self._retry(letter_id))
            if retried is None:
                raise NotFound(no_such_letter(letter_id), "unknown-letter")
            return Retry(letter_id=letter_id, outcome=retried.outcome, why=retried.why)

    def _found(self, actor: Actor, letter_id: str) -> DeadLetter:
        letter = ask_topics(self._settings, lambda topics: find_letter(topics, letter_id))
        if not _is_theirs(actor, letter):
            shop = _shop(letter)
            if shop is not None:
                check_shop(actor, shop)
            raise NotAllowed(
                Text("this letter belongs to no shop of yours", "该死信不属于您可查看的店铺"), "shop-not-yours"
            )
        return letter

    async def _retry(self, letter_id: str) -> RetriedLetter | None:
        wanted = Filter(letter_id=letter_id)
        try:
            with Topics(self._settings.cluster) as topics:
                async with redis_client(self._settings) as redis:
                    run = LetterRetry(self._settings.cluster, redis, topics, wanted, again=False, dry_run=False).run()
                    async with aclosing(run) as letters:
                        async for each in letters:
                            return each
        except TransientError as error:
            away = redis_away if str(error).startswith("Redis") else kafka_away
            raise ServerAway(away(self._settings, error), "server-away") from None
        except RedisError as error:
            raise ServerAway(redis_refused(self._settings, error), "redis-away") from None
        return None


def _shop(letter: DeadLetter) -> str | None:
    try:
        uid = OrderUid.parse(letter.key)
    except ValueError:
        return None
    return f"{uid.channel}:{uid.shop_id}"


def _is_theirs(actor: Actor, letter: DeadLetter) -> bool:
    """A letter that names no order is for those who see all shops."""
    shop = _shop(letter)
    return actor.shops is None or (shop is not None and actor.sees(shop))


def _letter(letter: DeadLetter) -> Letter:
    return Letter(
        letter_id=letter.letter_id,
        key=letter.key,
        stage=letter.stage,
        reason=letter.reason,
        topic=letter.topic,
        at=letter.at,
        attempts=letter.attempts,
        failures=list(letter.failures),
    )

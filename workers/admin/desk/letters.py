"""Dead letters at the desk: what was set aside and why, and putting it back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any

import orjson
from redis.exceptions import RedisError

from schemas.dead_letter import DeadLetter, Failure
from schemas.record import record
from schemas.text import Text
from workers.admin.dead_letters import Filter, Summaries, find_letter, no_such_letter, payload_of, shop_of
from workers.admin.desk.access import Actor, Deed, check_shop
from workers.admin.desk.asking import ServerAway, ask_topics
from workers.admin.desk.deeds import Deeds, checked_why
from workers.admin.desk.masking import masked
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
class RetrySum:
    """What became of all letters of one kind: how many by outcome, and why some could not be put back."""

    outcomes: dict[str, int]
    causes: list[tuple[Text, int]]  # why, and how many


@record
class Letters:
    """The newest letters, how many there are in all, and how many of each reason, whatever reason was asked for."""

    items: list[Letter]
    total: int
    reasons: dict[str, int]


@record
class LetterMessage:
    """A letter with its message, in which all is hidden that is not known to be harmless. `body` None: no JSON."""

    letter: Letter
    body: Any
    size: int  # bytes
    is_cut: bool  # the letter holds only the first part; it is put back whole, from its topic


class LetterDesk:
    """Reads `orders.quarantined`. All methods raise NotAllowed, ServerAway, TransientError."""

    def __init__(self, settings: Settings, deeds: Deeds) -> None:
        self._settings, self._deeds = settings, deeds

    def list(self, actor: Actor, *, reason: str | None, channel: str | None, limit: int) -> Letters:
        """The newest of those of the actor's shops. Raises InvalidRequest."""
        with self._deeds.doing(actor, Deed.LETTERS_LIST, subject=reason or channel or ""):
            checked_limit(limit)
            meant = Filter(channel=channel, shops=actor.shops)
            found = ask_topics(self._settings, lambda topics: _Found(topics, meant, reason, limit))
            return Letters(
                items=[_letter(each) for each in found.letters.newest],
                total=found.letters.total,
                reasons=dict(found.reasons.most_common()),
            )

    def show(self, actor: Actor, letter_id: str) -> Letter:
        """One of them. Raises NotFound."""
        with self._deeds.doing(actor, Deed.LETTERS_SHOW, subject=letter_id):
            return _letter(self._found(actor, letter_id))

    def message(self, actor: Actor, letter_id: str) -> LetterMessage:
        """One of them with what it holds, masked. People only. Raises NotFound."""
        with self._deeds.doing(actor, Deed.LETTERS_READ, subject=letter_id):
            found = self._found(actor, letter_id)
            try:
                payload = payload_of(found)
            except ValueError:
                payload = b""
            size = found.payload_bytes if found.payload_bytes >= 0 else len(payload)
            return LetterMessage(letter=_letter(found), body=_body(payload), size=size, is_cut=found.cut)

    def retry_kind(
        self,
        actor: Actor,
        *,
        reason: str,
        channel: str | None,
        why: str,
        told: Callable[[int], object] = lambda _number: None,
    ) -> RetrySum:
        """Put back all of one reason, each once, of the actor's shops. `told` is called with how many are through.

        One that failed too often stays: it is put back only by itself. Raises InvalidRequest.
        """
        with self._deeds.doing(actor, Deed.LETTERS_RETRY, subject=f"reason {reason} {channel or ''}".strip(), why=why):
            checked_why(why)
            wanted = Filter(reason=reason, channel=channel, shops=actor.shops)
            outcomes: Counter[str] = Counter()
            causes: Counter[Text] = Counter()

            def count(each: RetriedLetter) -> None:
                outcomes[each.outcome] += 1
                if each.why is not None:
                    causes[each.why] += 1
                told(outcomes.total())

            asyncio.run(self._retry(wanted, count))
            return RetrySum(outcomes=dict(outcomes), causes=causes.most_common())

    def retry(self, actor: Actor, letter_id: str, why: str) -> Retry:
        """Put its message back, once. Raises NotFound, InvalidRequest."""
        with self._deeds.doing(actor, Deed.LETTERS_RETRY, subject=letter_id, why=why):
            checked_why(why)
            self._found(actor, letter_id)
            found: list[RetriedLetter] = []
            asyncio.run(self._retry(Filter(letter_id=letter_id), found.append))
            if not found:
                raise NotFound(no_such_letter(letter_id), "unknown-letter")
            retried = found[0]
            return Retry(letter_id=letter_id, outcome=retried.outcome, why=retried.why)

    def _found(self, actor: Actor, letter_id: str) -> DeadLetter:
        letter = ask_topics(self._settings, lambda topics: find_letter(topics, letter_id))
        if not _is_theirs(actor, letter):
            shop = shop_of(letter)
            if shop is not None:
                check_shop(actor, shop)
            raise NotAllowed(
                Text("this letter belongs to no shop of yours", "该死信不属于您可查看的店铺"), "shop-not-yours"
            )
        return letter

    async def _retry(self, wanted: Filter, told: Callable[[RetriedLetter], None]) -> None:
        try:
            with Topics(self._settings.cluster) as topics:
                async with redis_client(self._settings) as redis:
                    run = LetterRetry(self._settings.cluster, redis, topics, wanted, again=False, dry_run=False).run()
                    async with aclosing(run) as letters:
                        async for each in letters:
                            told(each)
        except TransientError as error:
            away = redis_away if str(error).startswith("Redis") else kafka_away
            raise ServerAway(away(self._settings, error), "server-away") from None
        except RedisError as error:
            raise ServerAway(redis_refused(self._settings, error), "redis-away") from None


class _Found:
    """The newest of one reason, and how many there are of each: one look at the topic."""

    def __init__(self, topics: Topics, meant: Filter, reason: str | None, limit: int) -> None:
        self.reasons: Counter[str] = Counter()

        def wanted(letter: DeadLetter) -> bool:
            if not meant(letter):
                return False
            self.reasons[letter.reason] += 1
            return reason in (None, letter.reason)

        self.letters = Summaries(topics, wanted, limit)


def _body(payload: bytes) -> Any:
    try:
        return masked(orjson.loads(payload))
    except (orjson.JSONDecodeError, RecursionError):
        return None


def _is_theirs(actor: Actor, letter: DeadLetter) -> bool:
    """A letter that names no order is for those who see all shops."""
    return Filter(shops=actor.shops)(letter)


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

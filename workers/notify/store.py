"""What is known of matters, and who was told of them when: in Redis.

The hash of matters is written by who reads `notices`, all others by who has the turn to tell. All methods cost one
round trip and raise TransientError when Redis is away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.namespace import prefixed
from schemas.record import decode, encode, record
from workers.notify.decide import Care, Item, Told, Trouble
from workers.notify.matter import Matter
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import Script, ScriptCall, run_scripts

TURN_MS: Final = 90_000
"""Longer than a tick may take: who has the turn has it until its messages are sent and noted."""


MOST_SENT: Final = 2000
"""Messages of which a list is kept."""

MOST_PAST: Final = 1000
"""Matters that are over, of which a list is kept."""

_MOST_NAMED: Final = 20


@record
class SentMessage:
    """One message, or one try. `why`: why it failed, "" = it was sent. `keys`: the first of its matters."""

    at_ms: int
    recipient: str
    telling: str
    matters: int
    keys: tuple[str, ...]
    why: str = ""


def sent_message(recipient: str, items: Sequence[Item], at_ms: int, why: str = "") -> SentMessage | None:
    """What is kept of a message about these; None when it was none."""
    if not items:
        return None
    return SentMessage(
        at_ms=at_ms,
        recipient=recipient,
        telling=items[0].telling.value,
        matters=len(items),
        keys=tuple(item.matter.key for item in items[:_MOST_NAMED]),
        why=why,
    )


@record
class Standing:
    """All that is kept. `told`: recipient -> key of the matter -> what. `care`: by key of the matter."""

    matters: dict[str, Matter]
    told: dict[str, dict[str, Told]]
    trouble: dict[str, Trouble]
    digests: dict[str, str]  # recipient -> day of the last digest
    care: dict[str, Care] = field(default_factory=dict)


class NoticeStore:
    """The state of notices."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._turn, self._forget = (Script("workers.notify", f"{name}.lua") for name in ("turn", "forget"))
        names = ("matters", "told", "trouble", "digests")
        self._care, self._sent, self._past = (prefixed(f"{name}:{{notices}}") for name in ("care", "sent", "past"))
        self._matters, self._told, self._trouble, self._digests = (prefixed(f"{name}:{{notices}}") for name in names)

    async def matters(self, keys: Sequence[str]) -> dict[str, Matter]:
        """Those of these keys that are known."""
        with redis_errors():
            found: list[Any] = await self._redis.hmget(self._matters, list(keys))
        return {key: decode(Matter, raw) for key, raw in zip(keys, found, strict=True) if raw is not None}

    async def keep(self, matters: Sequence[Matter]) -> None:
        """Keep these as they are now."""
        with redis_errors():
            await self._redis.hset(self._matters, mapping={one.key: encode(one) for one in matters})

    async def standing(self) -> Standing:
        """All of it."""
        pipeline = self._redis.pipeline(transaction=False)
        for key in (self._matters, self._told, self._trouble, self._digests, self._care):
            pipeline.hgetall(key)
        with redis_errors():
            matters, told, trouble, digests, care = await pipeline.execute()
        by_recipient: dict[str, dict[str, Told]] = {}
        for name, raw in told.items():
            recipient, _, key = name.decode().partition(" ")
            by_recipient.setdefault(recipient, {})[key] = decode(Told, raw)
        return Standing(
            matters={key.decode(): decode(Matter, raw) for key, raw in matters.items()},
            told=by_recipient,
            trouble={name.decode(): decode(Trouble, raw) for name, raw in trouble.items()},
            digests={name.decode(): day.decode() for name, day in digests.items()},
            care={key.decode(): decode(Care, raw) for key, raw in care.items()},
        )

    async def note_begun(self, recipient: str, told: Mapping[str, Told]) -> None:
        """A message about these new matters is about to be sent."""
        if told:
            with redis_errors():
                await self._redis.hset(
                    self._told, mapping={f"{recipient} {key}": encode(one) for key, one in told.items()}
                )

    async def note_told(
        self, recipient: str, told: Mapping[str, Told], digest_day: str, message: SentMessage | None = None
    ) -> None:
        """The recipient has the message: so it could be reached. `digest_day`: of a digest that it was, or "".

        `message`: None when there was nothing to tell.
        """
        pipeline = self._redis.pipeline(transaction=True)
        self._log(pipeline, message)
        if told:
            pipeline.hset(self._told, mapping={f"{recipient} {key}": encode(one) for key, one in told.items()})
        if digest_day:
            pipeline.hset(self._digests, recipient, digest_day)
        pipeline.hdel(self._trouble, recipient)
        with redis_errors():
            await pipeline.execute()

    async def note_trouble(self, recipient: str, trouble: Trouble, message: SentMessage | None = None) -> None:
        """The recipient could not be reached with this message."""
        pipeline = self._redis.pipeline(transaction=True)
        self._log(pipeline, message)
        pipeline.hset(self._trouble, recipient, encode(trouble))
        with redis_errors():
            await pipeline.execute()

    def _log(self, pipeline: Any, message: SentMessage | None) -> None:
        if message is not None:
            pipeline.lpush(self._sent, encode(message))
            pipeline.ltrim(self._sent, 0, MOST_SENT - 1)

    async def sent(self) -> list[SentMessage]:
        """The last messages and tries, the newest first."""
        with redis_errors():
            found: Any = await self._redis.lrange(self._sent, 0, -1)
        return [decode(SentMessage, raw) for raw in found]

    async def past(self) -> list[Matter]:
        """The last matters that were over and are forgotten, those forgotten last first."""
        with redis_errors():
            found: Any = await self._redis.lrange(self._past, 0, -1)
        return [decode(Matter, raw) for raw in found]

    async def keep_care(self, key: str, care: Care) -> None:
        """Somebody looks after a matter, or wants to hear nothing of it for a while."""
        with redis_errors():
            await self._redis.hset(self._care, key, encode(care))

    async def retry_now(self, recipient: str) -> bool:
        """Have the recipient tried at once. Whether there was any trouble with it."""
        with redis_errors():
            return bool(await self._redis.hdel(self._trouble, recipient))

    async def take_turn(self, who: str, what: str = "turn") -> bool:
        """Whether it is this process that does this, for TURN_MS from now on. "turn": it tells people."""
        key = prefixed(f"{what}:{{notices}}")
        return bool((await self._run([ScriptCall(self._turn, (key,), (who, TURN_MS))]))[0])

    async def known(self) -> dict[str, Matter]:
        """Every matter, by its key."""
        with redis_errors():
            found: Any = await self._redis.hgetall(self._matters)
        return {key.decode(): decode(Matter, raw) for key, raw in found.items()}

    async def forget(self, matters: Sequence[Matter], recipients: Sequence[str]) -> None:
        """Nothing is left to tell of these; those of which a notice came meanwhile stay."""
        keys = (self._matters, self._told, self._care, self._past)
        calls = [
            ScriptCall(self._forget, keys, (one.key, encode(one), MOST_PAST, *_fields_of(one, recipients)))
            for one in matters
        ]
        await self._run(calls)

    async def _run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        replies = await run_scripts(self._redis, calls)
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
        return replies


def _fields_of(matter: Matter, recipients: Sequence[str]) -> list[str]:
    """Where it is kept what these were told of it."""
    return [f"{name} {matter.key}" for name in recipients]

"""What is known of matters, and who was told of them when: in Redis.

The hash of matters is written by who reads `notices`, all others by who has the turn to tell. All methods cost one
round trip and raise TransientError when Redis is away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.namespace import prefixed
from schemas.record import decode, encode, record
from workers.notify.decide import Told, Trouble
from workers.notify.matter import Matter
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import Script, ScriptCall, run_scripts

TURN_MS: Final = 90_000
"""Longer than a tick may take: who has the turn has it until its messages are sent and noted."""


@record
class Standing:
    """All that is kept. `told`: recipient -> key of the matter -> what."""

    matters: dict[str, Matter]
    told: dict[str, dict[str, Told]]
    trouble: dict[str, Trouble]
    digests: dict[str, str]  # recipient -> day of the last digest


class NoticeStore:
    """The state of notices."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._turn, self._forget = (Script("workers.notify", f"{name}.lua") for name in ("turn", "forget"))
        names = ("matters", "told", "trouble", "digests")
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
        for key in (self._matters, self._told, self._trouble, self._digests):
            pipeline.hgetall(key)
        with redis_errors():
            matters, told, trouble, digests = await pipeline.execute()
        by_recipient: dict[str, dict[str, Told]] = {}
        for field, raw in told.items():
            recipient, _, key = field.decode().partition(" ")
            by_recipient.setdefault(recipient, {})[key] = decode(Told, raw)
        return Standing(
            matters={key.decode(): decode(Matter, raw) for key, raw in matters.items()},
            told=by_recipient,
            trouble={name.decode(): decode(Trouble, raw) for name, raw in trouble.items()},
            digests={name.decode(): day.decode() for name, day in digests.items()},
        )

    async def note_begun(self, recipient: str, told: Mapping[str, Told]) -> None:
        """A message about these new matters is about to be sent."""
        if told:
            with redis_errors():
                await self._redis.hset(
                    self._told, mapping={f"{recipient} {key}": encode(one) for key, one in told.items()}
                )

    async def note_told(self, recipient: str, told: Mapping[str, Told], digest_day: str) -> None:
        """The recipient has the message: so it could be reached. `digest_day`: of a digest that it was, or ""."""
        pipeline = self._redis.pipeline(transaction=True)
        if told:
            pipeline.hset(self._told, mapping={f"{recipient} {key}": encode(one) for key, one in told.items()})
        if digest_day:
            pipeline.hset(self._digests, recipient, digest_day)
        pipeline.hdel(self._trouble, recipient)
        with redis_errors():
            await pipeline.execute()

    async def note_trouble(self, recipient: str, trouble: Trouble) -> None:
        """The recipient could not be reached."""
        with redis_errors():
            await self._redis.hset(self._trouble, recipient, encode(trouble))

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
        keys = (self._matters, self._told)
        calls = [
            ScriptCall(self._forget, keys, (one.key, encode(one), *(f"{name} {one.key}" for name in recipients)))
            for one in matters
        ]
        await self._run(calls)

    async def _run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        replies = await run_scripts(self._redis, calls)
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
        return replies

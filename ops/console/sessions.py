"""Who is signed in: sessions in Redis, so that a restart signs nobody out, and all consoles share them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.namespace import prefixed
from schemas.record import decode, encode, record
from workers.runtime.errors import TransientError

LONGEST_SECONDS: Final = 12 * 3600.0
"""However busy somebody is: after so long they sign in again."""

GRACE_SECONDS: Final = 600.0
"""While Redis is away, who was seen by this process within so long goes on."""

_MOST_REMEMBERED: Final = 10_000


@record
class _Kept:
    """What Redis has of a session."""

    name: str
    since: float


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. `key`: a hash of their token, which nobody else has."""

    key: str
    name: str


class Sessions:
    """Opens sessions, finds them and ends them. The token is random, and only its hash is kept."""

    def __init__(self, redis: Redis, idle_seconds: float) -> None:
        self._redis, self._idle = redis, idle_seconds
        self._seen: dict[str, tuple[_Kept, float]] = {}  # key -> what it was, and when: for when Redis is away

    async def open(self, name: str) -> str:
        """Let somebody in. Their token. Raises TransientError."""
        token = secrets.token_urlsafe(32)
        kept = _Kept(name=name, since=time.time())
        try:
            await self._redis.set(_redis_key(key_of(token)), encode(kept), ex=int(self._idle))
        except RedisError as error:
            raise _away(error) from None
        return token

    async def find(self, token: str) -> Session | None:
        """Whose token it is, if anybody's; they are seen to be there."""
        return await self.check(key_of(token), used=True) if token else None

    async def check(self, key: str, *, used: bool) -> Session | None:
        """Whether a session goes on. `used`: somebody did something, so that it does not end for idleness."""
        try:
            name = _redis_key(key)
            found: Any = await (self._redis.getex(name, ex=int(self._idle)) if used else self._redis.get(name))
        except RedisError:
            return self._remembered(key)
        kept = decode(_Kept, found) if found is not None else None
        if kept is None or time.time() - kept.since > LONGEST_SECONDS:
            self._seen.pop(key, None)
            return None
        if len(self._seen) >= _MOST_REMEMBERED:
            self._seen.clear()
        self._seen[key] = kept, time.time()
        return Session(key, kept.name)

    async def ended(self, keys: Sequence[str]) -> set[str]:
        """Those of these sessions that are over. None while Redis does not say."""
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.exists(_redis_key(key))
                there = await pipe.execute()
        except RedisError:
            return set()
        return {key for key, found in zip(keys, there, strict=True) if not found}

    async def close(self, key: str) -> None:
        """End a session. Raises TransientError: then it is over in this process only."""
        self._seen.pop(key, None)
        try:
            await self._redis.delete(_redis_key(key))
        except RedisError as error:
            raise _away(error) from None

    async def answers(self) -> bool:
        """Whether Redis answers."""
        try:
            await self._redis.ping()
        except RedisError:
            return False
        return True

    def _remembered(self, key: str) -> Session | None:
        kept, at = self._seen.get(key, (None, 0.0))
        return Session(key, kept.name) if kept is not None and time.time() - at < GRACE_SECONDS else None


def key_of(token: str) -> str:
    """Under what a session is kept."""
    return sha256(token.encode()).hexdigest()


def _redis_key(key: str) -> str:
    return prefixed(f"console-session:{key}")


def _away(error: RedisError) -> TransientError:
    return TransientError(f"Redis does not answer ({type(error).__name__})")

"""Puts a running Redis into the states in which it refuses work: full, read-only, busy ... and out of them again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

_PATIENCE_SECONDS: Final = 10.0
_FOR_EVER: Final = "while true do redis.call('PING') end"


def _configured(redis: Redis, name: str, value: str, back: str) -> Iterator[None]:
    ask: Any = redis.execute_command  # untyped
    ask("CONFIG", "SET", name, value)
    try:
        yield
    finally:
        ask("CONFIG", "SET", name, back)


@contextmanager
def full(redis: Redis) -> Iterator[None]:
    """OOM: it holds more than it may, and evicts nothing."""
    yield from _configured(redis, "maxmemory", "1", "0")


@contextmanager
def replica(redis: Redis) -> Iterator[None]:
    """READONLY: it has become the replica of a primary that is away; its data is read all the same."""
    ask: Any = redis.execute_command
    ask("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
        ask("REPLICAOF", "NO", "ONE")


@contextmanager
def stale(redis: Redis) -> Iterator[None]:
    """MASTERDOWN: the same, and it does not show data that may be old."""
    with replica(redis):
        yield from _configured(redis, "replica-serve-stale-data", "no", "yes")


@contextmanager
def without_replicas(redis: Redis) -> Iterator[None]:
    """NOREPLICAS: it takes writes only while replicas follow, and none does."""
    yield from _configured(redis, "min-replicas-to-write", "1", "0")


@contextmanager
def busy(redis: Redis) -> Iterator[None]:
    """BUSY: a script of somebody else does not end."""
    ask: Any = redis.execute_command
    ask("CONFIG", "SET", "lua-time-limit", "20")
    thread = threading.Thread(target=_run_for_ever, args=(redis,), name="a script that does not end", daemon=True)
    thread.start()
    _until(lambda: first_word(redis) == "BUSY")
    try:
        yield
    finally:
        _until(lambda: _killed(redis))
        thread.join(_PATIENCE_SECONDS)


def _run_for_ever(redis: Redis) -> None:
    pool = redis.connection_pool
    own = Redis(**{name: pool.connection_kwargs[name] for name in ("host", "port", "db")}, socket_timeout=None)
    try:
        own.execute_command("EVAL", _FOR_EVER, 0)  # type: ignore[no-untyped-call]
    except RedisError:
        pass  # it was killed, as it was meant to be
    finally:
        own.close()


def _killed(redis: Redis) -> bool:
    try:
        redis.execute_command("SCRIPT", "KILL")  # type: ignore[no-untyped-call]
    except RedisError as error:
        return "NOTBUSY" in str(error)
    return False


def first_word(redis: Redis) -> str:
    """What a read is refused with, "" when it is answered."""
    try:
        redis.execute_command("GET", "no such key")  # type: ignore[no-untyped-call]
    except RedisError as error:
        return str(error).partition(" ")[0]
    return ""


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError("this Redis does not come into the state that was asked for")
        time.sleep(0.01)


State = Callable[[Redis], AbstractContextManager[None]]

WRITES_REFUSED: Final[Mapping[str, State]] = {
    "OOM": full,
    "READONLY": replica,
    "NOREPLICAS": without_replicas,
}
"""By the code that writes are refused with. Reads are answered."""

ALL_REFUSED: Final[Mapping[str, State]] = {"MASTERDOWN": stale, "BUSY": busy}
"""By the code that everything is refused with."""

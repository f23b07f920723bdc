"""The ledger's keys as values: what is in Redis, what should be, and whether the two are the same to the byte."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson
from redis.asyncio import Redis

from schemas.namespace import prefixed, unprefixed
from workers.inventory.keys import (
    WAREHOUSES,
    deadlines_key,
    moved_key,
    reservation_key,
    sequence_key,
    stock_key,
    transfer_key,
    warehouses_key,
)
from workers.rebuild.replay import Record, TransferRecord, WarehouseReplay
from workers.runtime.redis.errors import raise_trouble, redis_errors

WAITING_FAMILIES: Final = ("waiting", "waiting-ages", "waiting-wants", "waiting-in-hand")
FAMILIES: Final = (
    "stock",
    "reservation",
    "deadlines",
    "transfer",
    "moved",
    "sequence",
    "order",
    "decisions",
    *WAITING_FAMILIES,
)
"""How the keys of the ledger begin, `warehouses` aside. `outbox` and `relay` are about the way to Kafka."""

_PAGE: Final = 2000
_KIND: Final = {  # hash: the others
    "deadlines": "zset",
    "moved": "zset",
    "waiting-ages": "zset",
    "waiting-in-hand": "zset",
    "sequence": "string",
    WAREHOUSES: "set",
}


class Content(NamedTuple):
    """One key. A hash is a dict of text, a sorted set a dict of numbers, a set a sorted list."""

    key: str
    value: Any
    expires_ms: int = 0  # 0 = never

    @property
    def family(self) -> str:
        """How the key begins, after the prefix."""
        return _family(self.key)

    def line(self) -> bytes:
        """The key in one line of a dump: all that it holds and whether, not when, it expires."""
        kind = _KIND.get(self.family, "hash")
        return orjson.dumps([self.key, kind, self.value, bool(self.expires_ms)], option=orjson.OPT_SORT_KEYS)

    def backup(self) -> bytes:
        """The key in one line of a backup; `restored` reads it."""
        return orjson.dumps(list(self))


def _family(key: str) -> str:
    return unprefixed(key).partition(":")[0]


def restored(line: bytes) -> Content:
    """The content of one line of a backup. Raises ValueError."""
    key, value, expires_ms = orjson.loads(line)
    return Content(key, value, expires_ms)


# -- what should be ------------------------------------------------------------------------------------------------


def contents_of(replay: WarehouseReplay, remember_ms: int, now_ms: int) -> Iterator[Content]:
    """All keys of one warehouse as its events tell of them; without those that Redis would have forgotten by now."""
    warehouse_id = replay.warehouse_id
    if replay.sequence:
        yield Content(sequence_key(warehouse_id), str(replay.sequence))
    for sku, counters in replay.stock.items():
        if counters:
            yield Content(stock_key(warehouse_id, sku), {name: str(figure) for name, figure in counters.items()})
    for sku, movements in replay.moved.items():
        if movements.scores:
            yield Content(moved_key(warehouse_id, sku), movements.scores)
    deadlines = {uid: record.deadline_ms for uid, record in replay.records.items() if record.is_swept}
    if deadlines:
        yield Content(deadlines_key(warehouse_id), deadlines)
    remembered: tuple[tuple[str, Mapping[str, Record | TransferRecord]], ...] = (
        (reservation_key(warehouse_id, ""), replay.records),
        (transfer_key(warehouse_id, ""), replay.transfers),
    )
    for prefix, records in remembered:
        for name, record in records.items():
            if not replay.is_forgotten(record, now_ms):
                yield Content(prefix + name, record.fields(), 0 if record.is_live else record.at_ms + remember_ms)


# -- what is -------------------------------------------------------------------------------------------------------


async def ledger_keys(redis: Redis) -> AsyncIterator[list[bytes]]:
    """All keys of the ledger in pages, each key at least once. Raises TransientError."""
    with redis_errors():
        if await redis.exists(warehouses_key()):
            yield [warehouses_key().encode()]
        for family in FAMILIES:
            page: list[bytes] = []
            async for key in redis.scan_iter(match=prefixed(f"{family}:{{*"), count=2000):
                page.append(key)
                if len(page) >= _PAGE:
                    yield page
                    page = []
            if page:
                yield page


async def read_contents(redis: Redis) -> AsyncIterator[Content]:
    """All keys of the ledger with what they hold. Raises TransientError."""
    seen: set[bytes] = set()
    async for page in ledger_keys(redis):
        fresh = [key for key in dict.fromkeys(page) if key not in seen]
        seen.update(fresh)
        pipeline = redis.pipeline(transaction=False)
        for key in fresh:
            _ask(pipeline, key)
        with redis_errors():
            replies = await pipeline.execute(raise_on_error=False)
        for reply in replies:
            raise_trouble(reply)
        now_ms = int(time.time() * 1000)
        for key, value, expires_ms in zip(fresh, replies[::2], replies[1::2], strict=True):
            if value:
                yield Content(key.decode(errors="replace"), _read(value), now_ms + expires_ms if expires_ms > 0 else 0)


def _ask(pipeline: Any, key: bytes) -> None:
    kind = _KIND.get(_family(key.decode(errors="replace")), "hash")
    if kind == "zset":
        pipeline.zrange(key, 0, -1, withscores=True)
    elif kind == "string":
        pipeline.get(key)
    elif kind == "set":
        pipeline.smembers(key)
    else:
        pipeline.hgetall(key)
    pipeline.pttl(key)


def _read(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return {_word(name): _word(each) for name, each in value.items()}
    if isinstance(value, set):
        return sorted(_word(each) for each in value)
    if isinstance(value, list):
        return {_word(name): int(score) for name, score in value}
    return f"unreadable: {type(value).__name__}"


def _word(value: bytes) -> str:
    return value.decode(errors="replace")


async def dump(redis: Redis) -> bytes:
    """The whole ledger, one key a line, sorted: two equal dumps are two equal ledgers."""
    return b"\n".join(sorted([content.line() async for content in read_contents(redis)]))


# -- writing -------------------------------------------------------------------------------------------------------


async def write_contents(redis: Redis, contents: Iterable[Content]) -> int:
    """Write keys that are not there yet. How many. Raises TransientError."""
    written, page = 0, []
    for content in contents:
        page.append(content)
        if len(page) >= _PAGE:
            written += await _write(redis, page)
            page = []
    return written + await _write(redis, page)


async def _write(redis: Redis, page: Sequence[Content]) -> int:
    if not page:
        return 0
    pipeline = redis.pipeline(transaction=False)
    add = pipeline.execute_command
    for content in page:
        for command in _commands(content):
            add(*command)
    with redis_errors():
        await pipeline.execute()
    return len(page)


def _commands(content: Content) -> Iterator[tuple[Any, ...]]:
    key, value, expires_ms = content
    kind = _KIND.get(content.family, "hash")
    if kind == "zset":
        members = list(value.items())
        for start in range(0, len(members), _PAGE):
            yield ("ZADD", key, *(word for name, score in members[start : start + _PAGE] for word in (score, name)))
    elif kind == "string":
        yield ("SET", key, value)
    elif kind == "set":
        yield ("SADD", key, *value)
    else:
        yield ("HSET", key, *(word for pair in value.items() for word in pair))
    if expires_ms:
        yield ("PEXPIREAT", key, expires_ms)


async def delete_outboxes(redis: Redis) -> None:
    """Delete the events that are not yet known to be in Kafka. Raises TransientError."""
    with redis_errors():
        async for key in redis.scan_iter(match=prefixed("outbox:{*"), count=2000):
            await redis.unlink(key)


async def delete_all(redis: Redis) -> int:
    """Delete every key of the ledger; outboxes stay. How many. Raises TransientError."""
    deleted = 0
    async for page in ledger_keys(redis):
        with redis_errors():
            deleted += await redis.unlink(*page)
    return deleted

"""Erasing the personal data of one order: at once in Redis, and said exactly where else it stays until when.

Kafka gives up single records only when their topic's retention ends. Until then a note in Redis keeps commands from
showing what they still hold of the order, and from putting it back. See ops/docs/decisions/0023.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson
from redis.asyncio import Redis

from schemas.fulfillment import WmsEvent
from schemas.namespace import prefixed
from schemas.personal import personal_fields, without_personal
from schemas.plan import DeferredOrder
from schemas.record import changed, decode, encode
from schemas.text import Text, moment
from schemas.topics import FOREVER, TOPICS, Topic
from workers.admin.errors import NotFound, Rejected
from workers.admin.scan import Topics
from workers.decisions import standing as decisions
from workers.defer.queue import DelayQueue
from workers.inventory.keys import order_key
from workers.inventory.ledger import Ledger
from workers.inventory.records import LIVE, OrderSnapshot, OrderState
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import Script, ScriptCall, run_scripts

SETTLED: Final = frozenset({OrderState.RELEASED, OrderState.EXPIRED, OrderState.SHIPPED, OrderState.NOTHING})
"""Nobody ships anything of such an order any more."""

_TRIES: Final = 20  # of a field that others change just then
_OVERTAKEN: Final = b"overtaken:"


class Kept(NamedTuple):
    """A topic that still holds records of the order. `until`: when the newest of them is given up, None = never."""

    topic: str
    records: int
    until: datetime | None


class StateInRedis(NamedTuple):
    """What Redis says of an order before it is erased."""

    is_known: bool
    may_still_ship: bool  # then its receiver is needed


class Erased(NamedTuple):
    """What was emptied in Redis, in numbers of values."""

    deferred: int
    answers: int
    corrected: int = 0  # 1: the receiver as a person had corrected it


def personal_topics() -> tuple[Topic, ...]:
    """The topics whose records hold data about a person: the platforms' own bytes, and models with such fields."""
    return tuple(topic for topic in TOPICS if topic.model is None or personal_fields(topic.model))


def longest_retention() -> timedelta:
    """After so long no topic holds anything of an order that is erased now."""
    return max(topic.retention for topic in personal_topics())


def until(topic: Topic, newest: datetime) -> datetime | None:
    """When the topic gives up a record of that time, at the earliest."""
    return None if topic.retention == FOREVER else newest + topic.retention


def kept_records(topics: Topics, order_uid: str) -> list[Kept]:
    """The topics that hold records of this order, and until when they do. Raises TransientError."""
    declared = {
        name: topic
        for topic in personal_topics()
        for name in sorted(topics.partitions)
        if name == topic.name or (topic.per and name.startswith(f"{topic.name}."))
    }
    times: dict[str, list[datetime]] = {name: [] for name in declared}
    for record in topics.having_key(order_uid, list(declared)):  # all in one pass: each has to wait for its end
        times[record.topic].append(record.at)
    return [Kept(name, len(at), until(declared[name], max(at))) for name, at in times.items() if at]


async def state_in_redis(redis: Redis, order_uid: str) -> StateInRedis:
    """Whether Redis knows the order, and whether somebody may still ship it. Raises TransientError."""
    order_snapshot = await Ledger(redis).orders.where_is(order_uid)
    deferred = await Erasure(redis).is_deferred(order_uid)
    is_known = deferred or bool(order_snapshot.revision or order_snapshot.reservations)
    return StateInRedis(is_known, is_at_work(order_snapshot, is_deferred=deferred))


def check_erasure(order_uid: str, kept: Sequence[Kept], state: StateInRedis, *, force: bool) -> None:
    """Raises NotFound when nobody holds anything of it; Rejected when it may still ship, unless that is forced."""
    if not state.is_known and not kept:
        raise NotFound(
            Text(
                f"nobody holds anything of {order_uid}; check its spelling, or it was given up by every topic already",
                f"没有 {order_uid} 的任何记录；请检查拼写，或所有主题都已过保留期",
            )
        )
    if state.may_still_ship and not force:
        raise Rejected(
            Text(
                f"{order_uid} may still be shipped, and its receiver is needed for that; cancel it in the shop first, "
                "or erase it all the same with --force (orderfleet explain tells where it is)",
                f"{order_uid} 仍可能发货，需要收件信息；请先在店铺取消，或加 --force 强制抹去"
                "（orderfleet explain 可查看订单位置）",
            )
        )


def is_at_work(order_snapshot: OrderSnapshot, *, is_deferred: bool) -> bool:
    """Whether somebody may still ship the order: then its receiver is needed."""
    if is_deferred or any(each.state in LIVE for each in order_snapshot.reservations):
        return True
    if not order_snapshot.revision:
        return False
    return not order_snapshot.settled or order_snapshot.state not in SETTLED


def was_erased(order_uid: str, when: datetime) -> Text:
    """Why nothing of an order is shown or put back."""
    return Text(
        f"the personal data of {order_uid} was erased ({moment(when)}): what Kafka still holds of it is not shown and "
        "not processed again",
        f"{order_uid} 的个人信息已抹去（{moment(when)}）：Kafka 中剩余的内容不再显示，也不再处理",
    )


class Erasure:
    """Empties what Redis holds of a person, and remembers which orders are erased. Raises TransientError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._replace = Script("workers.admin", "replace_field.lua")
        self._queue = DelayQueue(redis)

    async def is_deferred(self, order_uid: str) -> bool:
        """Whether the order waits until it is due, whole and with its receiver."""
        key = self._queue.key_of_body(order_uid)
        with redis_errors():
            return bool(await self._redis.hexists(key, order_uid))

    async def erase(self, order_uid: str, at: datetime) -> Erased:
        """Note it first: whoever reads meanwhile shows nothing. Doing it again is safe."""
        lasts = int(longest_retention().total_seconds())
        with redis_errors():
            await self._redis.set(_note(order_uid), int(at.timestamp()), ex=lasts)
        deferred = await self._change(self._queue.key_of_body(order_uid), order_uid.encode(), _empty_deferred)
        answers = 0
        with redis_errors():
            names: list[Any] = await self._redis.hkeys(order_key(order_uid))
        for name in names:
            if name.startswith(_OVERTAKEN):
                answers += await self._change(order_key(order_uid), name, _empty_answers)
        corrected = await self._change(order_key(order_uid), b"standing", _empty_standing)
        return Erased(int(deferred), answers, int(corrected))

    async def erased(self, order_uids: Iterable[str]) -> dict[str, datetime]:
        """Which of these orders were erased, and when."""
        uids = list(dict.fromkeys(order_uids))
        if not uids:
            return {}
        pipeline = self._redis.pipeline(transaction=False)
        for uid in uids:
            pipeline.get(_note(uid))
        with redis_errors():
            found: Sequence[bytes | None] = await pipeline.execute()
        return {uid: datetime.fromtimestamp(int(at), UTC) for uid, at in zip(uids, found, strict=True) if at}

    async def refuse_erased(self, order_uid: str) -> None:
        """Raises Rejected when the order was erased: nothing of it may be shown. Raises TransientError."""
        if when := (await self.erased([order_uid])).get(order_uid):
            raise Rejected(was_erased(order_uid, when))

    async def _change(self, key: str, field: bytes, change: Callable[[bytes], bytes]) -> bool:
        """Change a field that others may change, too. Whether there was anything to change."""
        for _ in range(_TRIES):
            with redis_errors():
                held: Any = await self._redis.hget(key, field)
            if held is None:
                return False
            emptied = change(held)
            if emptied == held:
                return False
            call = ScriptCall(self._replace, (key,), (field, held, emptied))
            [reply] = await run_scripts(self._redis, [call])
            if isinstance(reply, Exception):
                raise reply
            if reply[0] == b"REPLACED":
                return True
        raise RuntimeError("a field in Redis was changed all the time")


def _note(order_uid: str) -> str:
    return prefixed(f"erased:{{{order_uid}}}")


def _empty_deferred(body: bytes) -> bytes:
    deferred = decode(DeferredOrder, zlib.decompress(body))
    emptied = without_personal(deferred)
    return body if emptied == deferred else zlib.compress(encode(emptied), 1)


def _empty_standing(kept: bytes) -> bytes:
    """What stands of decisions, without the receiver: the platform's word counts for that again."""
    standing = decode(decisions.Standing, kept)
    return kept if standing.receiver is None else encode(changed(standing, receiver=None))


def _empty_answers(packed: bytes) -> bytes:
    """What a warehouse said, without the parcel's number."""
    return orjson.dumps(list(_emptied(orjson.loads(packed))))


def _emptied(answers: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for answer in answers:
        event = without_personal(decode(WmsEvent, answer["event"]))
        yield {**answer, "event": encode(event).decode()}

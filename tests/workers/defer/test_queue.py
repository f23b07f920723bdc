"""The delay queue on a real Redis: nothing taken twice at once, nothing lost, only the newest revision waits."""

from __future__ import annotations

import asyncio
from importlib.resources import files

import pytest
from redis.asyncio import Redis

from workers.defer.queue import SHARDS, DelayQueue, FinishOutcome, Keep, KeepOutcome, Woken

NOW, LEASE = 1_000_000, 30_000
OLD, NEW = "000000000000001.3000.aaaaaaaaaaaa", "000000000000002.3000.aaaaaaaaaaaa"


@pytest.fixture
def queue(redis: Redis) -> DelayQueue:
    return DelayQueue(redis)


def an_entry(uid: str = "taobao:x:1", revision: str = OLD, due_ms: int | None = NOW, body: bytes = b"order") -> Keep:
    return Keep(uid, revision, due_ms, body)


async def test_an_order_comes_when_it_is_due_and_not_before(queue: DelayQueue) -> None:
    assert await queue.keep([an_entry(due_ms=NOW)]) == [KeepOutcome.KEPT]

    assert await queue.wake(NOW - 1, LEASE, 10) == []
    assert await queue.wake(NOW, LEASE, 10) == [Woken("taobao:x:1", OLD, NOW, b"order")]


async def test_what_was_taken_comes_again_after_the_lease_the_same_to_the_byte(queue: DelayQueue) -> None:
    await queue.keep([an_entry()])
    taken = await queue.wake(NOW + 5, LEASE, 10)

    assert await queue.wake(NOW + 5 + LEASE - 1, LEASE, 10) == []
    assert await queue.wake(NOW + 5 + LEASE, LEASE, 10) == taken


async def test_what_is_finished_is_gone_without_a_trace(queue: DelayQueue, redis: Redis) -> None:
    await queue.keep([an_entry()])
    await queue.wake(NOW, LEASE, 10)

    assert await queue.finish([("taobao:x:1", OLD)]) == [FinishOutcome.FINISHED]
    assert await redis.keys() == []
    assert await queue.finish([("taobao:x:1", OLD)]) == [FinishOutcome.REPLACED]


async def test_keeping_twice_is_keeping_once(queue: DelayQueue) -> None:
    assert await queue.keep([an_entry(), an_entry(due_ms=NOW + 99)]) == [KeepOutcome.KEPT, KeepOutcome.ALREADY]
    assert await queue.waiting() == 1
    assert len(await queue.wake(NOW, LEASE, 10)) == 1


async def test_keeping_again_what_is_being_put_back_changes_nothing(queue: DelayQueue) -> None:
    await queue.keep([an_entry()])
    await queue.wake(NOW, LEASE, 10)

    assert await queue.keep([an_entry()]) == [KeepOutcome.ALREADY]
    assert await queue.wake(NOW, LEASE, 10) == []


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
async def test_the_newest_revision_waits_in_whatever_order_they_come(queue: DelayQueue, order: tuple[str, ...]) -> None:
    await queue.keep([an_entry(revision=revision, body=revision.encode()) for revision in order])

    assert await queue.wake(NOW, LEASE, 10) == [Woken("taobao:x:1", NEW, NOW, NEW.encode())]


async def test_a_newer_revision_replaces_one_that_is_just_put_back(queue: DelayQueue) -> None:
    await queue.keep([an_entry()])
    await queue.wake(NOW, LEASE, 10)
    await queue.keep([an_entry(revision=NEW, due_ms=NOW + 500)])

    assert await queue.finish([("taobao:x:1", OLD)]) == [FinishOutcome.REPLACED]
    assert await queue.wake(NOW + 499, LEASE, 10) == []
    assert await queue.wake(NOW + 500, LEASE, 10) == [Woken("taobao:x:1", NEW, NOW + 500, b"order")]


async def test_a_revision_that_waits_for_the_platform_drops_what_waited_before(queue: DelayQueue, redis: Redis) -> None:
    await queue.keep([an_entry()])

    assert await queue.keep([an_entry(revision=NEW, due_ms=None)]) == [KeepOutcome.DROPPED]
    assert await redis.keys() == []


async def test_an_older_revision_that_waits_for_the_platform_drops_nothing(queue: DelayQueue) -> None:
    await queue.keep([an_entry(revision=NEW)])

    assert await queue.keep([an_entry(due_ms=None)]) == [KeepOutcome.STALE]
    assert await queue.waiting() == 1


async def test_many_sweepers_at_once_share_what_is_due_and_take_none_twice(queue: DelayQueue) -> None:
    uids = [f"taobao:x:{number}" for number in range(400)]
    await queue.keep([an_entry(uid) for uid in uids])

    rounds = await asyncio.gather(*(queue.wake(NOW, LEASE, 3) for _ in range(40)))

    taken = [woken.order_uid for woken_by_one in rounds for woken in woken_by_one]
    assert sorted(taken) == sorted(uids)
    assert all(len(woken_by_one) <= 3 * SHARDS for woken_by_one in rounds)


async def test_what_is_due_is_not_held_up_by_what_nobody_could_finish(queue: DelayQueue) -> None:
    await queue.keep([an_entry()])
    await queue.wake(NOW, LEASE, 1)
    await queue.keep([an_entry(f"taobao:x:{number}", due_ms=NOW + 1) for number in range(2, 50)])

    first = await queue.wake(NOW + LEASE, LEASE, 50)

    assert {woken.order_uid for woken in first} == {f"taobao:x:{number}" for number in range(1, 50)}


@pytest.mark.parametrize("name", ["keep.lua", "wake.lua", "finish.lua"])
def test_every_script_says_what_it_promises(name: str) -> None:
    text = files("workers.defer").joinpath("lua", name).read_text(encoding="utf-8")

    head = text.partition("]]")[0]
    assert "KEYS[5]" in head
    assert "Returns" in head
    outcomes = {"keep.lua": KeepOutcome, "finish.lua": FinishOutcome}.get(name, ())
    for outcome in outcomes:
        assert f"    {outcome} " in head
        assert f"'{outcome}'" in text

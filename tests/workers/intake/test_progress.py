"""What intake notes of shops for whoever watches them, on a real Redis."""

from __future__ import annotations

from datetime import timedelta

from redis.asyncio import Redis

from tests.builders import NOON
from workers.intake.progress import NOTED_SECONDS, ProgressNotes
from workers.intake.store import ShopKey

TEA, MUG = ShopKey("taobao", "tea"), ShopKey("jd", "mug")


async def test_a_shop_is_known_with_its_cursor_its_news_and_its_pushes(redis: Redis) -> None:
    notes = ProgressNotes(redis)
    await notes.seen(TEA, NOON)
    await notes.news(TEA, NOON - timedelta(minutes=1))
    await notes.pushed(TEA, NOON - timedelta(minutes=2))
    await notes.seen(MUG, NOON)
    await redis.set(TEA.redis_key("cursor"), int(NOON.timestamp() * 1000) - 500)
    mug, tea = await notes.read(NOON)
    assert (mug.shop, mug.read_to, mug.news_at, mug.pushed_at) == ("jd/mug", None, None, None)
    assert tea.shop == "taobao/tea"
    assert tea.read_to == NOON - timedelta(milliseconds=500)
    assert (tea.news_at, tea.pushed_at) == (NOON - timedelta(minutes=1), NOON - timedelta(minutes=2))


async def test_a_shop_that_no_poller_has_for_a_day_is_forgotten(redis: Redis) -> None:
    notes = ProgressNotes(redis)
    await notes.seen(TEA, NOON)
    await notes.pushed(TEA, NOON)
    assert len(await notes.read(NOON + timedelta(hours=24))) == 1
    assert await notes.read(NOON + timedelta(hours=24, seconds=1)) == []
    assert await notes.read(NOON) == []


async def test_a_shop_that_only_pushes_is_none_until_a_poller_has_it(redis: Redis) -> None:
    notes = ProgressNotes(redis)
    await notes.pushed(TEA, NOON)
    assert await notes.read(NOON) == []
    await notes.seen(TEA, NOON)
    assert len(await notes.read(NOON)) == 1


async def test_the_same_is_noted_once_a_minute(redis: Redis) -> None:
    clock = [0.0]
    notes = ProgressNotes(redis, lambda: clock[0])
    await notes.news(TEA, NOON)
    await notes.seen(TEA, NOON)
    await notes.news(TEA, NOON + timedelta(seconds=30))
    assert (await notes.read(NOON))[0].news_at == NOON
    clock[0] = NOTED_SECONDS
    await notes.news(TEA, NOON + timedelta(seconds=60))
    assert (await notes.read(NOON))[0].news_at == NOON + timedelta(seconds=60)

"""The cursor moves only for the newest lease holder, and only from where it believes it stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from tests.workers.intake.fakes import NOON, SHOP
from workers.intake.cursor import CursorMoved, Cursors
from workers.intake.lease import Lease, LeaseLost, Leases
from workers.intake.store import ShopKey

LATER = NOON + timedelta(minutes=10)


async def lease_of(redis: Redis) -> Lease:
    await redis.delete(SHOP.redis_key("lease"))
    lease = await Leases(redis).acquire(SHOP)
    assert lease is not None
    return lease


async def test_a_shop_that_was_never_read_has_no_cursor(redis: Redis) -> None:
    assert await Cursors(redis).read(SHOP) is None


async def test_a_cursor_is_kept_per_channel_and_shop(redis: Redis) -> None:
    cursors, lease = Cursors(redis), await lease_of(redis)
    await cursors.advance(SHOP, lease.fence, expected=None, to=NOON)
    assert await cursors.read(SHOP) == NOON
    assert await cursors.read(ShopKey("jd", "flagship")) is None


async def test_a_poller_that_lost_its_lease_without_noticing_cannot_move_the_cursor(redis: Redis) -> None:
    cursors = Cursors(redis)
    old, new = await lease_of(redis), await lease_of(redis)
    with pytest.raises(LeaseLost, match="taobao/flagship"):
        await cursors.advance(SHOP, old.fence, expected=None, to=LATER)
    await cursors.advance(SHOP, new.fence, expected=None, to=NOON)
    with pytest.raises(LeaseLost):
        await cursors.advance(SHOP, old.fence, expected=NOON, to=LATER)
    assert await cursors.read(SHOP) == NOON


async def test_a_cursor_that_was_set_meanwhile_is_not_overwritten(redis: Redis) -> None:
    cursors, lease = Cursors(redis), await lease_of(redis)
    await cursors.advance(SHOP, lease.fence, expected=None, to=LATER)
    await cursors.rewind(SHOP, NOON)
    with pytest.raises(CursorMoved):
        await cursors.advance(SHOP, lease.fence, expected=LATER, to=LATER)
    assert await cursors.read(SHOP) == NOON


async def test_a_redis_that_lost_everything_refuses_the_holder_of_before(redis: Redis) -> None:
    cursors, lease = Cursors(redis), await lease_of(redis)
    await redis.flushall()
    with pytest.raises(LeaseLost):
        await cursors.advance(SHOP, lease.fence, expected=None, to=NOON)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
async def test_a_cursor_is_read_as_it_was_stored_to_the_millisecond(redis: Redis, moment: datetime) -> None:
    cursors = Cursors(redis)
    await cursors.rewind(SHOP, moment)
    assert await cursors.read(SHOP) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)

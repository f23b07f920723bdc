"""One poller per shop: the lease, its fencing number, and what happens when it is lost."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from importlib.resources import files

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ops.testbed.local_stack.ports import LOOPBACK, free_port
from tests.workers.intake.fakes import SHOP
from workers.intake.lease import LeaseLost, Leases, Renewal
from workers.intake.store import ShopKey, asked
from workers.runtime.errors import TransientError

LEASE_KEY = "intake-lease:{taobao/flagship}"


async def for_ever() -> None:
    await asyncio.Event().wait()


async def until(true: asyncio.Event, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        await true.wait()


async def test_only_one_of_many_racing_pollers_gets_the_lease(redis: Redis) -> None:
    leases = [Leases(redis) for _ in range(50)]
    won = await asyncio.gather(*(each.acquire(SHOP) for each in leases))
    assert sum(lease is not None for lease in won) == 1


async def test_leases_of_other_shops_are_other_leases(redis: Redis) -> None:
    leases = Leases(redis)
    assert await leases.acquire(SHOP) is not None
    assert await leases.acquire(ShopKey("taobao", "outlet")) is not None
    assert await leases.acquire(ShopKey("jd", "flagship")) is not None


async def test_every_new_lease_of_a_shop_has_a_greater_fencing_number(redis: Redis) -> None:
    leases = Leases(redis)
    fences = []
    for _ in range(5):
        lease = await leases.acquire(SHOP)
        assert lease is not None
        fences.append(lease.fence)
        await redis.delete(LEASE_KEY)
    assert fences == [1, 2, 3, 4, 5]


async def test_a_lease_is_given_back_when_the_work_is_done(redis: Redis) -> None:
    leases = Leases(redis)
    lease = await leases.acquire(SHOP)
    assert lease is not None
    assert await lease.hold(asyncio.sleep(0, "done")) == "done"
    assert await leases.acquire(SHOP) is not None


async def test_a_lease_is_given_back_when_the_work_fails_and_the_failure_is_told(redis: Redis) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    leases = Leases(redis)
    lease = await leases.acquire(SHOP)
    assert lease is not None
    with pytest.raises(ZeroDivisionError):
        await lease.hold(fail())
    assert await redis.exists(LEASE_KEY) == 0


async def test_a_lease_is_given_back_when_the_holder_is_cancelled(redis: Redis) -> None:
    leases = Leases(redis)
    lease = await leases.acquire(SHOP)
    assert lease is not None
    holding = asyncio.create_task(lease.hold(for_ever()))
    await asyncio.sleep(0)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert await redis.exists(LEASE_KEY) == 0


async def test_a_held_lease_outlives_its_time_to_live(redis: Redis) -> None:
    leases = Leases(redis, seconds=0.3)
    lease = await leases.acquire(SHOP)
    assert lease is not None
    await lease.hold(asyncio.sleep(0.8))
    assert await Leases(redis).acquire(SHOP) is not None


async def test_somebody_elses_lease_is_neither_renewed_nor_given_back(redis: Redis) -> None:
    leases = Leases(redis)
    await redis.set(LEASE_KEY, b"somebody else")
    assert await leases.renew(SHOP, "mine") is Renewal.LOST
    assert await leases.release(SHOP, "mine") is False
    assert await redis.get(LEASE_KEY) == b"somebody else"


async def test_a_lost_lease_cancels_the_work_at_once(redis: Redis) -> None:
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await for_ever()
        finally:
            stopped.set()

    leases = Leases(redis, seconds=0.3)
    lease = await leases.acquire(SHOP)
    assert lease is not None
    await redis.set(LEASE_KEY, b"somebody else")
    with pytest.raises(LeaseLost):
        await lease.hold(work())
    assert stopped.is_set()
    assert await redis.get(LEASE_KEY) == b"somebody else"


async def test_a_lease_that_cannot_be_renewed_ends_before_it_does_in_redis(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_shop: ShopKey, _token: str) -> Renewal:
        raise TransientError("Redis is away")

    leases = Leases(redis, seconds=2)
    lease = await leases.acquire(SHOP)
    assert lease is not None
    monkeypatch.setattr(leases, "renew", away)
    monkeypatch.setattr(leases, "release", away)
    with pytest.raises(LeaseLost):
        await lease.hold(for_ever())
    assert 0 < await redis.pttl(LEASE_KEY) < 300


async def test_a_redis_that_hangs_does_not_keep_a_lease_alive(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_shop: ShopKey, _token: str) -> Renewal:
        await for_ever()
        raise AssertionError

    leases = Leases(redis, seconds=0.2)
    lease = await leases.acquire(SHOP)
    assert lease is not None
    monkeypatch.setattr(leases, "renew", hang)
    async with asyncio.timeout(5):
        with pytest.raises(LeaseLost):
            await lease.hold(for_ever())


async def test_a_hint_reaches_the_holder_once(redis: Redis) -> None:
    leases = Leases(redis, seconds=0.3)
    lease = await leases.acquire(SHOP)
    assert lease is not None
    await Leases(redis).hint(SHOP)
    await lease.hold(until(lease.hinted))
    assert await redis.exists("intake-hint:{taobao/flagship}") == 0


async def test_a_cancellation_that_a_library_drops_is_not_lost() -> None:
    begun = asyncio.Event()

    async def drops_it() -> bytes:
        with suppress(asyncio.CancelledError):
            begun.set()
            await for_ever()
        return b"done"

    asking = asyncio.create_task(asked(drops_it()))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_redis_away_is_trouble_to_wait_out() -> None:
    async with Redis(host=LOOPBACK, port=free_port(), retry=Retry(NoBackoff(), 0)) as nobody:
        with pytest.raises(TransientError, match="Redis"):
            await Leases(nobody).acquire(SHOP)


@pytest.mark.parametrize("name", ["acquire.lua", "renew.lua", "release.lua", "advance.lua"])
def test_each_script_says_what_it_does_with_every_key_and_argument(name: str) -> None:
    text = files("workers.intake").joinpath("lua", name).read_text(encoding="utf-8")
    header, _, body = text.partition("]]")
    assert header.startswith("--[[ ")
    assert "Returns" in header
    for kind in ("KEYS", "ARGV"):
        assert set(re.findall(rf"{kind}\[(\d)\]", body)) == set(re.findall(rf"{kind}\[(\d)\]", header))
    for outcome in re.findall(r"return '([A-Z_]+)'", body):
        assert outcome in header

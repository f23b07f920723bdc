"""Real servers in the states in which they refuse: trouble of the server is waited for, a damaged key is not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import redis as blocking
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from ops.testbed.local_stack.process import spawn, stop
from ops.testbed.local_stack.redis_server import RedisServer
from ops.testbed.local_stack.redis_states import ALL_REFUSED, WRITES_REFUSED, first_word
from tests.redis_servers import SERVERS, cluster_node, executable_of
from workers.defer.queue import DelayQueue, Keep
from workers.intake.cursor import Cursors
from workers.intake.lease import Leases
from workers.intake.store import ShopKey
from workers.inventory.keys import order_key, stock_key
from workers.inventory.ledger import Ledger
from workers.inventory.operations.claim import Claim
from workers.inventory.records import CorruptLedger, Count
from workers.rebuild.contents import dump
from workers.runtime.errors import Misconfigured, TransientError
from workers.runtime.redis.connections import connect
from workers.runtime.redis.errors import raise_trouble, trouble_of
from workers.runtime.redis.pipeline import run_pipeline

SHOP = ShopKey("taobao", "main")

WRITES: dict[str, Callable[[Redis], Awaitable[Any]]] = {
    "a batch of scripts": lambda redis: Ledger(redis).orders.claim([("order", "2", ["hangzhou"])]),
    "a script of another stage": lambda redis: DelayQueue(redis).keep([Keep("order", "1", 5, b"...")]),
    "a script of the poller": lambda redis: Leases(redis).acquire(SHOP),
    "a single command": lambda redis: Ledger(redis).stock.set_counts("beijing", {"TEA": Count(on_hand=1)}),
}
READS: dict[str, Callable[[Redis], Awaitable[Any]]] = {
    "a batch of reads": lambda redis: Ledger(redis).warehouses.get_status([("order", "hangzhou", "1")]),
    "counters": lambda redis: Ledger(redis).stock.levels("hangzhou", ["TEA"]),
    "reservations": lambda redis: Ledger(redis).orders.shipped_units([("order", ["hangzhou"])]),
    "a pipeline of redis-py": lambda redis: Ledger(redis).orders.revisions(["order"]),
    "deadlines": lambda redis: Ledger(redis).holds.due("hangzhou", 1, 10),
    "a dump of everything": dump,
    "the poller's place": lambda redis: Cursors(redis).read(SHOP),
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis"), executable=executable_of(request.param)) as running:
        yield running


@pytest.fixture
def admin(server: RedisServer) -> Iterator[blocking.Redis]:
    with blocking.Redis.from_url(server.url) as client:
        client.flushall()
        yield client


@pytest.fixture
async def redis(server: RedisServer, admin: blocking.Redis) -> AsyncIterator[Redis]:
    async with impatient(server.url) as client:
        await Ledger(client).stock.set_counts("hangzhou", {"TEA": Count(on_hand=1)})
        await Ledger(client).orders.claim([("order", "1", ["hangzhou"])])
        yield client


def impatient(url: str) -> Redis:
    """A client that says at once what it heard."""
    return connect(url, socket_timeout=5, retry=Retry(NoBackoff(), 0))


async def until(true: Callable[[], bool]) -> None:
    """Poll until it holds. Fails the test after ten seconds."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # a server says it, nobody tells us
            await asyncio.sleep(0.01)


async def told(work: Awaitable[Any]) -> TransientError:
    with pytest.raises(TransientError) as caught:
        await work
    return caught.value


@pytest.mark.parametrize("state", WRITES_REFUSED)
async def test_a_server_that_refuses_writes_is_waited_for(admin: blocking.Redis, redis: Redis, state: str) -> None:
    with WRITES_REFUSED[state](admin):
        for name, write in WRITES.items():
            if state == "OOM" and name == "a script of another stage":
                await write(redis)  # what gives memory back first is let through
            else:
                assert (await told(write(redis))).code == state
        for read in READS.values():
            await read(redis)
    for write in WRITES.values():
        await write(redis)


@pytest.mark.parametrize("state", ALL_REFUSED)
async def test_a_server_that_refuses_everything_is_waited_for(admin: blocking.Redis, redis: Redis, state: str) -> None:
    with ALL_REFUSED[state](admin):
        for ask in (*WRITES.values(), *READS.values()):
            assert (await told(ask(redis))).code in (state, "READONLY")
    for ask in (*WRITES.values(), *READS.values()):
        await ask(redis)


async def test_a_script_that_an_operator_killed_is_run_again(admin: blocking.Redis, redis: Redis) -> None:
    admin.config_set("lua-time-limit", "20")
    endless = asyncio.create_task(run_pipeline(redis, [("EVAL", "while true do redis.call('PING') end", 0)]))
    await until(lambda: first_word(admin) == "BUSY")
    admin.script_kill()
    [reply] = await endless
    with pytest.raises(TransientError, match="SCRIPT KILL"):
        raise_trouble(reply)


async def test_a_server_that_cannot_write_its_disk_is_waited_for(server: RedisServer, tmp_path: Path) -> None:
    with RedisServer(tmp_path, executable=server.executable) as running, blocking.Redis.from_url(running.url) as admin:
        (tmp_path / "dump.rdb").mkdir()
        ask: Any = admin.execute_command
        admin.set("a", "1")
        ask("CONFIG", "SET", "save", "1 1")
        with contextlib.suppress(RedisError):
            admin.bgsave()
        await until(lambda: bool(admin.info("persistence")["rdb_last_bgsave_status"] != "ok"))
        async with impatient(running.url) as redis:
            for write in WRITES.values():
                assert (await told(write(redis))).code == "MISCONF"
        ask("CONFIG", "SET", "save", "")  # else it would not leave


async def test_a_server_that_loads_its_data_is_waited_for(server: RedisServer, tmp_path: Path) -> None:
    with RedisServer(tmp_path, executable=server.executable) as running, blocking.Redis.from_url(running.url) as admin:
        admin.config_set("rdbcompression", "no")
        for number in range(80):
            admin.set(str(number), "x" * 1_000_000)
        admin.save()
    again = RedisServer(tmp_path, executable=server.executable)
    slowly = ["--port", str(again.port), "--dir", str(tmp_path), "--key-load-delay", "25000"]
    process = spawn([again.executable, *slowly], log=again.log)
    try:
        async with impatient(again.url) as redis:
            codes = set()
            while "LOADING" not in codes:
                codes.add((await told(Ledger(redis).orders.revisions(["order"]))).code)
            for ask in (*WRITES.values(), *READS.values()):
                assert (await told(ask(redis))).code == "LOADING"
    finally:
        process.kill()
        stop(process)


async def test_a_connection_that_breaks_while_it_fails_over_is_waited_for(admin: blocking.Redis, redis: Redis) -> None:
    blocked = asyncio.create_task(run_pipeline(redis, [("BLPOP", "nothing", 0)]))
    await until(lambda: bool(admin.info("clients")["blocked_clients"]))
    admin.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(RedisError) as caught:
        await blocked
    trouble = trouble_of(caught.value)
    assert trouble is not None
    assert trouble.passes


async def test_who_waits_when_a_primary_becomes_a_replica_is_told_to_ask_again(
    admin: blocking.Redis, redis: Redis
) -> None:
    blocked = asyncio.create_task(run_pipeline(redis, [("BLPOP", "nothing", 0)]))
    await until(lambda: bool(admin.info("clients")["blocked_clients"]))
    with WRITES_REFUSED["READONLY"](admin):
        [reply] = await blocked
        trouble = trouble_of(reply)
        assert trouble is not None
        assert (trouble.code, trouble.passes) == ("UNBLOCKED", True)


@pytest.mark.parametrize("change", ["password", "no password", "database", "rights", "rights in scripts"])
async def test_who_is_not_let_in_is_told_so_and_need_not_wait(
    server: RedisServer, admin: blocking.Redis, redis: Redis, change: str
) -> None:
    ask: Any = admin.execute_command
    url, work, code = server.url, WRITES["a batch of scripts"], "NOPERM"
    if change == "password":
        url, code = url.replace("//", "//somebody:wrong@"), "WRONGPASS"
    elif change == "database":
        url, code = url.replace("/0", "/9999"), "ERR"
    elif change == "rights":
        ask("ACL", "SETUSER", "narrow", "on", ">p", "~elsewhere:*", "+@all")
        url = url.replace("//", "//narrow:p@")
    elif change == "rights in scripts":
        ask("ACL", "SETUSER", "few", "on", ">p", "~*", "+@all", "-hmget", "-hget")
        url, code = url.replace("//", "//few:p@"), "ERR"
    else:
        ask("CONFIG", "SET", "requirepass", "secret")
        code = "NOAUTH"
    try:
        async with impatient(url) as client:
            error = await told(work(client))
            assert isinstance(error, Misconfigured)
            assert error.code == code
            assert error.advice is not None
    finally:
        with blocking.Redis.from_url(server.url.replace("//", "//:secret@" if code == "NOAUTH" else "//")) as once:
            once.config_set("requirepass", "")


async def test_a_damaged_key_is_that_keys_own_trouble(redis: Redis) -> None:
    await redis.delete(order_key("order"), stock_key("hangzhou", "TEA"))
    await redis.set(order_key("order"), "not a hash")
    ledger = Ledger(redis)
    good, bad = ("another", "1", ["hangzhou"]), ("order", "2", ["hangzhou"])
    claims = await ledger.orders.claim([good, bad])
    assert [type(claim) for claim in claims] == [Claim, CorruptLedger]
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await ledger.warehouses.get_status([("order", "hangzhou", "1")])


async def test_a_cluster_is_waited_for_and_named(server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with AsyncExitStack() as stack:
        nodes = [cluster_node(tmp_path_factory.mktemp("node"), server.executable) for _ in range(2)]
        for node in nodes:
            stack.enter_context(node)
        redis = await stack.enter_async_context(impatient(nodes[0].url))
        assert (await told(Ledger(redis).orders.revisions(["order"]))).code == "CLUSTERDOWN"

        first, second = [
            stack.enter_context(blocking.Redis.from_url(node.url, decode_responses=True)).execute_command
            for node in nodes
        ]
        first("CLUSTER ADDSLOTS", *range(8192))
        second("CLUSTER ADDSLOTS", *range(8192, 16384))
        first("CLUSTER MEET", "127.0.0.1", nodes[1].port)
        await until(lambda: [ask("CLUSTER INFO")["cluster_state"] for ask in (first, second)] == ["ok", "ok"])
        here, there = "{b}", "{a}"  # in slots of the first and of the second node
        first("SET", f"{here}:one", "1")
        first("CLUSTER SETSLOT", first("CLUSTER KEYSLOT", here), "MIGRATING", second("CLUSTER MYID"))
        commands: list[tuple[str | int, ...]] = [
            ("GET", there),
            ("GET", f"{here}:other"),
            ("MGET", f"{here}:one", f"{here}:other"),
            ("MGET", here, there),
            ("EVAL", "return redis.call('GET', '{a}')", 1, f"{here}:one"),
        ]
        codes = [trouble.code for reply in await run_pipeline(redis, commands) if (trouble := trouble_of(reply))]
        assert codes[2] in ("TRYAGAIN", "ASK")  # Redis 6.2 does not say the first
        assert [codes[0], codes[1], *codes[3:]] == ["MOVED", "ASK", "CROSSSLOT", "ERR"]
        assert (await told(Ledger(redis).orders.revisions(["a"]))).advice == (
            await told(Ledger(redis).orders.shipped_units([("b", ["a"])]))
        ).advice

"""They go red when redis-py or hiredis mends or moves what we override or touch: then look, before an upgrade."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

import pytest
from redis._parsers.hiredis import NOT_ENOUGH_DATA, _AsyncHiredisParser
from redis.asyncio import ConnectionPool

from tests.product_code import ROOT
from tests.workers.runtime import upstream

OVERRIDDEN: Final = {
    # connections.py: a lock and counters that take longer than a short command
    "redis.asyncio.connection:ConnectionPool.get_connection": "4cd2dd0de9af",
    "redis.asyncio.connection:ConnectionPool.release": "ad1031f133ac",
    "redis.asyncio.connection:ConnectionPool.get_available_connection": "c904f844b1fc",
    "redis.asyncio.connection:ConnectionPool.ensure_connection": "2365e3a143e6",
    # pipeline.py goes past these two
    "redis._parsers.hiredis:_AsyncHiredisParser.read_response": "c30dccfe9436",
    "redis._parsers.hiredis:_AsyncHiredisParser.on_connect": "4468d507d00d",
    "redis.asyncio.connection:AbstractConnection.send_packed_command": "4f76d7214bb0",
}

TOUCHED: Final = {
    "redis._parsers": "hiredis",
    "redis._parsers.hiredis": "NOT_ENOUGH_DATA",
    "redis._parsers.hiredis:_AsyncHiredisParser": "_reader",
    "redis.asyncio.connection:AbstractConnection": "_reader _writer _parser",
    "redis.asyncio.connection:ConnectionPool": "_available_connections _in_use_connections",
}
OF_A_MODULE: Final = {"_parsers"}  # on the way to NOT_ENOUGH_DATA


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_we_override_or_go_past_reads_as_it_did(name: str) -> None:
    assert upstream.digest(name) == OVERRIDDEN[name], upstream.LOOK


@pytest.mark.parametrize(("where", "name"), [(where, name) for where, row in TOUCHED.items() for name in row.split()])
def test_what_we_touch_is_where_it_was(where: str, name: str) -> None:
    assert upstream.sets(where, name)


def test_every_private_that_we_touch_has_a_canary() -> None:
    files = (ROOT / "workers" / "runtime" / "redis").glob("*.py")
    assert sorted(upstream.touched(files) - upstream.listed(OVERRIDDEN, TOUCHED) - OF_A_MODULE) == []


# -- what we work round is still there -----------------------------------------------------------------------------


async def test_the_pool_takes_its_lock_for_each_connection() -> None:
    """When this goes red, redis-py's own pool may do."""
    pool: Any = ConnectionPool(host="127.0.0.1", port=1)
    taken: list[str] = []

    class Lock:
        async def __aenter__(self) -> None:
            taken.append("lock")
            raise ZeroDivisionError  # as far as this, and no further

        async def __aexit__(self, *_: object) -> None:
            pass

    pool._lock = Lock()
    with pytest.raises(ZeroDivisionError):
        await pool.get_connection()
    assert taken == ["lock"]


def test_a_reply_that_has_not_come_whole_is_told_by_the_sign_that_we_look_for() -> None:
    encoder = SimpleNamespace(decode_responses=False, encoding="utf-8", encoding_errors="strict")
    parser: Any = _AsyncHiredisParser(socket_read_size=1 << 16)
    parser.on_connect(SimpleNamespace(_reader=None, encoder=encoder))
    parser._reader.feed(b"$5\r\nhel")
    assert parser._reader.gets() is NOT_ENOUGH_DATA

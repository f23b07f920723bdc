"""Connections before their first head is whole, and heads of large bodies that wait for each other."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

from ops.testbed.local_stack.ports import LOOPBACK
from tests.workers.intake.fakes import FakeKafka
from tests.workers.intake.test_http_server import PATIENCE, head, serving, stranger, until
from tests.workers.intake.test_webhook import ORDER, signed
from workers.intake.body import BodyLimits
from workers.intake.connections import ConnectionLimits, Connections, Guarded
from workers.intake.head import head_end, is_odd, size_told

ROOMY = BodyLimits(most_bytes=10 << 20, read_seconds=PATIENCE, stall_seconds=PATIENCE)
LARGE = ORDER[:-1] + b', "note": "' + b"x" * 200_000 + b'"}'


class Handler(asyncio.Protocol):
    """Stands for aiohttp's, and keeps what it is given."""

    def __init__(self) -> None:
        self.heard = b""

    def data_received(self, data: bytes) -> None:
        self.heard += data


async def test_a_handler_is_made_when_the_head_is_whole_and_not_before() -> None:
    made: list[Handler] = []

    def make() -> Handler:
        made.append(Handler())
        return made[-1]

    connections, loop = Connections(ConnectionLimits()), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Guarded(make, connections), LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    async with server, stranger(port), stranger(port) as half, stranger(port) as whole:
        await half.says(head(10)[:-1])
        for byte in head(10):
            await whole.says(bytes([byte]))
        await until(lambda: len(made) > 0 and len(connections) == 3)
        await whole.says(b"0123456789")
        await until(lambda: made[0].heard == head(10) + b"0123456789")
        assert len(made) == 1
        connections.close()
        assert await half.hears() == b""


async def test_what_is_no_push_is_answered_at_once(kafka: FakeKafka, redis: Redis) -> None:
    async with serving(kafka, redis) as push:
        for text in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
            b"GET /webhooks/a/b HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            async with stranger(push.port) as odd:
                await odd.says(text)
                async with asyncio.timeout(PATIENCE / 2):
                    assert (await odd.reader.readline()).split()[1] in (b"400", b"405")


async def test_a_small_push_passes_large_ones_that_wait_for_each_other(kafka: FakeKafka, redis: Redis) -> None:
    async with serving(kafka, redis, ROOMY, large_at_once=2, large_seconds=PATIENCE) as push, AsyncExitStack() as stack:
        takers = [await stack.enter_async_context(stranger(push.port)) for _ in range(2)]
        for taker in takers:
            await taker.says(head(5_000_000) + b"{")
        late = asyncio.create_task(push(LARGE, signed(LARGE)))
        for number in range(2, 6):
            small = ORDER.replace(b"1001", b"100%d" % number)
            assert (await push(small, signed(small)))[0] == 200
        assert not late.done()
        takers[0].writer.transport.abort()
        async with asyncio.timeout(PATIENCE):
            assert (await late)[0] == 200
    assert kafka.ids() == ["1002", "1003", "1004", "1005", "1001"]


@pytest.mark.parametrize(
    "limits",
    [{"large_waiting": 0, "large_seconds": PATIENCE}, {"large_waiting": 5, "large_seconds": 0.1}],
    ids=["too many", "too long"],
)
async def test_a_large_push_for_which_there_is_no_room_is_asked_to_come_again(
    kafka: FakeKafka, redis: Redis, limits: dict[str, Any]
) -> None:
    async with serving(kafka, redis, ROOMY, large_at_once=1, **limits) as push:
        async with stranger(push.port) as taker:
            await taker.says(head(5_000_000) + b"{")
            async with asyncio.timeout(PATIENCE):
                answer, told = await push(LARGE, signed(LARGE))
                while answer != 503:  # the taker was not there yet
                    answer, told = await push(LARGE, signed(LARGE))
            assert told["code"] == 503
            assert "请稍后重发" in str(told["msg"])
        async with asyncio.timeout(PATIENCE):
            while (await push(LARGE, signed(LARGE)))[0] != 200:
                pass


async def test_a_large_push_leaves_its_place_when_it_is_answered(kafka: FakeKafka, redis: Redis) -> None:
    """Whatever the answer is, and though its connection stays."""
    async with serving(kafka, redis, ROOMY, large_at_once=1, large_waiting=0) as push, AsyncExitStack() as stack:
        for status, secret in ((200, {}), (401, {"secret": "other"})) * 3:
            kept = await stack.enter_async_context(stranger(push.port))
            sign = signed(LARGE, **secret)["X-WC-Webhook-Signature"].encode()
            lines = b"POST /webhooks/woocommerce/mall HTTP/1.1\r\nHost: x\r\nX-WC-Webhook-Signature: " + sign
            await kept.says(lines + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(LARGE), LARGE))
            async with asyncio.timeout(PATIENCE):
                assert b" %d " % status in await kept.reader.readline()


def test_a_head_says_how_large_its_body_is() -> None:
    def told(*lines: bytes) -> int | None:
        text = bytearray(b"\r\n".join((b"POST / HTTP/1.1", *lines, b"", b"Content-Length: 9\r\n\r\n")))
        end = head_end(text, 0)
        assert end is not None
        return size_told(text, end)

    assert told(b"Host: x", b"content-LENGTH:  12 ") == 12
    assert told(b"Host: x") == 0, "what stands in the body is not the head's"
    assert told(b"Content-Length: 5", b"Transfer-Encoding: chunked") is None
    assert told(b"X-Content-Length: 7") == 0


def test_the_end_of_a_head_is_found_wherever_it_is_cut() -> None:
    text = head(3) + b"{}\r\n\r\n"
    for cut in range(len(head(3))):
        assert head_end(bytearray(text), cut) == len(head(3))
        assert head_end(bytearray(text[:cut]), 0) is None
        assert not is_odd(bytearray(text[:cut]))
    assert is_odd(bytearray(b"GET"))
    assert is_odd(bytearray(b"POST " + b"x" * 70_000))

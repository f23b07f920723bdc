"""The receiver of pushes among callers who mean no good: every wait has an end, and honest pushes go in meanwhile."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from ops.testbed.local_stack.ports import LOOPBACK
from tests.workers.intake.fakes import FakeKafka
from tests.workers.intake.test_webhook import ORDER, Caller, calling, receiver, signed
from workers.intake.body import BodyLimits
from workers.intake.connections import ConnectionLimits
from workers.intake.webhook import WebhookPolicy

PATIENCE = 20.0
PATH = "woocommerce/mall"
FORGED = signed(b"")["X-WC-Webhook-Signature"]


def head(length: int) -> bytes:
    return (
        f"POST /webhooks/{PATH} HTTP/1.1\r\nHost: x\r\nX-WC-Webhook-Signature: {FORGED}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


class Stranger:
    """A connection of which every byte is ours to send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def says(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def hears(self) -> bytes:
        """All until the server closes the connection; what it sends once it has hung up is lost."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    @property
    def cut_off(self) -> bool:
        return self.reader.at_eof() or self.reader.exception() is not None


@asynccontextmanager
async def stranger(port: int) -> AsyncIterator[Stranger]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        yield Stranger(reader, writer)
    finally:
        writer.transport.abort()


def dropped(reason: str) -> float:
    labels = {"reason": reason}
    return REGISTRY.get_sample_value("orders_intake_push_connections_dropped_total", labels) or 0.0


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110  # nobody else tells
            await asyncio.sleep(0.01)


WILLING = BodyLimits(most_bytes=100_000, small_bytes=1000, read_seconds=PATIENCE, stall_seconds=PATIENCE)


@asynccontextmanager
async def serving(kafka: FakeKafka, redis: Redis, body: BodyLimits = WILLING, **limits: float) -> AsyncIterator[Caller]:
    """A receiver with the limits that a test names; all others are so wide that they do not matter to it."""
    wide = {"head_seconds": PATIENCE, "idle_seconds": PATIENCE}
    connections = ConnectionLimits(**{**wide, **limits})  # type: ignore[arg-type]
    async with calling(receiver(kafka, redis, WebhookPolicy(body=body, connections=connections))) as caller:
        yield caller


@asynccontextmanager
async def calling_once(port: int) -> AsyncIterator[Caller]:
    """A caller whose connections nobody else uses."""
    async with aiohttp.ClientSession() as http:
        yield Caller(http, port)


async def test_a_head_that_does_not_come_is_not_waited_for(kafka: FakeKafka, redis: Redis) -> None:
    before = dropped("too-slow")
    async with serving(kafka, redis, head_seconds=0.2) as push, stranger(push.port) as silent:
        async with stranger(push.port) as half:
            await half.says(head(10)[:-4])
            assert await half.hears() == b""
        assert await silent.hears() == b""
        assert (await push(ORDER, signed(ORDER)))[0] == 200
    assert dropped("too-slow") >= before + 2


async def test_a_head_that_drips_is_not_waited_for(kafka: FakeKafka, redis: Redis) -> None:
    async with serving(kafka, redis, head_seconds=0.3) as push, stranger(push.port) as slow:
        listening = asyncio.create_task(slow.hears())
        for byte in head(10):
            if listening.done():
                break
            await slow.says(bytes([byte]))
            await asyncio.sleep(0.02)
        assert await listening == b""


async def test_a_connection_that_says_nothing_more_after_its_push_is_closed(kafka: FakeKafka, redis: Redis) -> None:
    async with serving(kafka, redis, idle_seconds=0.2) as push, stranger(push.port) as idle:
        await idle.says(head(2) + b"{}")
        assert b" 401 " in await idle.hears()


async def test_a_body_that_stalls_is_refused(kafka: FakeKafka, redis: Redis) -> None:
    limits = BodyLimits(most_bytes=100_000, small_bytes=100_000, read_seconds=PATIENCE, stall_seconds=0.2)
    async with serving(kafka, redis, limits) as push, stranger(push.port) as slow:
        await slow.says(head(100) + b"{")
        assert b" 408 " in await slow.hears()


async def test_a_body_that_drips_is_refused_in_the_end(kafka: FakeKafka, redis: Redis) -> None:
    limits = BodyLimits(most_bytes=100_000, small_bytes=100_000, read_seconds=0.5, stall_seconds=PATIENCE)
    async with serving(kafka, redis, limits) as push, stranger(push.port) as slow:
        await slow.says(head(10_000))
        listening = asyncio.create_task(slow.hears())
        while not listening.done():
            await slow.says(b" ")
            await asyncio.wait([listening], timeout=0.02)
        heard = await listening
        assert heard == b"" or b" 408 " in heard  # who goes on sending may lose the answer with the connection


async def test_the_most_silent_connection_makes_room_for_a_new_one(kafka: FakeKafka, redis: Redis) -> None:
    before = dropped("too-many")
    async with serving(kafka, redis, connections=16) as push, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(stranger(push.port)) for _ in range(16)]
        assert (await push(ORDER, signed(ORDER)))[0] == 200
        await until(lambda: dropped("too-many") > before)
        assert await silent[0].hears() == b""
        assert not any(each.cut_off for each in silent[1:])


async def test_forged_bodies_on_all_connections_make_room_after_a_moment(kafka: FakeKafka, redis: Redis) -> None:
    async with serving(kafka, redis, connections=16, grace_seconds=0.0) as push, AsyncExitStack() as stack:
        forgers = [await stack.enter_async_context(stranger(push.port)) for _ in range(16)]
        for each in forgers:
            await each.says(head(500) + b"{")
        for number in range(8):
            body = ORDER.replace(b"1001", b"%d" % (2000 + number))
            async with calling_once(push.port) as once:
                assert (await once(body, signed(body)))[0] == 200
    assert len(kafka.records) == 8


async def test_a_new_connection_is_refused_while_nobody_may_be_sent_away(kafka: FakeKafka, redis: Redis) -> None:
    """A push whose signature is right is served to its end, whoever wants in."""
    taken, go = 0, asyncio.Event()
    send = kafka.send

    async def waiting(records: object) -> None:
        nonlocal taken
        taken += 1
        await go.wait()
        await send(records)  # type: ignore[arg-type]

    kafka.send = waiting  # type: ignore[method-assign]
    async with serving(kafka, redis, connections=16) as push, AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(calling_once(push.port)) for _ in range(16)]
        bodies = [ORDER.replace(b"1001", b"%d" % (2000 + number)) for number in range(16)]
        pushes = [asyncio.create_task(once(body, signed(body))) for once, body in zip(callers, bodies, strict=True)]
        await until(lambda: taken == 16)
        async with stranger(push.port) as late:
            assert await late.hears() == b""
        go.set()
        assert {status for status, _ in await asyncio.gather(*pushes)} == {200}


async def test_a_large_body_waits_for_its_place_and_is_refused_when_there_is_none(
    kafka: FakeKafka, redis: Redis
) -> None:
    limits = BodyLimits(
        most_bytes=60_000,
        small_bytes=1000,
        budget_bytes=60_000,
        wait_seconds=0.2,
        read_seconds=PATIENCE,
        stall_seconds=PATIENCE,
    )
    large = ORDER[:-1] + b', "note": "' + b"x" * 50_000 + b'"}'
    async with serving(kafka, redis, limits) as push:
        async with stranger(push.port) as taker:
            await taker.says(head(50_000) + b"{")
            answer, _ = await push(large, signed(large))
            while answer != 503:  # the taker was not there yet
                answer, _ = await push(large, signed(large))
            assert (await push(ORDER, signed(ORDER)))[0] == 200  # a small one needs no place
        async with asyncio.timeout(PATIENCE):
            while (await push(large, signed(large)))[0] != 200:  # the taker hung up, its place is free again
                pass


async def test_a_caller_that_hangs_up_in_the_middle_is_counted_and_leaves_no_trace(
    kafka: FakeKafka, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    before = dropped("broken-off")
    async with serving(kafka, redis) as push:
        async with stranger(push.port) as leaver:
            await leaver.says(head(500) + b"{")
            await asyncio.sleep(0)
        await until(lambda: dropped("broken-off") > before)
        assert (await push(ORDER, signed(ORDER)))[0] == 200
    assert "Traceback" not in caplog.text
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_what_is_no_http_is_refused_without_a_traceback(
    kafka: FakeKafka, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    before = dropped("bad-request")
    async with serving(kafka, redis) as push:
        for text in (
            b"\x16\x03\x01\x02\x00\r\n\r\n",
            b"no http\r\n\r\n",
            b"POST /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
        ):
            async with stranger(push.port) as odd:
                await odd.says(text)
                assert not (await odd.hears()).startswith(b"HTTP/1.1 200")
        assert (await push(ORDER, signed(ORDER)))[0] == 200
    assert dropped("bad-request") > before
    assert "Traceback" not in caplog.text
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


UNWANTED = {
    401: f"POST /webhooks/{PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n".encode(),
    404: b"POST /webhooks/woocommerce/nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n",
    413: head(90_000_000),
}


@pytest.mark.parametrize("status", UNWANTED)
async def test_what_a_refused_caller_goes_on_to_send_is_not_read(kafka: FakeKafka, redis: Redis, status: int) -> None:
    """To read it only to throw it away would cost the others what it costs the caller."""
    sent, chunk = 0, bytes(64 << 10)
    async with serving(kafka, redis) as push, stranger(push.port) as caller:
        await caller.says(UNWANTED[status])
        answer = await caller.reader.readline()
        listening = asyncio.create_task(caller.hears())
        while not listening.done() and sent < 80_000_000:
            writing = asyncio.create_task(caller.says(chunk))
            await asyncio.wait([writing, listening], return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            sent += len(chunk)
        await listening
    assert b" %d " % status in answer
    assert sent < 30_000_000, "what the kernel keeps is all that there is room for"


async def test_a_refused_caller_with_a_short_body_is_left_in_peace(kafka: FakeKafka, redis: Redis) -> None:
    """Its body is read, or the end of the connection could reach it before the answer does."""
    async with serving(kafka, redis) as push, stranger(push.port) as caller:
        await caller.says(UNWANTED[404].replace(b"90000000", b"50000"))
        await caller.says(bytes(20_000))
        assert b" 404 " in await caller.reader.readline()
        await caller.says(bytes(30_000))
        await caller.hears()
        assert caller.reader.exception() is None


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP, gzip", "x-unknown"])
async def test_an_encoded_body_is_refused_unread(kafka: FakeKafka, redis: Redis, encoding: str) -> None:
    """Its signature may be right; what counts is that nothing is ever opened that may be a bomb."""
    packed = gzip.compress(ORDER)
    sign = signed(packed)["X-WC-Webhook-Signature"]
    async with serving(kafka, redis) as push, asyncio.timeout(PATIENCE), stranger(push.port) as caller:
        await caller.says(
            f"POST /webhooks/woocommerce/mall HTTP/1.1\r\nHost: x\r\nX-WC-Webhook-Signature: {sign}\r\n"
            f"Content-Encoding: {encoding}\r\nContent-Length: 90000\r\n\r\n".encode()
        )
        assert b" 415 " in await caller.reader.readline()
        assert kafka.records == []
        assert (await push(ORDER, {**signed(ORDER), "Content-Encoding": "identity"}))[0] == 200

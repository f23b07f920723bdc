"""A proxy that takes TLS in, as stands before many a Redis."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trustme


@asynccontextmanager
async def encrypting(authority: trustme.CA, port: int) -> AsyncIterator[int]:
    """Hands on what is said to it to that port of this machine. Its own port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    talks: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    def begin(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        writers = [to_client]
        talk = asyncio.create_task(_talk(client, writers, port))
        talks[talk] = writers
        talk.add_done_callback(talks.pop)

    async with await asyncio.start_server(begin, "127.0.0.1", 0, ssl=context) as listening:
        yield listening.sockets[0].getsockname()[1]
        for writer in [writer for writers in talks.values() for writer in writers]:
            writer.close()
        await asyncio.wait_for(asyncio.gather(*talks), 10)


async def _talk(client: asyncio.StreamReader, writers: list[asyncio.StreamWriter], port: int) -> None:
    server, to_server = await asyncio.open_connection("127.0.0.1", port)
    writers.append(to_server)
    await asyncio.gather(_pour(client, to_server), _pour(server, writers[0]))


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    target.close()

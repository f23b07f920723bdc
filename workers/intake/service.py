"""Intake as a process runs it: a poller for every shop, and the receiver of pushes when it is given a port."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import NamedTuple

from redis.asyncio import Redis

from channel_adapters.contract import ChannelAdapter, ChannelClient
from channel_adapters.shop import ShopSettings
from workers.intake.cursor import Cursors
from workers.intake.fleet import poll_all
from workers.intake.lease import Leases
from workers.intake.policy import PollPolicy
from workers.intake.poll import ShopPoller
from workers.intake.raw import Sender
from workers.intake.unread import Unread
from workers.intake.webhook import Endpoint, Webhooks, serve


@dataclass(frozen=True, slots=True)
class Connection:
    """One shop with what talks to its platform and what reads its format."""

    shop: ShopSettings
    client: ChannelClient
    adapter: ChannelAdapter


class Address(NamedTuple):
    """Where to listen. Port 0: any free one."""

    host: str
    port: int


class Intake:
    """All of intake for some shops. `run` goes on until it is cancelled."""

    def __init__(
        self, connections: Sequence[Connection], *, producer: Sender, redis: Redis, policy: PollPolicy
    ) -> None:
        self._connections = connections
        self._producer = producer
        self._redis = redis
        leases, cursors, unread = Leases(redis), Cursors(redis), Unread(redis)
        self._leases = leases
        self.pollers = [
            ShopPoller(
                each.shop,
                each.client,
                producer=producer,
                leases=leases,
                cursors=cursors,
                unread=unread,
                policy=policy,
            )
            for each in connections
        ]

    async def run(
        self, listen: Address | None = None, ready: Callable[[int | None], None] = lambda _port: None
    ) -> None:
        """Poll, and take pushes at `listen`. `ready` is told the port. Raises OSError when it cannot listen there."""
        async with AsyncExitStack() as stack:
            port = None if listen is None else await self._listen(listen, stack)
            ready(port)
            await poll_all(self.pollers)

    async def _listen(self, listen: Address, stack: AsyncExitStack) -> int:
        endpoints = [Endpoint(each.shop, each.adapter) for each in self._connections]
        webhooks = Webhooks(endpoints, producer=self._producer, redis=self._redis, leases=self._leases)
        runner = await serve(webhooks, host=listen.host, port=listen.port)
        stack.push_async_callback(runner.cleanup)
        port: int = runner.addresses[0][1]
        return port

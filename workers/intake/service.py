"""Intake as a process runs it: a poller for every shop, the receiver of pushes, or both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from redis.asyncio import Redis

from channel_adapters.contract import ChannelAdapter, ChannelClient, ReadsById
from channel_adapters.shop import ShopSettings
from workers.intake.cursor import Cursors
from workers.intake.fleet import poll_all
from workers.intake.lease import Leases
from workers.intake.policy import PollPolicy
from workers.intake.poll import ShopPoller
from workers.intake.progress import ProgressNotes
from workers.intake.push import PushIntake
from workers.intake.register import OpenOrders, RereadPolicy
from workers.intake.unread import Unread
from workers.intake.webhook import Endpoint, WebhookPolicy, Webhooks
from workers.runtime.outputs import Sender


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


@dataclass(frozen=True, slots=True)
class Policies:
    """What an operator may set about intake."""

    poll: PollPolicy = field(default_factory=PollPolicy)
    reread: RereadPolicy = field(default_factory=RereadPolicy)
    webhooks: WebhookPolicy = field(default_factory=WebhookPolicy)


class Intake:
    """All of intake for some shops. `poll`, `receive` and `run`, which is both, go on until they are cancelled."""

    def __init__(
        self, connections: Sequence[Connection], *, producer: Sender, redis: Redis, policies: Policies | None = None
    ) -> None:
        self._connections = connections
        self._producer = producer
        self._redis = redis
        self._policies = policies or Policies()
        self._leases, self._register = Leases(redis), OpenOrders(redis, self._policies.reread)
        self._progress = ProgressNotes(redis)
        cursors, unread = Cursors(redis), Unread(redis)
        rereads = self._policies.reread.every_seconds > 0
        self.pollers = [
            ShopPoller(
                each.shop,
                each.client,
                producer=producer,
                leases=self._leases,
                cursors=cursors,
                unread=unread,
                policy=self._policies.poll,
                adapter=each.adapter,
                register=self._register if rereads else None,
                progress=self._progress,
            )
            for each in connections
        ]

    async def run(
        self, listen: Address | None = None, ready: Callable[[int | None], None] = lambda _port: None
    ) -> None:
        """Poll, and take pushes at `listen`. `ready` is told the port. Raises OSError when it cannot listen there."""
        async with AsyncExitStack() as stack:
            ready(None if listen is None else await stack.enter_async_context(self._listening(listen)))
            await poll_all(self.pollers)

    async def receive(self, listen: Address, ready: Callable[[int], None] = lambda _port: None) -> None:
        """Take pushes at `listen`, and poll nothing. Raises OSError when it cannot listen there."""
        async with self._listening(listen) as port:
            ready(port)
            await asyncio.Event().wait()

    def _listening(self, listen: Address) -> AbstractAsyncContextManager[int]:
        rereads = self._policies.reread.every_seconds > 0
        intake = PushIntake(
            producer=self._producer,
            leases=self._leases,
            register=self._register,
            progress=self._progress,
            rereads=[each.shop for each in self._connections if rereads and _reads_by_id(each)],
        )
        endpoints = [Endpoint(each.shop, each.adapter) for each in self._connections]
        webhooks = Webhooks(endpoints, intake=intake, redis=self._redis, policy=self._policies.webhooks)
        return webhooks.listening(host=listen.host, port=listen.port)


def _reads_by_id(connection: Connection) -> bool:
    return isinstance(connection.client, ReadsById)

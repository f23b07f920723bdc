"""A poller in a process of its own, to be killed. Arguments: broker, Redis port, topic's channel, `hang` or `go`.

With `hang` it publishes everything, says so, and waits for ever just before it would move the cursor.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis

from channel_adapters.shop import ShopSettings
from ops.testbed.local_stack.ports import LOOPBACK
from tests.workers.intake.fakes import Shelf
from workers.intake.cursor import Cursors
from workers.intake.lease import Leases
from workers.intake.policy import PollPolicy
from workers.intake.poll import ShopPoller
from workers.intake.unread import Unread
from workers.runtime.kafka.producer import Producer

ORDERS = 137


class Hanging(Cursors):
    """Never moves."""

    async def advance(self, *_args: object, **_kwargs: object) -> None:
        """Say where we are, and stay there."""
        sys.stdout.write("published\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


async def main(broker: str, redis_port: int, channel: str, mode: str) -> None:
    """One round."""
    shelf = Shelf()
    shelf.put(*range(ORDERS), at=datetime.now(UTC) - timedelta(minutes=1))
    producer = Producer(broker)
    producer.start()
    async with Redis(host=LOOPBACK, port=redis_port) as redis:
        poller = ShopPoller(
            ShopSettings(channel=channel, shop_id="main", base_url="http://x"),
            shelf,
            producer=producer,
            leases=Leases(redis, seconds=1),
            cursors=Hanging(redis) if mode == "hang" else Cursors(redis),
            unread=Unread(redis),
            policy=PollPolicy(first_lookback=timedelta(minutes=5)),
        )
        while await poller.poll_once() is None:  # noqa: ASYNC110  # the killed one's lease runs out
            await asyncio.sleep(0.05)
    await producer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))

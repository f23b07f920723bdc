"""What every run stands on: a broker and a Redis of its own, new each time, with the same stock and the same files."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis import Redis as BlockingRedis
from redis.asyncio import Redis

from channel_adapters.registry import CHANNELS
from ops.bench.seller import WAREHOUSES, stock, write_files
from ops.testbed.local_stack.apache_kafka import ApacheKafka
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import fleet_environment
from ops.testbed.local_stack.redis_server import RedisServer
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.runtime.kafka.topics import create_topics, wanted_topics

APACHE: Final = "apache"
EMBEDDED: Final = "embedded"
_DUMP: Final = "dump.rdb"
# Pauses of the broker's collector are then as rare as where it has a machine to itself.
_HEAP_MB: Final = 1536


@dataclass(frozen=True, slots=True)
class Ground:
    """Running servers, and what a process needs to know of them."""

    folder: Path
    kafka: str
    redis_url: str
    partitions: int
    rules: Path
    catalogue: Path

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """For a process of any contender."""
        return fleet_environment(
            self.kafka,
            self.redis_url,
            self.partitions,
            {
                "ORDERFLEET_RULES_FILE": str(self.rules),
                "ORDERFLEET_CATALOGUE_FILE": str(self.catalogue),
                "ORDERFLEET_LOG_LEVEL": "WARNING",
                "PYTHONPATH": os.getcwd(),  # noqa: PTH109  # another interpreter than ours finds the code here
                **(extra or {}),
            },
        )

    def blocking_redis(self) -> BlockingRedis:
        """A client of the run's Redis."""
        return BlockingRedis.from_url(self.redis_url)


class Grounds:
    """Makes one ground after the other. The stock is counted once and copied from then on."""

    def __init__(self, folder: Path, *, kafka: str = EMBEDDED, partitions: int = 24) -> None:
        self._folder = folder
        self._kafka = kafka
        self._partitions = partitions
        self._made = 0
        self.rules, self.catalogue = write_files(folder)
        self._dump = self._counted()

    def _counted(self) -> Path:
        """A Redis dump with all stock in it."""
        folder = self._folder / "stock"
        folder.mkdir()
        with RedisServer(folder) as server:
            asyncio.run(_set_stock(server.url))
            BlockingRedis.from_url(server.url).save()
        return folder / _DUMP

    @contextmanager
    def fresh(self, partitions: int | None = None) -> Iterator[Ground]:
        """Servers that nobody has used, with topics and stock; gone afterwards."""
        self._made += 1
        folder = self._folder / f"run-{self._made}"
        folder.mkdir()
        shutil.copy(self._dump, folder / _DUMP)
        count = partitions or self._partitions
        with ExitStack() as running:
            broker = ApacheKafka(folder, heap_mb=_HEAP_MB) if self._kafka == APACHE else Broker(folder)
            running.enter_context(broker)
            redis = running.enter_context(RedisServer(folder))
            _create_topics(broker.address, count)
            yield Ground(folder, broker.address, redis.url, count, self.rules, self.catalogue)
        shutil.rmtree(folder, ignore_errors=True)


def _create_topics(address: str, partitions: int) -> None:
    names = tuple(CHANNELS), tuple(WAREHOUSES)
    create_topics(address, wanted_topics(channels=names[0], warehouses=names[1], partitions=partitions, replication=1))


async def _set_stock(url: str) -> None:
    async with Redis.from_url(url) as redis:
        await set_stock(Ledger(redis))


async def set_stock(ledger: Ledger) -> None:
    """Fill the warehouses."""
    for warehouse, counts in stock().items():
        await ledger.stock.set_counts(warehouse, {sku: Count(on_hand=units) for sku, units in counts.items()})

"""What a run costs: CPU and memory by process, and Redis' own account of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import psutil
from redis.asyncio import Redis

from ops.bench.ground import Ground
from ops.testbed.local_stack.child import Child
from workers.inventory.ledger import Ledger

_SERVERS: Final = {"redis-server": "redis", "valkey-server": "redis", "java": "broker", "tansu": "broker"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run. Seconds of CPU and bytes by process."""

    cpu: dict[str, float]
    memory: dict[str, int]
    redis_calls: int
    redis_seconds: float


class Meter:
    """Counts from when it is made until `read`."""

    def __init__(self, ground: Ground, children: Sequence[Child]) -> None:
        self._children = children
        self._redis = ground.blocking_redis()
        self._redis.config_resetstat()
        self._before = self._cpu()

    def _cpu(self) -> dict[str, float]:
        spent = {child.name: _seconds(psutil.Process(child.pid)) for child in self._children}
        return spent | servers_cpu()

    def sample(self) -> None:
        """Look at the processes' memory."""
        for child in self._children:
            child.sample()

    def read(self) -> Cost:
        """What was spent since."""
        self.sample()
        now = self._cpu()
        stats: Any = self._redis.info("commandstats")
        calls = stats.get("cmdstat_evalsha", {"calls": 0, "usec": 0})
        return Cost(
            cpu={name: seconds - self._before.get(name, 0.0) for name, seconds in now.items()},
            memory={child.name: max(child.memory, default=0) for child in self._children},
            redis_calls=calls["calls"],
            redis_seconds=calls["usec"] / 1e6,
        )


def servers_cpu() -> dict[str, float]:
    """Of the servers that this process started."""
    spent: dict[str, float] = {}
    for process in psutil.Process().children():
        name = process.name()
        told = next((told for known, told in _SERVERS.items() if known in name), None)
        if told is not None:
            spent[told] = spent.get(told, 0.0) + _seconds(process)
    return spent


def _seconds(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def counters(ground: Ground) -> str:
    """A fingerprint of all stock counters: the same for two runs that reserved the same."""
    return asyncio.run(_counters(ground.redis_url))


async def _counters(url: str) -> str:
    async with Redis.from_url(url) as redis:
        ledger = Ledger(redis)
        whole = blake2b(digest_size=16)
        for warehouse in await ledger.stock.warehouses():
            for level in await ledger.stock.levels(warehouse):
                whole.update(repr(level).encode())
        return whole.hexdigest()

"""Looks at every stock counter, many times a second, while the round runs: no promise may ever exceed the stock."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from workers.inventory.keys import stock_key
from workers.runtime.redis.scripts import read_script

PAUSE_SECONDS: Final = 0.02


class StockWatch:
    """Watches the counters of these warehouses and SKUs in a thread of its own, past any proxy.

    `below_zero`: the lowest that each was ever seen at, below zero, by `warehouse/sku`; `looks`: how often all were
    looked at.
    """

    def __init__(self, url: str, pairs: Sequence[tuple[str, str]]) -> None:
        self.below_zero: dict[str, int] = {}
        self.looks = 0
        self._redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)
        self._look = self._redis.register_script(read_script("ops.testbed.torture", "below_zero.lua"))
        self._names = {stock_key(*pair): "/".join(pair) for pair in pairs}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stock-watch", daemon=True)

    def look(self) -> None:
        """Look once. Raises RedisError while Redis is away."""
        reply: Any = self._look(keys=list(self._names))
        self.looks += 1
        for key, available in zip(reply[::2], reply[1::2], strict=True):
            name = self._names[key.decode()]
            self.below_zero[name] = min(self.below_zero.get(name, 0), available)

    def _run(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                self.look()
            except RedisError:
                continue  # it is being killed or restarted: that is what the round is about

    def __enter__(self) -> StockWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._redis.close()

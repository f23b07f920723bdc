"""How often each caller may ask: a bucket of tokens for each, in this process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ops.api.problems import TooMany

_MOST_CALLERS: Final = 10_000  # remembered; who was silent longest is forgotten, and has a full bucket then


class Rate:
    """`each_second` over time, and `burst` at once."""

    def __init__(self, each_second: float, burst: float, now: Callable[[], float] = time.monotonic) -> None:
        self._each_second, self._burst, self._now = each_second, burst, now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str) -> None:
        """Count a request. Raises TooMany."""
        with self._lock:
            left = self._filled(caller)
            if left >= 1:
                self._left[caller] = (left - 1, self._now())
                return
        raise TooMany((1 - left) / self._each_second)

    def check(self, caller: str) -> None:
        """Raises TooMany when nothing is left, and counts nothing."""
        with self._lock:
            left = self._filled(caller)
        if left < 1:
            raise TooMany((1 - left) / self._each_second)

    def _filled(self, caller: str) -> float:
        now = self._now()
        left, at = self._left.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._each_second)
        self._left[caller] = (left, now)
        if len(self._left) > _MOST_CALLERS:
            self._left.popitem(last=False)
        return left

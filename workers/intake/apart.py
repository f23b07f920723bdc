"""Work on a large body is done on a thread of its own, one body at a time, and never holds up the event loop.

A digest over nine megabytes takes some 10 to 50 ms, to read an order of that size nearly a second. The loop goes on
meanwhile: digests are made without the interpreter's lock, all else gives it away every few milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

LARGE_BYTES: Final = 128 << 10
"""Above this, to work on a body at once would cost the others more than the way to a thread and back."""


class Apart:
    """One thread, which starts with the first large body and ends with its owner."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "large-bodies")

    async def work(self, size: int, do: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `do` makes of a body of `size` bytes. For a small one it is simply called."""
        if size <= LARGE_BYTES:
            return do(*args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(do, *args, **kwargs))

"""Tasks that go on until they are ended, and ending them for certain."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

log = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 0.1


async def look_again(look: Callable[[float], None], seconds: float) -> None:
    """Call `look` with the time of a steady clock, every so often, until cancelled.

    In a thread of its own: what it looks at may take seconds to read, and nobody waits for it.
    """
    loop = asyncio.get_running_loop()
    reader = ThreadPoolExecutor(1, "look again")
    try:
        while True:
            await asyncio.sleep(seconds)
            await loop.run_in_executor(reader, look, loop.time())
    finally:
        reader.shutdown(wait=False)


async def end_tasks(tasks: Iterable[asyncio.Task[Any]], seconds: float = 1.5) -> None:
    """Cancel tasks until all have ended, for at most so long; how they ended is of no interest.

    Once is not enough: `asyncio.wait_for` of Python 3.11 loses a cancellation that comes as its work is done, and
    redis-py waits with it for every answer.
    """
    left, deadline = set(tasks), asyncio.get_running_loop().time() + seconds
    while left and asyncio.get_running_loop().time() < deadline:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
        await asyncio.gather(*ended, return_exceptions=True)
    if left:
        names = ", ".join(sorted(task.get_name() for task in left))
        log.error("could not end in %g s: %s; what is unfinished comes again", seconds, names)

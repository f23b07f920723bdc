"""Walking the pages of a listing that changes while it is read.

An order that is modified again leaves its window, and the rows behind it move up one place. Whoever walks forward skips
one of them; whoever walks from the last page to the first sees some twice, and twice is harmless.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from channel_adapters.contract import RawOrder, Window

SHORTEST = timedelta(seconds=1)
"""Platforms compare modify times by the second."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, and how many orders the platform counts in the whole window."""

    total: int
    orders: Sequence[RawOrder]


FetchPage = Callable[[Window, int], Awaitable[Page]]
"""Ask for one page, counted from 0, of the orders modified in a window."""


async def last_page_first(
    fetch: FetchPage, window: Window, page_size: int, deepest: int
) -> AsyncIterator[Sequence[RawOrder]]:
    """Every order of the window. A window that holds more than `deepest` orders, the most that the platform lists, is
    read in halves, as long as there are seconds to halve.
    """
    first = await fetch(window, 0)
    if first.total <= page_size:
        if first.orders:
            yield first.orders
        return
    if first.total > deepest and window.end - window.start >= 2 * SHORTEST:
        for half in _halves(window):
            async for orders in last_page_first(fetch, half, page_size, deepest):
                yield orders
        return
    for number in reversed(range((first.total + page_size - 1) // page_size)):
        page = await fetch(window, number)
        if page.orders:
            yield page.orders


def _halves(window: Window) -> tuple[Window, Window]:
    middle = (window.start + (window.end - window.start) / 2).replace(microsecond=0)
    return Window(window.start, middle), Window(middle, window.end)

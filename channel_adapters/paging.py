"""Walking the pages of a listing that changes while it is read.

An order that is modified again leaves its window, and the rows behind it move up one place: whoever walks forward skips
one of them. An order that the platform shows late joins the window, and the rows behind it move down: whoever walks
backward skips one of them. So pages are walked backward and then forward; what is seen twice is harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from channel_adapters.contract import ChannelUnavailable, RawOrder, Window

T = TypeVar("T")

SHORTEST = timedelta(seconds=1)
"""Platforms compare modify times by the second."""

_ATTEMPTS: Final = 4
_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0

_MOST_WALKS = 5
"""A listing that gains orders faster than it can be walked is left to the overlap of the next round."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, and how many orders the platform counts in the whole window."""

    total: int
    orders: Sequence[RawOrder]


FetchPage = Callable[[Window, int], Awaitable[Page]]
"""Ask for one page, counted from 0, of the orders modified in a window."""


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """One call of many, asked again a few times: a failed one must not fail the whole window, or a shop that is behind
    has ever more calls in a window and never catches up. Raises ChannelUnavailable when it goes on failing.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return await ask()
        except ChannelUnavailable as error:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(min(error.retry_after or _PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS))
    raise AssertionError("unreachable")


async def last_page_first(
    fetch: FetchPage, window: Window, page_size: int, deepest: int
) -> AsyncIterator[Sequence[RawOrder]]:
    """Every order of the window, those on the last page first. A window that holds more than `deepest` orders, the
    most that the platform lists, is read in halves, as long as there are seconds to halve.
    """
    first = await fetch(window, 0)  # one call: when it fails, the round fails, and its pause is the right one
    if first.total <= page_size:
        if first.orders:
            yield first.orders
        return
    if first.total > deepest and window.end - window.start >= 2 * SHORTEST:
        for half in _halves(window):
            async for orders in last_page_first(fetch, half, page_size, deepest):
                yield orders
        return
    seen = _Seen()
    last = (first.total - 1) // page_size
    for number in reversed(range(last + 1)):
        page = await patiently(partial(fetch, window, number))
        if news := seen.news_of(page.orders):
            yield news
    async for orders in _first_page_first(fetch, window, page_size, seen):
        yield orders


async def _first_page_first(
    fetch: FetchPage, window: Window, page_size: int, seen: _Seen
) -> AsyncIterator[Sequence[RawOrder]]:
    """What a walk backward did not see, again and again until there is nothing new: a burst may go on meanwhile."""
    for _ in range(_MOST_WALKS):
        number, total, found = 0, 1, False
        while number * page_size < total:
            page = await patiently(partial(fetch, window, number))
            number, total = number + 1, page.total
            if news := seen.news_of(page.orders):
                found = True
                yield news
        if not found:
            return


class _Seen:
    """Which orders, as of which change, a walk has met."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, datetime | None]] = set()

    def news_of(self, orders: Sequence[RawOrder]) -> Sequence[RawOrder]:
        """Those met for the first time; from now on they are known."""
        news = [order for order in orders if (order.platform_order_id, order.modified_at) not in self._keys]
        self._keys.update((order.platform_order_id, order.modified_at) for order in news)
        return news


def _halves(window: Window) -> tuple[Window, Window]:
    middle = (window.start + (window.end - window.start) / 2).replace(microsecond=0)
    return Window(window.start, middle), Window(middle, window.end)

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

from channel_adapters.contract import ChannelUnavailable, RawOrder, UnreadablePayload, Window
from channel_adapters.envelope import Envelope
from channel_adapters.fields import count_of, flag_of

T = TypeVar("T")

SHORTEST = timedelta(seconds=1)
"""Platforms compare modify times by the second."""

_ATTEMPTS: Final = 4
_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0

_MOST_PAGES: Final = 5000

_MOST_WALKS = 5
"""A listing that gains orders faster than it can be walked is left to the overlap of the next round."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing."""

    total: int | None  # orders in the whole window, as the platform counts them; None: it does not say
    orders: Sequence[RawOrder]
    more: bool | None = None  # whether it says that there is another page


def page_of(body: bytes, orders: Sequence[RawOrder], path: Sequence[str], total: str, more: str = "") -> Page:
    """A page with what the object at `path` says of the whole listing: its total, and whether more follows.

    Neither decides anything by itself, so a missing, odd or unreadable one is no reason to refuse the page.
    """
    try:
        answer = Envelope(body)
        return Page(count_of(answer.read(*path, total)), orders, flag_of(answer.read(*path, more)) if more else None)
    except UnreadablePayload:
        return Page(None, orders)


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

    A total that cannot be right is not believed: the pages are walked to their end, first page first.
    """
    first = await fetch(window, 0)  # one call: when it fails, the round fails, and its pause is the right one
    total = first.total
    if total is None or _contradicts(first, total, page_size):
        pages = _to_the_end(fetch, window, page_size, deepest, _Seen())
    elif total <= page_size:
        if first.orders:
            yield first.orders
        return
    elif total > deepest and window.end - window.start >= 2 * SHORTEST:
        pages = _in_halves(fetch, window, page_size, deepest, await fetch(window, deepest // page_size - 1))
    else:
        pages = _both_ways(fetch, window, page_size, deepest, total)
    async for orders in pages:
        yield orders


async def _in_halves(
    fetch: FetchPage, window: Window, page_size: int, deepest: int, deepest_page: Page
) -> AsyncIterator[Sequence[RawOrder]]:
    """Halves of a window that is full down to the deepest page, else what it has: its total is wrong."""
    if not deepest_page.orders:
        async for orders in _to_the_end(fetch, window, page_size, deepest, _Seen()):
            yield orders
        return
    for half in _halves(window):
        async for orders in last_page_first(fetch, half, page_size, deepest):
            yield orders


async def _both_ways(
    fetch: FetchPage, window: Window, page_size: int, deepest: int, total: int
) -> AsyncIterator[Sequence[RawOrder]]:
    """From the last page to the first, then to the end.

    A listing that shrinks meanwhile says so; one that still counts orders on a page without any counts wrong.
    """
    seen = _Seen()
    number = (total - 1) // page_size
    while number >= 0:
        page = await patiently(partial(fetch, window, number))
        if not page.orders and (page.total is None or page.total > number * page_size):
            break
        if news := seen.news_of(page.orders):
            yield news
        number -= 1
    async for orders in _to_the_end(fetch, window, page_size, deepest, seen):
        yield orders


def _contradicts(first: Page, total: int, page_size: int) -> bool:
    """Whether the first page shows that its total is wrong."""
    return total < len(first.orders) or len(first.orders) < min(total, page_size)


async def _to_the_end(
    fetch: FetchPage, window: Window, page_size: int, deepest: int, seen: _Seen
) -> AsyncIterator[Sequence[RawOrder]]:
    """What was not seen yet, first page first, again and again until there is nothing new: a burst may go on."""
    most_pages = min(deepest // page_size, _MOST_PAGES)
    for _ in range(_MOST_WALKS):
        found = False
        for number in range(most_pages):
            page = await patiently(partial(fetch, window, number))
            news = seen.news_of(page.orders)
            if news:
                found = True
                yield news
            if _is_last(page, number, page_size):
                break
            if number and not news and page.total is None:
                break  # the same page again and again
        if not found:
            return


def _is_last(page: Page, number: int, page_size: int) -> bool:
    """Whether nothing can follow: whatever is said, an empty page is the end, and a full one need not be."""
    if not page.orders:
        return True
    if len(page.orders) >= page_size:
        return page.total == (number + 1) * page_size and not page.more
    return not page.more and (page.total is None or page.total <= number * page_size + len(page.orders))


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

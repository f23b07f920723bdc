"""Walking a listing that changes under the walker's feet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_adapters import paging
from channel_adapters.contract import ChannelUnavailable, RawOrder, Window
from channel_adapters.paging import Page, last_page_first
from schemas.text import Text

NOON = datetime(2026, 11, 11, 12, 0, 0, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=30))
SIZE = 3


class Listing:
    """Orders of one window, the newest change first, that may change before every look at a page."""

    def __init__(self, count: int) -> None:
        self.ids = [f"T{number}" for number in reversed(range(count))]
        self.before_look: Callable[[int], None] = lambda _look: None
        self.looks: list[int] = []

    async def fetch(self, _window: Window, number: int) -> Page:
        self.before_look(len(self.looks))
        self.looks.append(number)
        rows = self.ids[number * SIZE : (number + 1) * SIZE]
        return Page(len(self.ids), [RawOrder(each, NOON, b"{}") for each in rows])

    async def walk(self) -> list[str]:
        pages: list[Sequence[RawOrder]] = []
        async for page in last_page_first(self.fetch, WINDOW, SIZE, deepest=1000):
            pages.append(page)
        return [row.platform_order_id for page in pages for row in page]


async def test_pages_are_walked_backward_and_then_forward_and_each_order_comes_once() -> None:
    listing = Listing(8)
    found = await listing.walk()
    assert listing.looks == [0, 2, 1, 0, 0, 1, 2]
    assert found == ["T1", "T0", "T4", "T3", "T2", "T7", "T6", "T5"]


async def test_one_page_needs_one_look() -> None:
    listing = Listing(3)
    assert await listing.walk() == ["T2", "T1", "T0"]
    assert listing.looks == [0]


async def test_an_order_shown_late_pushes_no_other_out() -> None:
    """It joins at the front when the last page has been read: the row at the seam moves onto the page already read."""
    listing = Listing(8)

    def join(look: int) -> None:
        if look == 2:
            listing.ids.insert(0, "LATE")

    listing.before_look = join
    assert set(await listing.walk()) == {"LATE", *(f"T{number}" for number in range(8))}


async def test_a_burst_during_the_second_walk_is_followed_to_its_end() -> None:
    listing = Listing(8)

    def join(look: int) -> None:
        if look in (2, 3, 5, 6, 8):
            listing.ids.insert(0, f"LATE{look}")

    listing.before_look = join
    assert set(await listing.walk()) >= {f"T{number}" for number in range(8)}


async def test_a_listing_that_never_stops_growing_is_left_after_a_while() -> None:
    listing = Listing(8)
    listing.before_look = lambda look: listing.ids.insert(0, f"LATE{look}")
    assert set(await listing.walk()) >= {f"T{number}" for number in range(8)}
    assert len(listing.looks) < 500


async def test_a_page_that_fails_now_and_then_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a shop that is behind has ever more pages in a window, and one of them always fails."""
    monkeypatch.setattr(paging, "_PAUSE_SECONDS", 0.0)
    listing = Listing(8)

    def fail(look: int) -> None:
        if look % 3:
            listing.looks.append(-1)
            raise ChannelUnavailable(Text(en="busy", zh="忙"))

    listing.before_look = fail
    assert set(await listing.walk()) == {f"T{number}" for number in range(8)}


async def test_a_page_that_fails_for_good_fails_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "_PAUSE_SECONDS", 0.0)
    listing = Listing(8)

    def fail(look: int) -> None:
        if look:
            listing.looks.append(-1)
            raise ChannelUnavailable(Text(en="down", zh="宕机"))

    listing.before_look = fail
    with pytest.raises(ChannelUnavailable):
        await listing.walk()
    assert listing.looks == [0, -1, -1, -1, -1]


@given(
    count=st.integers(SIZE + 1, 20),
    changes=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 19)), max_size=6),
    joins=st.booleans(),
)
async def test_orders_that_join_or_leave_take_no_other_with_them(
    count: int, changes: list[tuple[int, int]], joins: bool
) -> None:
    listing = Listing(count)

    def change(look: int) -> None:
        for when, place in changes:
            if when == look and joins:
                listing.ids.insert(place % len(listing.ids), f"LATE{look}-{place}")
            elif when == look and len(listing.ids) > 1:
                del listing.ids[place % len(listing.ids)]

    listing.before_look = change
    found = set(await listing.walk())
    stayed = {each for each in listing.ids if each.startswith("T")}
    assert stayed <= found

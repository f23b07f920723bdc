"""The order book against the books of a run: is each order in the stage that its place means?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from ops.testbed.oracle.accounts import Account, Books

STAGES_OF: Final[Mapping[str, frozenset[str]]] = {
    "shipped": frozenset({"shipped"}),
    "routed": frozenset({"routed", "part-shipped"}),
    "review": frozenset({"review"}),
    "wms-review": frozenset({"review"}),
    "backordered": frozenset({"backordered"}),
    "transfer-requested": frozenset({"transfer"}),
    "deferred": frozenset({"deferred"}),
    "held": frozenset({"unpaid"}),
    "expired": frozenset({"unpaid"}),
    "released": frozenset({"cancelled"}),
    "ignored": frozenset({"done"}),
    "quarantined": frozenset({"", "unknown"}),  # no stage ever spoke of it
}
"""Place of an order -> how the order book may call it."""


def disagreements(books: Books, stages: Mapping[str, str]) -> list[str]:
    """One line for each order that the order book has in another stage. `stages`: as it has them, by uid."""
    wrong = []
    for uid in sorted({*books.accounts, *stages}):
        account = books.accounts.get(uid)
        found = stages.get(uid, "")
        place = "unknown" if account is None else account.place()
        if account is None or found not in _stages(account, place):
            wrong.append(f"{uid}: {found or 'not in the order book'}, and is {place}")
    return wrong


def caught_up(
    books: Books, read: Callable[[], None], stages: Callable[[], Mapping[str, str]], seconds: float
) -> tuple[int, list[str]]:
    """How many orders the order book has, and where it disagrees once both have caught up, for `seconds` at most.

    `read` takes new records into the books. The fleet does not stand still for us: an order that waited for stock when
    all was quiet may have shipped a moment later, and then the order book says so.
    """
    deadline = time.monotonic() + seconds
    while True:
        read()
        found = stages()
        wrong = disagreements(books, found)
        if not (wrong or books.waiting()) or time.monotonic() > deadline:
            return len(found), wrong


def _stages(account: Account, place: str) -> frozenset[str]:
    """What a person was asked to look at may be called so, wherever it is: the goods may have left meanwhile.

    Of an order whose parcels have all left, what its newest plan still wants may wait.
    """
    asked = frozenset({"review"}) if account.planned in account.reviewed else frozenset()
    if place == "shipped" and account.backordered == account.planned:
        return frozenset({"backordered"}) | asked
    if place == "shipped" and account.transferred == account.planned:
        return frozenset({"transfer"}) | asked
    return STAGES_OF.get(place, frozenset()) | asked

"""The order book against the books of a run: is each order in the stage that its place means?"""

from __future__ import annotations

from collections.abc import Mapping
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


def _stages(account: Account, place: str) -> frozenset[str]:
    """What a person was asked to look at may be called so, wherever it is: the goods may have left meanwhile."""
    asked = frozenset({"review"}) if account.planned in account.reviewed else frozenset()
    return STAGES_OF.get(place, frozenset()) | asked

"""What is chosen of a list, over its pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from workers.admin.desk.filters import ReviewFilter


class Chosen:
    """Orders by uid, each with the revision that was looked at; or all that match a filter, however many they are."""

    def __init__(self, orders: Mapping[str, str] | None = None) -> None:
        self._orders: dict[str, str] = dict(orders or {})
        self._all: tuple[ReviewFilter, int] | None = None

    def __len__(self) -> int:
        return len(self._orders) if self._all is None else self._all[1]

    @property
    def is_all(self) -> bool:
        """Whether all that match are meant, on whichever page."""
        return self._all is not None

    def all_of(self, wanted: ReviewFilter, count: int) -> None:
        """Choose all that match, of which somebody was told that they are so many."""
        self._all = wanted, count

    def filter(self) -> ReviewFilter:
        """What is chosen, as the desk takes it."""
        return self._all[0] if self._all is not None else ReviewFilter(uids=tuple(self._orders))

    def __contains__(self, uid: object) -> bool:
        return uid in self._orders

    def __iter__(self) -> Iterator[str]:
        return iter(self._orders)

    def items(self) -> list[tuple[str, str]]:
        """Uid and revision of each that was chosen by itself."""
        return list(self._orders.items())

    def toggle(self, uid: str, revision: str) -> None:
        """Choose it, or no more."""
        self._all = None
        if self._orders.pop(uid, None) is None:
            self._orders[uid] = revision

    def on_page(self, shown: Mapping[str, str], selected: Collection[str]) -> None:
        """Of what is shown, exactly these are chosen; what is chosen elsewhere stays so."""
        self._all = None
        for uid, revision in shown.items():
            if uid in selected:
                self._orders[uid] = revision
            else:
                self._orders.pop(uid, None)

    def clear(self) -> None:
        """Nothing is chosen."""
        self._all = None
        self._orders.clear()

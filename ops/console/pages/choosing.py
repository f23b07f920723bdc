"""What is chosen of a list, over its pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping


class Chosen:
    """Orders by uid, each with the revision that was looked at."""

    def __init__(self, orders: Mapping[str, str] | None = None) -> None:
        self._orders: dict[str, str] = dict(orders or {})

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, uid: object) -> bool:
        return uid in self._orders

    def __iter__(self) -> Iterator[str]:
        return iter(self._orders)

    def items(self) -> list[tuple[str, str]]:
        """Uid and revision of each."""
        return list(self._orders.items())

    def toggle(self, uid: str, revision: str) -> None:
        """Choose it, or no more."""
        if self._orders.pop(uid, None) is None:
            self._orders[uid] = revision

    def on_page(self, shown: Mapping[str, str], selected: Collection[str]) -> None:
        """Of what is shown, exactly these are chosen; what is chosen elsewhere stays so."""
        for uid, revision in shown.items():
            if uid in selected:
                self._orders[uid] = revision
            else:
                self._orders.pop(uid, None)

    def clear(self) -> None:
        """Nothing is chosen."""
        self._orders.clear()

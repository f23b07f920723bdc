"""One platform's orders, found by id and by time, with their JSON kept as bytes while it is current."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from ops.testbed.simulators.sale import Sale

CACHE_BYTES = 32 << 20


class ByteCache:
    """Bytes by key, the oldest given up first when they grow past `limit`."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._kept: dict[tuple[str, int, str], bytes] = {}

    def get(self, sale: Sale, form: str, build: Callable[[Sale], bytes]) -> bytes:
        """The sale in one wire form; built once for each of its revisions."""
        key = (sale.order_id, sale.revision, form)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        built = self._kept[key] = build(sale)
        self._size += len(built)
        while self._size > self._limit and len(self._kept) > 1:
            self._size -= len(self._kept.pop(next(iter(self._kept))))
        return built


class Store:
    """Orders in the sequence of their last change. Times are unix seconds and never run backward."""

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self.cache = ByteCache(cache_bytes)
        self._by_id: dict[str, Sale] = {}
        self._trash: dict[str, Sale] = {}
        self._times: list[int] = []  # of the log: one entry a revision
        self._log: list[Sale] = []  # an entry is current when the sale's position is its index

    def __len__(self) -> int:
        return len(self._by_id)

    def put(self, sale: Sale) -> None:
        """Show a new order, or an order that changed, as of its modify time."""
        if self._times and sale.modified_at < self._times[-1]:
            raise ValueError(f"{sale.channel} {sale.order_id}: modified before the last change of its store")
        self._by_id[sale.order_id] = sale
        sale.position = len(self._log)
        self._log.append(sale)
        self._times.append(sale.modified_at)

    def amend(self, sale: Sale) -> None:
        """Show an order that changed while its modify time did not: it keeps its place in every list."""
        sale.revision += 1

    def trash(self, order_id: str) -> None:
        """Take an order from all lists; `trashed` still shows it."""
        self._trash[order_id] = self._take(order_id)

    def delete(self, order_id: str) -> None:
        """Take an order from the platform for good, from its trash if it lies there."""
        if self._trash.pop(order_id, None) is None:
            self._take(order_id)

    def trashed(self, order_id: str) -> Sale | None:
        """An order in the trash, None when it is not there."""
        return self._trash.get(order_id)

    def _take(self, order_id: str) -> Sale:
        sale = self._by_id.pop(order_id)
        sale.position = -1
        sale.revision += 1
        return sale

    def get(self, order_id: str) -> Sale | None:
        """One order, None when the platform does not show it."""
        return self._by_id.get(order_id)

    def modified(self, start: int, end: int) -> list[Sale]:
        """Orders last changed from `start` to `end`, both inclusive, oldest change first."""
        first = bisect_left(self._times, start)
        return list(self._current(first, bisect_right(self._times, end)))

    def placed(self, start: int, end: int) -> list[Sale]:
        """Orders placed from `start` to `end`, both inclusive, oldest first."""
        found = [sale for sale in self._by_id.values() if start <= sale.placed_at <= end]
        return sorted(found, key=lambda sale: (sale.placed_at, sale.serial))

    def after(self, position: int, start: int, end: int) -> Iterator[Sale]:
        """As `modified`, from past a place in the log: what keyset paging walks."""
        first = max(position + 1, bisect_left(self._times, start))
        return self._current(first, bisect_right(self._times, end))

    def _current(self, first: int, last: int) -> Iterator[Sale]:
        return (self._log[index] for index in range(first, last) if self._log[index].position == index)

"""Orders are found by id and by time, each in its newest form only."""

from __future__ import annotations

import pytest

from ops.testbed.simulators.sale import Sale
from ops.testbed.simulators.store import ByteCache, Store
from tests.ops.testbed.simulators.builders import a_sale


def sale_of(order_id: str, modified_at: int) -> Sale:
    sale = a_sale([])
    sale.order_id, sale.modified_at, sale.placed_at = order_id, modified_at, modified_at
    return sale


def ids(sales: list[Sale]) -> list[str]:
    return [sale.order_id for sale in sales]


def test_a_window_holds_both_its_ends() -> None:
    store = Store()
    for order_id, at in (("a", 10), ("b", 11), ("c", 12), ("d", 13)):
        store.put(sale_of(order_id, at))
    assert ids(store.modified(11, 12)) == ["b", "c"]
    assert ids(store.modified(14, 20)) == []


def test_a_changed_order_is_found_at_its_new_time_only() -> None:
    store = Store()
    early, late = sale_of("a", 10), sale_of("b", 11)
    store.put(early)
    store.put(late)
    early.modified_at = 12
    store.put(early)
    assert ids(store.modified(0, 99)) == ["b", "a"]
    assert ids(store.modified(10, 10)) == []
    assert ids(store.placed(10, 10)) == ["a"]
    assert len(store) == 2


def test_a_cursor_goes_on_behind_the_order_it_names() -> None:
    store = Store()
    sales = [sale_of(name, 10) for name in "abcd"]
    for sale in sales:
        store.put(sale)
    assert ids(list(store.after(sales[1].position, 0, 99))) == ["c", "d"]


def test_time_never_runs_backward() -> None:
    store = Store()
    store.put(sale_of("a", 10))
    with pytest.raises(ValueError, match="modified before the last change"):
        store.put(sale_of("b", 9))


def test_bytes_are_built_once_for_each_revision() -> None:
    cache, built = ByteCache(), []

    def build(sale: Sale) -> bytes:
        built.append(sale.revision)
        return b"x"

    sale = sale_of("a", 10)
    assert cache.get(sale, "order", build) == cache.get(sale, "order", build) == b"x"
    sale.revision = 1
    cache.get(sale, "order", build)
    cache.get(sale, "list", build)
    assert built == [0, 1, 1]


def test_old_bytes_are_given_up_when_there_are_too_many() -> None:
    cache, built = ByteCache(limit=25), []

    def build(sale: Sale) -> bytes:
        built.append(sale.order_id)
        return b"0123456789"

    for name in ("a", "b", "c", "c", "b", "a"):
        cache.get(sale_of(name, 10), "order", build)
    assert built == ["a", "b", "c", "a"]

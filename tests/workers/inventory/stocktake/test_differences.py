"""What an import of counts says it changes."""

from __future__ import annotations

from datetime import UTC, datetime

from workers.inventory.records import Count, StockLevel
from workers.inventory.stocktake.counts import Counted
from workers.inventory.stocktake.differences import as_it_came, by_warehouse, change_of, has_moved

LEVEL = StockLevel(
    warehouse_id="hangzhou", sku="MUG-350", on_hand=10, held=1, committed=2, allocated=0, transfer=0, safety=3
)
COUNTED_AT = datetime(2026, 11, 11, tzinfo=UTC)


def counted(count: Count, counted_at: datetime | None = None, warehouse_id: str = "hangzhou") -> Counted:
    return Counted(2, warehouse_id, "MUG-350", count, counted_at)


def test_a_count_moves_what_is_available_by_what_it_adds_and_what_safety_takes() -> None:
    change = change_of(counted(Count(on_hand=15, safety=5)), LEVEL)

    assert (change.on_hand, change.on_hand_after) == (10, 15)
    assert (change.safety, change.safety_after) == (3, 5)
    assert (change.available_to_promise, change.available_to_promise_after) == (4, 7)
    assert change.differs


def test_what_is_not_counted_stays() -> None:
    change = change_of(counted(Count(on_hand=10, safety=None)), LEVEL)

    assert (change.on_hand_after, change.safety_after, change.available_to_promise_after) == (10, 3, 4)
    assert not change.differs


def test_the_ledgers_own_figures_count_once_it_is_written() -> None:
    planned = change_of(counted(Count(on_hand=15), COUNTED_AT), LEVEL)
    level = StockLevel(
        warehouse_id="hangzhou", sku="MUG-350", on_hand=13, held=0, committed=2, allocated=0, transfer=0, safety=3
    )

    came = as_it_came(planned, {("hangzhou", "MUG-350"): level})

    assert (came.on_hand, came.on_hand_after, came.available_to_promise_after) == (10, 13, 8)


def test_only_a_count_as_of_an_earlier_time_can_have_moved() -> None:
    level = StockLevel(
        warehouse_id="hangzhou", sku="MUG-350", on_hand=13, held=0, committed=2, allocated=0, transfer=0, safety=3
    )
    now, earlier = counted(Count(on_hand=15)), counted(Count(on_hand=15), COUNTED_AT)

    after = {("hangzhou", "MUG-350"): level}

    assert not has_moved(now, as_it_came(change_of(now, LEVEL), after))
    assert has_moved(earlier, as_it_came(change_of(earlier, LEVEL), after))
    assert not has_moved(earlier, change_of(earlier, LEVEL))


def test_rows_of_one_warehouse_stand_together_in_their_order() -> None:
    rows = [counted(Count(on_hand=n), warehouse_id=where) for n, where in enumerate(("b", "a", "b"))]

    assert by_warehouse(rows) == {"b": [rows[0], rows[2]], "a": [rows[1]]}

"""Orders in files, and what is none."""

from __future__ import annotations

import pytest

from schemas.record import encode
from tests.builders import a_planned_order, an_order
from workers.admin.order_files import NotAnOrder, read_orders

ONE, OTHER = an_order("1"), an_order("2")


def test_a_file_holds_one_order_or_one_a_line() -> None:
    assert read_orders(encode(ONE), "orders.json") == [ONE]
    assert read_orders(encode(ONE) + b"\n\n" + encode(OTHER) + b"\n", "orders.json") == [ONE, OTHER]


def test_of_a_planned_order_what_was_planned_is_taken() -> None:
    planned = a_planned_order(ONE)

    assert read_orders(encode(planned), "orders.json") == [planned.order]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "orders.json is not an order"),
        (b"{", "(not JSON)"),
        (b'{"tid": 1}', "(uid: missing)"),
        (encode(ONE) + b"\n{}", "orders.json, line 2 is not an order"),
    ],
)
def test_what_is_none_is_named_without_its_values(body: bytes, said: str) -> None:
    with pytest.raises(NotAnOrder) as refusal:
        read_orders(body, "orders.json")

    assert said in refusal.value.text.en
    assert refusal.value.text.zh.startswith("orders.json")

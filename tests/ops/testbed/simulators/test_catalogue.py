"""What the shops sell is sorted by what a story needs of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ops.testbed.simulators.catalogue import Catalogue, read_catalogue

NOW = datetime(2026, 11, 11, tzinfo=UTC)


def row(category: str = "tea", storage: str = "ambient", price: int = 100, kind: str = "goods") -> dict[str, Any]:
    return {"title": "样例", "category": category, "storage": storage, "price_fen": price, "kind": kind}


def document(*bindings: dict[str, Any]) -> dict[str, Any]:
    plain = {f"PLAIN-{number}": row() for number in range(6)}
    others = {"COLD": row(storage="frozen"), "LATER": row("presale-goods"), "MAIN": row(), "OLD-MAIN": row()}
    gifts = {"GIFT": row(price=0, kind="gift"), "LOOSE-GIFT": row(price=0, kind="gift"), "SETUP": row(kind="service")}
    return {"skus": plain | others | gifts, "bindings": [{"main": "MAIN", "gift": "GIFT"}, *bindings]}


def skus(goods: Any) -> set[str]:
    return {item.sku for item in goods}


def test_goods_are_sorted() -> None:
    catalogue = read_catalogue(document(), NOW)
    assert skus(catalogue.ordinary) == {f"PLAIN-{number}" for number in range(6)} | {"OLD-MAIN"}
    assert skus(catalogue.cold) == {"COLD"}
    assert skus(catalogue.presale) == {"LATER"}
    [[binding]] = catalogue.bindings
    assert (binding.main.sku, binding.gift.sku, binding.per, binding.quantity) == ("MAIN", "GIFT", 1, 1)


def test_a_binding_that_does_not_run_now_gives_no_gift_and_its_main_is_left_alone() -> None:
    ended = {"main": "OLD-MAIN", "gift": "LOOSE-GIFT", "to": datetime(2026, 11, 11, tzinfo=UTC)}
    catalogue = read_catalogue(document(ended), NOW)
    assert len(catalogue.bindings) == 1
    assert "OLD-MAIN" not in skus(catalogue.ordinary)


def test_a_catalogue_without_bindings_is_too_small() -> None:
    with pytest.raises(ValueError, match="too small"):
        read_catalogue(document() | {"bindings": []}, NOW)


def test_the_shipped_example_will_do(catalogue: Catalogue) -> None:
    assert len(catalogue.ordinary) >= 10
    assert len(catalogue.cold) >= 3

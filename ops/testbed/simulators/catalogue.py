"""What the simulated shops sell: the same SKU catalogue and gift bindings that the fleet is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from ops.testbed.simulators.sale import Goods

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "catalogue.yaml"

PRESALE_CATEGORY = "presale-goods"


@dataclass(frozen=True, slots=True)
class Binding:
    """`quantity` units of `gift` come with every `per` units of `main`; `channels` empty = everywhere."""

    main: Goods
    gift: Goods
    per: int
    quantity: int
    channels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Sorted by what a story needs. Ordinary and cold goods are neither main nor gift of any binding."""

    goods: dict[str, Goods]
    ordinary: tuple[Goods, ...]
    cold: tuple[Goods, ...]
    presale: tuple[Goods, ...]
    bindings: tuple[tuple[Binding, ...], ...]  # those of one main SKU together


def load_catalogue(path: Path = EXAMPLE) -> Catalogue:
    """Read a catalogue file. Raises ValueError when it has too little for the stories to be told."""
    return read_catalogue(yaml.safe_load(path.read_text("utf-8")), datetime.now(UTC))


def read_catalogue(document: dict[str, Any], now: datetime) -> Catalogue:
    """Sort a catalogue document's SKUs, and its bindings as they are at `now`."""
    rows = document["skus"]
    goods = {sku: _goods(sku, rows[sku], number) for number, sku in enumerate(rows, 1)}
    bindings = document.get("bindings", ())
    bound = {row["main"] for row in bindings} | {row["gift"] for row in bindings}
    free = [item for item in goods.values() if item.sku not in bound and rows[item.sku].get("kind", "goods") == "goods"]
    presale = tuple(item for item in free if rows[item.sku]["category"] == PRESALE_CATEGORY)
    result = Catalogue(
        goods=goods,
        ordinary=tuple(item for item in free if not item.cold and item not in presale),
        cold=tuple(item for item in free if item.cold and item not in presale),
        presale=presale,
        bindings=_by_main([_binding(row, goods) for row in bindings if _runs(row, now)]),
    )
    if len(result.ordinary) < 6 or not (result.cold and result.presale and result.bindings):
        raise ValueError(
            "the catalogue is too small to simulate shops: it needs 6 ambient SKUs and a cold one outside all "
            f"bindings, one of category {PRESALE_CATEGORY}, and one running binding"
        )
    return result


def _goods(sku: str, row: dict[str, Any], number: int) -> Goods:
    cold = row.get("storage", "ambient") != "ambient"
    return Goods(sku=sku, title=row["title"], price=row["price_fen"], number=number, cold=cold)


def _binding(row: dict[str, Any], goods: dict[str, Goods]) -> Binding:
    return Binding(
        main=goods[row["main"]],
        gift=goods[row["gift"]],
        per=row.get("per", 1),
        quantity=row.get("quantity", 1),
        channels=frozenset(row.get("channels", ())),
    )


def _runs(row: dict[str, Any], now: datetime) -> bool:
    return bool(row.get("from", now) <= now < row.get("to", datetime.max.replace(tzinfo=UTC)))


def _by_main(bindings: list[Binding]) -> tuple[tuple[Binding, ...], ...]:
    groups: dict[str, list[Binding]] = {}
    for binding in bindings:
        groups.setdefault(binding.main.sku, []).append(binding)
    return tuple(map(tuple, groups.values()))

"""The seller of the benchmarks: 5,000 SKUs, 8 warehouses, the rules between them, and the stock. Always the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

SKUS: Final = 5000
PLENTY: Final = 10_000_000
"""Units of nearly every SKU in every warehouse: no run may come to an end of it."""

WAREHOUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "hangzhou": ("华东",),
    "shanghai-cold": (),
    "guangzhou": ("华南",),
    "beijing": ("华北",),
    "chengdu": ("西南",),
    "wuhan": ("华中",),
    "xian": ("西北",),
    "shenyang": ("东北",),
}
_CATEGORIES = ("snacks", "tea", "coffee", "home", "beauty", "baby", "toys", "books", "sports", "garden")
_BOUND = 40  # main SKUs with a gift
_PRESALE = 20
_COLD_EACH = 12  # one SKU in so many is chilled or frozen
_OUT_EACH = 97  # one SKU in so many is out of stock in the first warehouse: such orders go to the next candidate


def catalogue() -> dict[str, Any]:
    """The document of the catalogue file."""
    skus: dict[str, Any] = {_sku(number): _goods(number) for number in range(SKUS - _BOUND)}
    skus |= {_gift(number): _gift_goods(number) for number in range(_BOUND)}
    bindings = [{"main": _sku(number), "gift": _gift(number), "per": 1, "quantity": 1} for number in range(_BOUND)]
    return {"skus": skus, "bindings": bindings}


def _sku(number: int) -> str:
    return f"SKU-{number:05d}"


def _gift(number: int) -> str:
    return f"GIFT-{number:04d}"


def _goods(number: int) -> dict[str, Any]:
    category, storage = _CATEGORIES[number % len(_CATEGORIES)], "ambient"
    if _BOUND <= number < _BOUND + _PRESALE:
        category = "presale-goods"
    elif number >= _BOUND and number % _COLD_EACH == 0:
        category, storage = ("fresh", "chilled") if number % 2 else ("frozen", "frozen")
    title, price = f"样例商品 {number:05d} 家庭装", 990 + number % 500 * 100
    return {"title": title, "category": category, "storage": storage, "weight_grams": 300, "price_fen": price}


def _gift_goods(number: int) -> dict[str, Any]:
    goods = {"title": f"赠品 样例 {number:04d}", "category": "gift", "storage": "ambient"}
    return goods | {"weight_grams": 80, "price_fen": 0, "kind": "gift"}


def ruleset() -> dict[str, Any]:
    """The document of the rules file: cold goods forced to one warehouse, everything else by region, then the next."""
    homes = {region: home for home, regions in WAREHOUSES.items() for region in regions}
    return {
        "ruleset": {"name": "bench", "version": 1},
        "warehouses": [_warehouse(home, regions) for home, regions in WAREHOUSES.items()],
        "tagging": _tagging(),
        "rules": [
            _rule("cold-chain", 2, {"storage": ["chilled", "frozen"]}, {"force": "shanghai-cold"}),
            _rule("presale-final", 4, {"presale": "final-unpaid"}, {"defer": {"until": "final-payment"}}),
            _rule("presale-date", 4, {"presale": "not-due"}, {"defer": {"until": "ship-not-before"}}),
            _rule("near-not-frozen", 5, _NEAR, {"assign": "hangzhou"}),
            *[_rule(f"to-{home}", 10, {"region": region}, _nearest(home)) for region, home in homes.items()],
            _rule("very-large", 20, {"amount_fen": {"at_least": 100_000_000}, "currency": "CNY"}, {"hold": "large"}),
            _rule("customs", 20, {"region": "港澳台"}, {"hold": "customs papers"}),
        ],
    }


def _warehouse(home: str, regions: tuple[str, ...]) -> dict[str, Any]:
    return {"id": home, "title": home} | ({"regions": list(regions)} if regions else {})


_NEAR = {"all": [{"any": [{"province": "浙江"}, {"province": "上海"}]}, {"not": {"category": "frozen"}}]}


def _nearest(home: str) -> dict[str, Any]:
    return {"assign": [home, "hangzhou" if home != "hangzhou" else "wuhan"]}


def _rule(name: str, priority: int, when: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "priority": priority, "when": when, "then": then}


def _tagging() -> list[dict[str, Any]]:
    """As in the example rules: words that make gifts and tags are looked for in every line of every order."""
    promo, urgent = ["PROMO", "满减", "秒杀", "聚划算", "双11"], ["加急", "急用", "urgent"]
    where = ["promotion", "promotion-code", "order-mark"]
    return [
        {"id": "gift", "look_in": "title", "keywords": ["赠品", "买赠", "free gift"], "then": {"kind": "gift"}},
        {"id": "promotion", "look_in": where, "keywords": promo, "then": {"tag": "promo"}},
        {"id": "urgent", "look_in": ["buyer-remark", "seller-memo"], "keywords": urgent, "then": {"tag": "urgent"}},
    ]


def stock() -> dict[str, dict[str, int]]:
    """Units on hand by warehouse and SKU."""
    skus = list(catalogue()["skus"])
    counts = {warehouse: dict.fromkeys(skus, PLENTY) for warehouse in WAREHOUSES}
    counts["hangzhou"] |= dict.fromkeys(skus[::_OUT_EACH], 0)
    return counts


def write_files(folder: Path) -> tuple[Path, Path]:
    """Write the rules and the catalogue; their paths in this order."""
    paths = folder / "rules.yaml", folder / "catalogue.yaml"
    for path, document in zip(paths, (ruleset(), catalogue()), strict=True):
        path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return paths

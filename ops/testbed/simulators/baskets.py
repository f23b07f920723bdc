"""What one simulated buyer puts into an order: the goods, quantities and discounts that a story starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from ops.testbed.simulators.catalogue import Binding, Catalogue
from ops.testbed.simulators.sale import Goods, Item

MAX_LINES = 6
ONE_LINE_CHANNELS = frozenset({"pinduoduo"})  # nearly every order there is one SKU
PLACE_LINES = (52, 24, 12, 6, 4, 2)  # share of orders with 1, 2 .. 6 lines

UNKNOWN_GOODS = Goods(sku="NOT-IN-CATALOGUE", title="样例 未建档商品", price=3990, number=9999)


@dataclass(frozen=True, slots=True)
class Buyer:
    """One buyer at one shop: whom the goods are picked for, and the dice."""

    rng: Random
    catalogue: Catalogue
    channel: str

    def lines(self, at_least: int = 1) -> int:
        """How many lines this order has."""
        if self.channel in ONE_LINE_CHANNELS:
            return at_least
        return max(at_least, self.rng.choices(range(1, MAX_LINES + 1), PLACE_LINES)[0])

    def quantity(self) -> int:
        """How many units of one line."""
        return self.rng.choices((1, 2, 3, 5), (70, 20, 7, 3))[0]

    def bindings(self) -> tuple[Binding, ...]:
        """The gifts of some main SKU that this channel gives."""
        here = [
            kept
            for group in self.catalogue.bindings
            if (kept := tuple(b for b in group if not b.channels or self.channel in b.channels))
        ]
        return self.rng.choice(here)


Basket = Callable[[Buyer], list[Item]]


def ordinary(buyer: Buyer, at_least: int = 1) -> list[Item]:
    """One to six ambient goods; now and then the same SKU on two lines, where the platform can say so."""
    goods = buyer.rng.sample(buyer.catalogue.ordinary, buyer.lines(at_least))
    items = [Item(entry, buyer.quantity()) for entry in goods]
    if len(items) > 1 and buyer.rng.random() < 0.05:
        items[-1].goods = items[0].goods
    return items


def several(buyer: Buyer) -> list[Item]:
    """At least two different goods, so that one can be given back."""
    goods = buyer.rng.sample(buyer.catalogue.ordinary, buyer.lines(at_least=2))
    return [Item(entry, buyer.quantity()) for entry in goods]


def cold(buyer: Buyer) -> list[Item]:
    """Something chilled or frozen, often beside ambient goods."""
    items = ordinary(buyer)
    items[0] = Item(buyer.rng.choice(buyer.catalogue.cold), buyer.quantity())
    return items


def presale(buyer: Buyer) -> list[Item]:
    """One piece that is sold before it can be shipped."""
    return [Item(buyer.rng.choice(buyer.catalogue.presale), 1)]


def gift_with_main(buyer: Buyer) -> list[Item]:
    """A main SKU with all gifts that its bindings promise, sometimes beside other goods."""
    bindings = buyer.bindings()
    times = buyer.rng.choice((1, 1, 2))
    units = times * max(binding.per for binding in bindings)
    items = [Item(bindings[0].main, units)]
    items += [Item(b.gift, units // b.per * b.quantity, gift=True, mains=(0,)) for b in bindings]
    if buyer.channel not in ONE_LINE_CHANNELS and buyer.rng.random() < 0.3:
        items.append(Item(buyer.rng.choice(buyer.catalogue.ordinary), 1))
    return items


def gift_missing(buyer: Buyer) -> list[Item]:
    """A main SKU whose bound gift was forgotten."""
    return [item for item in gift_with_main(buyer) if not item.gift]


def gift_without_main(buyer: Buyer) -> list[Item]:
    """A bound gift beside goods it does not belong to."""
    gift = buyer.bindings()[0].gift
    return [Item(buyer.rng.choice(buyer.catalogue.ordinary), 1), Item(gift, 1, gift=True)]


def unknown_sku(buyer: Buyer) -> list[Item]:
    """Something that the seller never entered in the catalogue, alone or beside known goods."""
    items = ordinary(buyer)
    items[0] = Item(UNKNOWN_GOODS, 1)
    return items


def discount(buyer: Buyer, items: list[Item]) -> int:
    """Take something off one order in three, shared out over its lines. Returns the platform's part."""
    rng = buyer.rng
    paying = [item for item in items if item.gross]
    if rng.random() < 0.15:
        paying[0].markdown = paying[0].gross // 10
    if rng.random() < 0.30:
        for item in paying:
            item.share = item.gross // 20
    shared = sum(item.share for item in paying)
    return shared // 2 if rng.random() < 0.4 else 0

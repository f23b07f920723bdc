"""An order as its platform keeps it, before any wire format: what the simulators change and render.

Money is integer fen, times are unix seconds, 0 = has not happened.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from ops.testbed.simulators.places import Place


class Stage(StrEnum):
    """Where the order stands on its platform."""

    UNPAID = "unpaid"
    DEPOSIT_PAID = "deposit-paid"
    GROUPING = "grouping"  # paid, and the buying group is not full yet (pinduoduo)
    UNDER_REVIEW = "under-review"  # paid, and the platform checks it: the receiver is blank (pinduoduo)
    PAID = "paid"
    CANCEL_REQUESTED = "cancel-requested"
    CLOSED = "closed"  # never paid
    REFUNDED = "refunded"  # paid, and all given back before shipping
    SHIPPED = "shipped"


ENDED = frozenset({Stage.CLOSED, Stage.REFUNDED, Stage.SHIPPED})


class Oddity(StrEnum):
    """What is wrong with the order's wire form, on purpose."""

    NONE = ""
    STATUS = "status"  # a word that is in no documentation
    MONEY = "money"  # an amount finer than a fen


@dataclass(frozen=True, slots=True)
class Goods:
    """Something the shop sells. `number` tells it from others in platform ids."""

    sku: str
    title: str
    price: int
    number: int
    cold: bool = False


@dataclass(slots=True)
class Item:
    """One line. `markdown` is its own discount, `share` its part of the order's discount."""

    goods: Goods
    quantity: int
    markdown: int = 0
    share: int = 0
    gift: bool = False
    mains: tuple[int, ...] = ()  # of a gift: the places of its main lines in the order
    refunded: int = 0  # units given back before shipping

    @property
    def price(self) -> int:
        """Unit price; a gift costs nothing."""
        return 0 if self.gift else self.goods.price

    @property
    def gross(self) -> int:
        """Before any discount."""
        return self.price * self.quantity

    @property
    def net(self) -> int:
        """What the buyer pays for the line."""
        return self.gross - self.markdown - self.share

    @property
    def gone(self) -> bool:
        """Wholly given back."""
        return self.refunded >= self.quantity


@dataclass(slots=True)
class Sale:
    """One order on its platform. Changes only through the steps of its story."""

    channel: str
    shop_id: str
    order_id: str
    serial: int  # counts the orders of this channel
    story: str
    expected: tuple[str, ...]  # the final places that are right
    items: list[Item]
    place: Place
    buyer: int
    stage: Stage
    postage: int = 0
    platform_discount: int = 0  # the part of the items' shares that the platform bears
    presale: bool = False
    ships_after: int = 0  # seconds after placing; 0: at once
    deposit: int = 0
    cash_on_delivery: bool = False
    remark: str = ""
    memo: str = ""
    promised_gift: Goods | None = None  # announced in words only
    oddity: Oddity = Oddity.NONE
    pay_seconds: int = 0  # how long the platform says the buyer may take to pay
    placed_at: int = 0
    paid_at: int = 0
    deposit_paid_at: int = 0
    closed_at: int = 0
    shipped_at: int = 0
    refunded_at: int = 0
    modified_at: int = 0
    revision: int = 0  # counts changes
    position: int = field(default=-1, compare=False)  # in its store's log
    steps_left: int = 0

    @property
    def ship_not_before(self) -> int:
        """From when on it may be shipped; 0: from the start."""
        return self.ships_after and self.placed_at + self.ships_after

    @property
    def goods_total(self) -> int:
        """Of all lines, before any discount."""
        return sum(item.gross for item in self.items)

    @property
    def markdown(self) -> int:
        """The lines' own discounts."""
        return sum(item.markdown for item in self.items)

    @property
    def order_discount(self) -> int:
        """Discounts on the whole order."""
        return sum(item.share for item in self.items)

    @property
    def discount(self) -> int:
        """All discounts."""
        return self.markdown + self.order_discount

    @property
    def total(self) -> int:
        """What the buyer pays, postage included."""
        return self.goods_total - self.discount + self.postage

    @property
    def pay_deadline(self) -> int:
        """When the platform says that it closes the order unless it is paid."""
        return self.placed_at + self.pay_seconds

    def wanted(self) -> dict[str, int]:
        """Units per SKU that the buyer is still to get."""
        if self.stage in ENDED:
            return {}
        units: Counter[str] = Counter()
        for item in self.items:
            units[item.goods.sku] += item.quantity - item.refunded
        return {sku: quantity for sku, quantity in units.items() if quantity}


def yuan(fen: int) -> str:
    """`1230` -> `12.30`. Negative only where a platform writes it so."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"

"""What becomes of an order, as a table: how it opens, what happens to it, and where it must end up in the fleet.

`expected` names the final places that are right: shipped, routed, wms-review (a warehouse sent it back), backordered,
transfer-requested, held, expired, released, review, deferred, ignored, quarantined, unseen (the platform never shows
the order to the shop).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ops.testbed.simulators import baskets
from ops.testbed.simulators.baskets import Basket
from ops.testbed.simulators.sale import Oddity, Sale, Stage

SHIPPABLE = ("shipped", "routed", "wms-review", "backordered", "transfer-requested")
LAPSED = ("expired", "backordered", "transfer-requested")  # what could not be held has no hold to expire

ALL = frozenset({"taobao", "pinduoduo", "douyin", "jd", "woocommerce", "shopify"})
SHOWS_UNPAID = frozenset({"taobao", "douyin", "woocommerce", "shopify"})
LINE_REFUNDS = frozenset({"taobao", "douyin", "woocommerce", "shopify"})
DEPOSITS = frozenset({"taobao", "pinduoduo", "douyin", "shopify"})


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens to the order, `soonest` to `latest` seconds after the step before."""

    change: Callable[[Sale, int], None]
    soonest: float = 1.0
    latest: float = 5.0


@dataclass(frozen=True, slots=True)
class Story:
    """One way an order can go. `weight` is its share among the stories of a channel."""

    name: str
    weight: float
    expected: tuple[str, ...]
    basket: Basket = baskets.ordinary
    opens: Stage = Stage.PAID
    steps: tuple[Step, ...] = ()
    channels: frozenset[str] = ALL
    presale: bool = False
    ships_after: int = 0  # seconds after placing, when it is sold to ship later
    cash_on_delivery: bool = False
    promised_gift: bool = False
    oddity: Oddity = Oddity.NONE
    remarks: bool = False
    instead: dict[str, tuple[str, ...]] = field(default_factory=dict)  # channel -> other expected places

    def expected_on(self, channel: str) -> tuple[str, ...]:
        """The final places that are right on one channel."""
        return self.instead.get(channel, self.expected)


def shown(sale: Sale) -> bool:
    """Whether the platform shows the order to the shop: JD and Pinduoduo show nothing that is not yet paid for.

    JD shows such an order once it is cancelled; Pinduoduo shows a presale whose deposit is paid.
    """
    if sale.channel in SHOWS_UNPAID or sale.paid_at or sale.cash_on_delivery:
        return True
    return sale.stage is (Stage.CLOSED if sale.channel == "jd" else Stage.DEPOSIT_PAID)


# -- steps ---------------------------------------------------------------------------------------------------------


def pay(sale: Sale, now: int) -> None:
    """The buyer pays all that is open."""
    sale.stage, sale.paid_at = Stage.PAID, now


def pay_and_wait_for_group(sale: Sale, now: int) -> None:
    """Paid, and the buying group still lacks members."""
    sale.stage, sale.paid_at = Stage.GROUPING, now


def close_unpaid(sale: Sale, now: int) -> None:
    """Nobody paid; the buyer or the platform closed the order."""
    sale.stage, sale.closed_at = Stage.CLOSED, now


def ask_to_cancel(sale: Sale, _now: int) -> None:
    """The buyer wants the money back; undecided."""
    sale.stage = Stage.CANCEL_REQUESTED


def refund_all(sale: Sale, now: int) -> None:
    """All money is given back before anything shipped."""
    sale.stage, sale.closed_at, sale.refunded_at = Stage.REFUNDED, now, now
    for item in sale.items:
        item.refunded = item.quantity


def refund_first_line(sale: Sale, now: int) -> None:
    """The first line is given back, the others are still to ship."""
    sale.refunded_at = now
    sale.items[0].refunded = sale.items[0].quantity


def review_passes(sale: Sale, _now: int) -> None:
    """The platform's check of the order ends well."""
    sale.stage = Stage.PAID


# -- the table -----------------------------------------------------------------------------------------------------

_CLOSES = Step(close_unpaid)
_REFUNDS = Step(refund_all)
_PAYS = Step(pay)

STORIES = (
    Story("paid-at-once", 42, SHIPPABLE),
    Story("unpaid-then-paid", 14, SHIPPABLE, opens=Stage.UNPAID, steps=(_PAYS,)),
    Story("unpaid-lapsed", 4, LAPSED, opens=Stage.UNPAID, channels=SHOWS_UNPAID | {"jd"}, instead={"jd": ("unseen",)}),
    Story("unpaid-closed", 3, ("released",), opens=Stage.UNPAID, steps=(_CLOSES,), channels=SHOWS_UNPAID | {"jd"}),
    Story("refunded-before-shipping", 3, ("released",), steps=(_REFUNDS,)),
    Story(
        "cancel-asked-then-refunded",
        2,
        ("released",),
        steps=(Step(ask_to_cancel), _REFUNDS),
        channels=frozenset({"taobao", "pinduoduo", "douyin", "jd"}),
    ),
    Story(
        "line-refunded",
        3,
        SHIPPABLE,
        baskets.several,
        steps=(Step(refund_first_line),),
        channels=LINE_REFUNDS,
        instead={"woocommerce": ("review",)},
    ),
    Story("gift-with-main", 8, SHIPPABLE, baskets.gift_with_main),
    Story("gift-missing", 1.5, ("review",), baskets.gift_missing),
    Story("gift-without-main", 1, ("review",), baskets.gift_without_main),
    Story("gift-in-words-only", 1, ("review",), promised_gift=True, channels=frozenset({"taobao"})),
    Story("presale-deposit", 1.5, ("deferred",), baskets.presale, Stage.DEPOSIT_PAID, channels=DEPOSITS, presale=True),
    Story(
        "presale-completed",
        1.5,
        SHIPPABLE,
        baskets.presale,
        Stage.DEPOSIT_PAID,
        steps=(_PAYS,),
        channels=DEPOSITS,
        presale=True,
    ),
    Story(
        "presale-comes-due",
        2,
        SHIPPABLE,
        baskets.presale,
        ships_after=10,
        channels=frozenset({"pinduoduo", "douyin"}),
    ),
    Story("cold-chain", 8, SHIPPABLE, baskets.cold),
    Story("unknown-sku", 1, ("review",), baskets.unknown_sku),
    Story("under-review", 1, ("review",), opens=Stage.UNDER_REVIEW, channels=frozenset({"pinduoduo"})),
    Story(
        "review-passed",
        2,
        SHIPPABLE,
        opens=Stage.UNDER_REVIEW,
        steps=(Step(review_passes),),
        channels=frozenset({"pinduoduo"}),
    ),
    Story("group-filled", 6, SHIPPABLE, opens=Stage.GROUPING, steps=(_PAYS,), channels=frozenset({"pinduoduo"})),
    Story("group-failed", 1, ("released",), opens=Stage.GROUPING, steps=(_REFUNDS,), channels=frozenset({"pinduoduo"})),
    Story(
        "cash-on-delivery",
        2,
        SHIPPABLE,
        opens=Stage.UNPAID,
        channels=frozenset({"jd", "woocommerce"}),
        cash_on_delivery=True,
    ),
    Story("remarks", 3, SHIPPABLE, remarks=True),
    Story("shipped-elsewhere", 1.5, ("ignored",), opens=Stage.SHIPPED),
    Story("unknown-status", 0.4, ("review",), channels=ALL - {"jd"}, oddity=Oddity.STATUS),
    Story("broken-money", 0.4, ("quarantined",), oddity=Oddity.MONEY),
)
"""JD has no unknown-status story: its search takes a list of states and never returns one that was not asked for.
A WooCommerce order does not say which line a refund was for, so that a person must look.
"""

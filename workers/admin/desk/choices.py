"""What may be done with one order, what not and why, and the stock it could ship from, as things stand now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from schemas.codes import HoldCode
from schemas.decision import REFUSALS, Correction, Decision, DecisionKind, DecisionRefusal, LineCorrection
from schemas.record import record
from schemas.text import Text
from workers.admin.decisions import new_decision
from workers.admin.desk.access import Actor, Deed, check, shop_of
from workers.admin.desk.asking import ask_ledger
from workers.admin.desk.deciding import DEEDS
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.foresight import Foresight
from workers.admin.desk.orders import OrderDesk, OrderPage
from workers.admin.errors import NotAllowed
from workers.inventory.ledger import Ledger
from workers.runtime.settings import Settings

WAYS_OUT: Final = (
    DecisionKind.RELEASE,
    DecisionKind.REDECIDE,
    DecisionKind.CANCEL,
    DecisionKind.CORRECT,
    DecisionKind.SPLIT,
    DecisionKind.SETTLE_FLAG,
)
"""What may take an order out of review. A hold keeps it there, a note is words."""

_AT_ONCE: Final = 100
_SHIPPED_BY_US: Final = ("purchase", "gift")


@record
class Choice:
    """One kind of decision. `code`: why not, "" when it may be made; `choice_text` says it in words."""

    kind: str
    allowed: bool
    code: str


@record
class StockThere:
    """A SKU that the order needs, in a warehouse, in units. `has`: what the order holds there already."""

    warehouse_id: str
    sku: str
    needs: int
    available: int
    has: int


@record
class Candidate:
    """A warehouse that the order could ship from. `enough`: it has all of it now."""

    warehouse_id: str
    suggested: bool
    enough: bool
    stock: list[StockThere]


@record
class Choices:
    """What a person could do with an order. `seen`: hand it back with the decision."""

    order_uid: str
    seen: str
    choices: list[Choice]
    candidates: list[Candidate]  # those that are suggested first, then those with enough


@record
class WaysOut:
    """Of all that wait for a person: for how many each kind of decision could be made, and whom none could help."""

    in_review: int
    can: dict[str, int]  # kind -> orders
    without: list[str]  # order uids


class ChoiceDesk:
    """Asks the ledger and Kafka, not the book alone. Raises NotAllowed, NotFound, ServerAway, TransientError."""

    def __init__(self, settings: Settings, deeds: Deeds, orders: OrderDesk, foresight: Foresight) -> None:
        self._settings, self._deeds, self._orders, self._foresight = settings, deeds, orders, foresight

    def of(self, actor: Actor, order_uid: str) -> Choices:
        """What this actor may do with the order now. A moment later it may be another: a decision is judged anew."""
        with self._deeds.doing(actor, Deed.ORDERS_SHOW, subject=order_uid, shop=shop_of(order_uid)):
            page = self._orders.read(actor, order_uid)
            seen = page.review.revision if page.review is not None else page.order.revision or ""
            return Choices(
                order_uid=order_uid,
                seen=seen,
                choices=self._choices(actor, page, seen),
                candidates=self._candidates(page),
            )

    def ways_out(self, actor: Actor) -> WaysOut:
        """Of every order in review that the actor sees: some ms each."""
        with self._deeds.doing(actor, Deed.REVIEW_LIST, subject="ways out"):
            pages = [self._orders.read(actor, uid) for uid in self._orders.uids_in_review(actor)]
            can: dict[str, int] = {}
            without: list[str] = []
            for start in range(0, len(pages), _AT_ONCE):
                some = pages[start : start + _AT_ONCE]
                decisions = [
                    one
                    for page in some
                    for kind in DecisionKind
                    if page.review is not None and (one := probe(page, kind, page.review.revision)) is not None
                ]
                done = [each for each in self._foresight.of(decisions) if each.is_done]
                for made in done:
                    can[made.kind.value] = can.get(made.kind.value, 0) + 1
                helped = {made.order_uid for made in done if made.kind in WAYS_OUT}
                without += [page.order.uid for page in some if page.review is not None and page.order.uid not in helped]
            return WaysOut(in_review=sum(page.review is not None for page in pages), can=can, without=without)

    def _choices(self, actor: Actor, page: OrderPage, seen: str) -> list[Choice]:
        decisions = [one for kind in DecisionKind if (one := probe(page, kind, seen)) is not None]
        foreseen = {one.kind: one.code for one in self._foresight.of(decisions)}
        return [_choice(actor, kind, foreseen.get(kind, DecisionRefusal.MAKES_NO_SENSE)) for kind in DecisionKind]

    def _candidates(self, page: OrderPage) -> list[Candidate]:
        needs = needed(page.lines)
        suggested = list((page.plan or {}).get("suggested") or (page.plan or {}).get("candidates") or ())
        if page.review is not None and page.review.suggested:
            suggested = page.review.suggested
        return ask_ledger(self._settings, lambda ledger: _looked_at(ledger, page.order.uid, needs, suggested))


async def _looked_at(ledger: Ledger, uid: str, needs: Mapping[str, int], suggested: Sequence[str]) -> list[Candidate]:
    counted = await ledger.stock.warehouses()
    warehouses = [*suggested, *(one for one in counted if one not in suggested)]
    pairs = [(warehouse, sku) for warehouse in warehouses for sku in needs]
    there = dict(zip(pairs, await ledger.stock.available(pairs), strict=True)) if pairs else {}
    holdings = (await ledger.orders.where_is(uid)).holdings
    found = [
        Candidate(
            warehouse_id=warehouse,
            suggested=warehouse in suggested,
            enough=bool(needs)
            and all(
                there[warehouse, sku] + holdings.get(warehouse, {}).get(sku, 0) >= units for sku, units in needs.items()
            ),
            stock=[
                StockThere(
                    warehouse_id=warehouse,
                    sku=sku,
                    needs=units,
                    available=there[warehouse, sku],
                    has=holdings.get(warehouse, {}).get(sku, 0),
                )
                for sku, units in needs.items()
            ],
        )
        for warehouse in warehouses
    ]
    return sorted(found, key=lambda one: (not one.suggested, not one.enough))


def probe(page: OrderPage, kind: DecisionKind, seen: str) -> Decision | None:
    """A decision of this kind as it could be made about the order; None where it has nothing to be made about."""
    given: dict[str, Any] = {}
    if kind is DecisionKind.CORRECT:
        line = next((line for line in page.lines if line.get("status") == "open"), None)
        if line is None:
            return None
        same = LineCorrection(line_id=line["line_id"], quantity=line["quantity"])
        given["correction"] = Correction(lines=(same,))
    if kind is DecisionKind.SETTLE_FLAG:
        codes = [code for code in settleable(page) if code != HoldCode.OPERATOR_HOLD]
        if not codes:
            return None
        given["codes"] = codes
    return new_decision(
        kind, page.order.uid, who="nobody", why="what would become of it", at=datetime.now(UTC), seen=seen, **given
    )


def settleable(page: OrderPage) -> list[str]:
    """The reasons why it waits, that a person may settle one by one."""
    return page.review.codes if page.review is not None else []


def needed(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Units that are still to ship, by SKU."""
    needs: dict[str, int] = {}
    for line in lines:
        if line.get("status") == "open" and line.get("kind") in _SHIPPED_BY_US and line.get("sku"):
            needs[line["sku"]] = needs.get(line["sku"], 0) + int(line.get("quantity") or 0)
    return {sku: units for sku, units in needs.items() if units > 0}


def _choice(actor: Actor, kind: DecisionKind, code: DecisionRefusal | None) -> Choice:
    try:
        check(actor, DEEDS[kind])
    except NotAllowed as error:
        return Choice(kind=kind.value, allowed=False, code=error.code)
    return Choice(kind=kind.value, allowed=code is None, code=code.value if code is not None else "")


def choice_text(choice: Choice) -> Text:
    """Why it may not be made, in words."""
    try:
        return REFUSALS[DecisionRefusal(choice.code)]
    except ValueError:
        return _NOT_YOURS if choice.code else Text("", "")


_NOT_YOURS: Final = Text("your role or token does not cover it", "您的角色或令牌无此权限")

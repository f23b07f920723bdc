"""What stands of all that people decided about one order, and the order as it is then. Pure.

Every decision that was applied is folded into a `Standing`, from its answer on `orders.decided` and the receiver that
it names: so what stands can be made again from Kafka.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from pydantic import ValidationError

from schemas.codes import LetterProblem
from schemas.dead_letter import Failure
from schemas.decision import (
    Decided,
    DecisionKind,
    LineBefore,
    ReceiverCorrection,
    Settled,
    Upheld,
)
from schemas.order import Line, LineKind, LineStatus, Order, OrderStatus, Privacy, ShipTo, lines_to_ship
from schemas.record import changed, decode, encode, record
from workers.inventory.availability import missing, wanted
from workers.runtime.errors import PermanentError

_PAST_SHIPPING: Final = (OrderStatus.CANCELLED, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
_PLACE: Final = ("country", "province", "city", "district", "town", "street", "name", "phone", "postcode")


@record
class CorrectedLine:
    """One line as a person wants it; None leaves the platform's word. `before`: what it was, each time, before that."""

    line_id: str
    sku: str | None = None
    quantity: int | None = None
    before: tuple[LineBefore, ...] = ()


@record
class Standing:
    """What stands for one order. Holds personal data when the receiver was corrected."""

    number: int = 0  # of decisions that changed something
    issued: str = ""  # the revision under which the newest of them is decided anew
    held: bool = False
    cancelled: bool = False
    settled: Settled | None = None
    lines: tuple[CorrectedLine, ...] = ()
    gifts: tuple[Line, ...] = ()
    receiver: ReceiverCorrection | None = None
    receivers_before: tuple[str, ...] = ()


NOTHING: Final = Standing()


def standing_of(kept: bytes | None) -> Standing | None:
    """What Redis keeps of an order's decisions. Raises PermanentError unreadable-standing when it is not ours."""
    if not kept:
        return None
    try:
        return decode(Standing, kept)
    except ValidationError:
        failure = Failure(attempt="decisions", where="standing", explanation=LetterProblem.DECISIONS_UNREADABLE())
        raise PermanentError("unreadable-standing", [failure]) from None


def fold(standing: Standing, decided: Decided, receiver: ReceiverCorrection | None = None) -> Standing:
    """What stands after one more decision; the same when it changed nothing. `receiver`: as it is corrected."""
    if decided.code is not None or not decided.issued:
        return standing
    standing = changed(standing, number=decided.number, issued=decided.issued)
    match decided.kind:
        case DecisionKind.RELEASE:
            return changed(standing, held=False, cancelled=False, settled=decided.settled)
        case DecisionKind.REDECIDE:
            return changed(standing, settled=None)
        case DecisionKind.HOLD:
            return changed(standing, held=True)
        case DecisionKind.CANCEL:
            return changed(standing, cancelled=True)
        case DecisionKind.CORRECT:
            corrected = _with_correction(standing, decided, receiver)
            return corrected if decided.settled is None else changed(corrected, settled=decided.settled)
        case DecisionKind.SPLIT | DecisionKind.SETTLE_FLAG:
            return changed(standing, settled=decided.settled)
        case DecisionKind.NOTE:
            return standing


def _with_correction(standing: Standing, decided: Decided, receiver: ReceiverCorrection | None) -> Standing:
    lines = {line.line_id: line for line in standing.lines}
    was = {one.line_id: one for one in decided.before}
    for wish in decided.lines:
        known = lines.get(wish.line_id, CorrectedLine(line_id=wish.line_id))
        now = was.get(wish.line_id)
        lines[wish.line_id] = CorrectedLine(
            line_id=wish.line_id,
            sku=known.sku if wish.sku is None else wish.sku,
            quantity=known.quantity if wish.quantity is None else wish.quantity,
            before=known.before if now is None or now in known.before else (*known.before, now),
        )
    standing = changed(standing, lines=tuple(lines.values()), gifts=(*standing.gifts, *_gifts(decided)))
    if receiver is None:
        return standing
    fields = {name: value for name, value in _given(receiver).items() if value is not None}
    return changed(
        standing,
        receiver=changed(standing.receiver or ReceiverCorrection(), **fields),
        receivers_before=tuple(dict.fromkeys((*standing.receivers_before, decided.receiver_before))),
    )


def _gifts(decided: Decided) -> Iterable[Line]:
    """Lines of our own; their ids are like no platform's."""
    for number, gift in enumerate(decided.gifts, start=1):
        yield Line(
            line_id=f"added:{decided.decision_id}:{number}",
            sku=gift.sku,
            quantity=gift.quantity,
            unit_price=0,
            paid=0,
            kind=LineKind.GIFT,
            bound_to=gift.bound_to,
        )


def _given(receiver: ReceiverCorrection) -> dict[str, str | None]:
    return {name: getattr(receiver, name) for name in _PLACE if name != "country"}


# -- the order as it is then -----------------------------------------------------------------------------------------


def corrected(order: Order, standing: Standing) -> tuple[Order, bool]:
    """The order as people want it, and whether its platform changed the very thing that they had corrected.

    What was changed so stays as the platform says. An order that is corrected already stays as it is.
    """
    if order.status in _PAST_SHIPPING or not (standing.lines or standing.gifts or standing.receiver):
        return order, False
    overtaken = False
    wishes = {line.line_id: line for line in standing.lines}
    lines = list(order.lines)
    for index, line in enumerate(lines):
        wish = wishes.get(line.line_id)
        if wish is not None and line.status is LineStatus.OPEN:
            fixed = _corrected_line(line, wish)
            overtaken = overtaken or fixed is None
            lines[index] = fixed or line
    there = {line.line_id for line in lines}
    lines += [gift for gift in standing.gifts if gift.line_id not in there]
    ship_to = order.ship_to
    if standing.receiver is not None:
        fixed_to = _corrected_receiver(order, standing.receiver, standing.receivers_before)
        overtaken = overtaken or fixed_to is None
        ship_to = fixed_to or ship_to
    return changed(order, lines=tuple(lines), ship_to=ship_to), overtaken


def _corrected_line(line: Line, wish: CorrectedLine) -> Line | None:
    """None when its platform changed what was corrected. Fewer than a person wants is the buyer's word, and counts."""
    sku, quantity = line.sku, line.quantity
    if wish.sku is not None and sku != wish.sku:
        if all(one.sku != sku for one in wish.before):
            return None
        sku = wish.sku
    if wish.quantity is not None and quantity > wish.quantity:
        if all(one.quantity != quantity for one in wish.before):
            return None
        quantity = wish.quantity
    if sku == line.sku:
        return line if quantity == line.quantity else changed(line, quantity=quantity)
    return changed(line, sku=sku, quantity=quantity, title="", parts=())  # the title is of what is not picked


def _corrected_receiver(order: Order, wish: ReceiverCorrection, before: Iterable[str]) -> ShipTo | None:
    fields = {name: value for name, value in _given(wish).items() if value is not None}
    ship_to = order.ship_to
    if all(getattr(ship_to, name) == value for name, value in fields.items()):
        return ship_to
    if address_digest(order) not in before:
        return None
    return changed(ship_to, **fields, privacy=Privacy.PLAIN, token="", receiver_key="")


def address_digest(order: Order) -> str:
    """Whether two descriptions of one order have the same receiver: salted with its uid, so that it tells no more.

    A platform that encrypts writes the same name differently each time: then its own key for the receiver counts.
    """
    ship_to = order.ship_to
    where = (ship_to.receiver_key, ship_to.province, ship_to.city, ship_to.district)
    said = where if ship_to.receiver_key else tuple(getattr(ship_to, name) for name in _PLACE)
    return blake2b(encode((order.uid, said)), digest_size=8).hexdigest()


# -- what routing is told --------------------------------------------------------------------------------------------


def upheld_of(standing: Standing, *, overtaken: bool) -> Upheld:
    """What stands, without what the order shows already."""
    return Upheld(
        number=standing.number,
        held=standing.held,
        cancelled=standing.cancelled,
        overtaken=overtaken,
        settled=standing.settled,
    )


def still_settles(settled: Settled, order: Order) -> bool:
    """Whether what a person settled is still this order: no more units than then, and the same address."""
    return not missing(wanted(lines_to_ship(order)), settled.units) and address_digest(order) == settled.address


def settled_as(order: Order, codes: Iterable[str], warehouses: Iterable[str] = (), *, split: bool = False) -> Settled:
    """These reasons, settled for the order as it is."""
    return Settled(
        codes=tuple(dict.fromkeys(codes)),
        units=wanted(lines_to_ship(order)),
        address=address_digest(order),
        warehouses=tuple(warehouses),
        split=split,
    )

"""Which gift belongs to which main line, and what is missing or left over. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.codes import FlagReason, HoldCode
from schemas.order import Line, LineKind, LineStatus, Order
from schemas.plan import Flag
from schemas.record import changed
from workers.rules.catalogue import Binding, Catalogue
from workers.rules.words import fold

_GIFT, _PURCHASE, _CANCELLED = LineKind.GIFT, LineKind.PURCHASE, LineStatus.CANCELLED


def bind_gifts(lines: tuple[Line, ...], catalogue: Catalogue) -> tuple[Line, ...]:
    """Gift lines that the platform left loose, bound to the main lines that the catalogue binds them to."""
    bound: list[Line] | None = None
    for index, line in enumerate(lines):
        if line.kind is _GIFT and not line.bound_to and line.status is not _CANCELLED:
            mains = {binding.main for binding in catalogue.by_gift.get(line.sku, ())}
            bound_to = tuple([other.line_id for other in lines if other.sku in mains and _is_main(other)])
            if bound_to:
                bound = bound or list(lines)
                bound[index] = changed(line, bound_to=bound_to)
    return tuple(bound) if bound else lines


def _is_main(line: Line) -> bool:
    """Bought and not cancelled; a main line that has shipped already still counts."""
    return line.kind is _PURCHASE and line.status is not _CANCELLED


def gift_flags(order: Order, to_ship: tuple[Line, ...], catalogue: Catalogue) -> list[Flag]:
    """Gifts without their main line, main lines without their gift, gifts announced but not there."""
    gifts = [line for line in order.lines if line.kind is _GIFT and line.status is not _CANCELLED]
    flags: list[Flag] = []
    mains = _units_of_mains(order, catalogue)
    if mains:
        flags.extend(_missing_and_surplus(order, gifts, mains, catalogue))
    if gifts and not _is_gift_of_another(order):
        flags.extend(_without_main(order, gifts, catalogue))
        if not any(line.kind is _PURCHASE for line in to_ship):
            flags.append(Flag(code=HoldCode.GIFT_ONLY, explanation=FlagReason.GIFTS_ONLY(), line_ids=_ids(gifts)))
    if order.promised_gifts:
        flags.extend(_promised(order, gifts))
    return flags


def _is_gift_of_another(order: Order) -> bool:
    return any(other.relation == "gift-of" for other in order.related)


def _comes_separately(order: Order) -> bool:
    return any(other.relation == "gift" for other in order.related)


def _units_of_mains(order: Order, catalogue: Catalogue) -> dict[str, int]:
    """Units bought of each SKU that comes with a gift; several lines of one SKU add up."""
    units: dict[str, int] = {}
    by_main = catalogue.by_main
    for line in order.lines:
        if line.sku in by_main and _is_main(line):
            units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


def _missing_and_surplus(
    order: Order, gifts: Sequence[Line], mains: dict[str, int], catalogue: Catalogue
) -> Iterator[Flag]:
    due: dict[str, int] = {}
    for binding in _in_force(order, mains, catalogue):
        due[binding.gift] = due.get(binding.gift, 0) + binding.due(mains[binding.main])
    for gift, wanted in due.items():
        there = sum([line.quantity for line in gifts if line.sku == gift])
        if there != wanted:
            owed_by = [b.main for b in _in_force(order, mains, catalogue) if b.gift == gift]
            yield from _miscounted(order, gifts, gift, owed_by, wanted, there)


def _miscounted(
    order: Order, gifts: Sequence[Line], gift: str, owed_by: Sequence[str], due: int, there: int
) -> Iterator[Flag]:
    gaps: dict[str, str | int] = {"main": ", ".join(owed_by), "gift": gift, "due": due, "there": there}
    if there > due:
        surplus = [line for line in gifts if line.sku == gift]
        explanation = FlagReason.TOO_MANY_GIFTS(**gaps)
        yield Flag(code=HoldCode.GIFT_SURPLUS, explanation=explanation, blocks=False, line_ids=_ids(surplus))
    elif not _comes_separately(order):
        lacking = [line for line in order.lines if line.sku in owed_by and _is_main(line)]
        yield Flag(code=HoldCode.GIFT_MISSING, explanation=FlagReason.TOO_FEW_GIFTS(**gaps), line_ids=_ids(lacking))


def _in_force(order: Order, mains: dict[str, int], catalogue: Catalogue) -> Iterator[Binding]:
    for main in mains:
        for binding in catalogue.by_main[main]:
            if binding.holds_for(order.channel, order.placed_at):
                yield binding


def _without_main(order: Order, gifts: Sequence[Line], catalogue: Catalogue) -> Iterator[Flag]:
    """By the catalogue where it knows the gift, else by the lines the platform bound it to."""
    mains = [line for line in order.lines if _is_main(line)]
    bought = {line.sku for line in mains}
    for gift in gifts:
        bindings = catalogue.by_gift.get(gift.sku, ())
        if bindings and bought.isdisjoint([binding.main for binding in bindings]):
            wanted = ", ".join(dict.fromkeys(binding.main for binding in bindings))
            explanation = FlagReason.GIFT_ALONE(gift=gift.sku, main=wanted)
            yield Flag(code=HoldCode.GIFT_WITHOUT_MAIN, explanation=explanation, line_ids=(gift.line_id,))
        elif not bindings and gift.bound_to and not any(line.line_id in gift.bound_to for line in mains):
            explanation = FlagReason.GIFT_MAIN_GONE(gift=gift.sku or gift.line_id)
            yield Flag(code=HoldCode.GIFT_WITHOUT_MAIN, explanation=explanation, line_ids=(gift.line_id,))


def _promised(order: Order, gifts: Sequence[Line]) -> Iterator[Flag]:
    """One flag for all announced gifts that no gift line carries, told by platform item or by name."""
    items = {gift.platform_sku for gift in gifts if gift.platform_sku}
    titles = [fold(gift.title) for gift in gifts if gift.title]
    missing = [
        promise
        for promise in order.promised_gifts
        if promise.platform_item_id not in items and not any(fold(promise.name) in title for title in titles)
    ]
    if missing:
        yield Flag(code=HoldCode.PROMISED_GIFT_WITHOUT_LINE, explanation=FlagReason.GIFTS_PROMISED(count=len(missing)))


def _ids(lines: Sequence[Line]) -> tuple[str, ...]:
    return tuple([line.line_id for line in lines])

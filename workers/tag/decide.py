"""Tag one order: fill in what the catalogue knows, find gifts and tags, and flag what a person should see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.codes import Explanation, FlagReason, HoldCode
from schemas.order import Line, LineKind, LineStatus, Order, OrderStatus, Privacy, StorageClass, lines_to_ship
from schemas.plan import Flag, TaggedOrder
from schemas.record import changed
from workers.rules.catalogue import Catalogue, Sku
from workers.rules.facts import receiver_to_come
from workers.rules.tagging import Tagging
from workers.tag.gifts import bind_gifts, gift_flags

_PAST_SHIPPING = (OrderStatus.CANCELLED, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
_NAMED = 5

# A member looked up through its class costs 100 ns each time.
_PURCHASE, _GIFT = LineKind.PURCHASE, LineKind.GIFT
_LINE_CANCELLED, _MISSING, _AMBIENT = LineStatus.CANCELLED, Privacy.MISSING, StorageClass.AMBIENT


def decide(order: Order, catalogue: Catalogue, tagging: Tagging) -> TaggedOrder:
    """What the order is made of, and what is wrong with it. Pure."""
    tags: list[str] = []  # from keywords in its lines
    lines = tuple([_filled(line, order.channel, catalogue.skus, tagging, tags) for line in order.lines])
    if catalogue.by_gift:
        lines = bind_gifts(lines, catalogue)
    order = changed(order, lines=lines)
    found = [*_built_in_tags(order), *tags, *tagging.order(order)]
    tags_once = tuple(dict.fromkeys(found)) if found else ()
    return TaggedOrder(order=order, tags=tags_once, flags=_flags(order, catalogue))


def _filled(line: Line, channel: str, skus: Mapping[str, Sku], tagging: Tagging, tags: list[str]) -> Line:
    """The line with kind, category, storage class and weight. A cancelled line gives the order no tags."""
    sku = skus.get(line.sku)
    found = tagging.line(channel, line)
    if found.tags and line.status is not _LINE_CANCELLED:
        tags += found.tags
    kind = line.kind
    if kind is _PURCHASE:
        kind = found.kind or _kind_of(sku, line)
    if sku is None:
        return changed(line, kind=kind, category="", storage_class=_AMBIENT, weight_grams=0)
    return changed(line, kind=kind, category=sku.category, storage_class=sku.storage, weight_grams=sku.weight_grams)


def _kind_of(sku: Sku | None, line: Line) -> LineKind:
    """A gift SKU that somebody paid for is a purchase."""
    if sku is None or (sku.kind is _GIFT and line.paid > 0):
        return _PURCHASE
    return sku.kind


def _built_in_tags(order: Order) -> list[str]:
    tags = []
    gift = cold = False
    for line in order.lines:
        if line.status is not _LINE_CANCELLED:
            gift = gift or line.kind is _GIFT
            cold = cold or line.storage_class is not _AMBIENT
    if gift:
        tags.append("gift")
    if order.promotions:
        tags.append("promo")
    if order.presale is not None:
        tags.append("presale")
    if cold:
        tags.append("cold-chain")
    return tags


# -- findings --------------------------------------------------------------------------------------------------------


def _flags(order: Order, catalogue: Catalogue) -> tuple[Flag, ...]:
    """Nothing is asked of an order that has left or is cancelled."""
    if order.status in _PAST_SHIPPING:
        return ()
    if not order.lines:
        return (Flag(code=HoldCode.NO_LINES, explanation=FlagReason.EMPTY_ORDER(), blocks=False),)
    to_ship = lines_to_ship(order)
    if not to_ship:
        return ()
    flags = _sku_flags(to_ship, catalogue)
    if HoldCode.TOTALS_CONTRADICT in order.marks:  # gift cards and rounding do it, too: told, and in nobody's way
        flags.append(Flag(code=HoldCode.TOTALS_CONTRADICT, explanation=FlagReason.SUMS_DIFFER(), blocks=False))
    if order.ship_to.privacy is _MISSING and not receiver_to_come(order) and not _is_fetched(order):
        flags.append(Flag(code=HoldCode.RECEIVER_MISSING, explanation=FlagReason.NO_RECEIVER()))
    flags += gift_flags(order, to_ship, catalogue)
    return tuple(flags)


def _is_fetched(order: Order) -> bool:
    return HoldCode.LOCAL_PICKUP in order.holds


def _sku_flags(to_ship: tuple[Line, ...], catalogue: Catalogue) -> list[Flag]:
    strange = [line for line in to_ship if line.sku not in catalogue.skus]
    if not strange:
        return []
    flags = []
    bundles = [line for line in strange if line.parts]
    flags += [_bundle_flag(line) for line in bundles]
    strange = [line for line in strange if not line.parts]
    nameless = [line for line in strange if not line.sku]
    if nameless:
        flags.append(_flag(HoldCode.SKU_UNKNOWN, FlagReason.LINES_WITHOUT_SKU(count=len(nameless)), nameless))
    named = [line for line in strange if line.sku]
    if named:
        codes = list(dict.fromkeys(line.sku for line in named))
        flags.append(_flag(HoldCode.SKU_UNKNOWN, _unknown(codes), named))
    return flags


def _unknown(skus: Sequence[str]) -> Explanation:
    named, more = ", ".join(skus[:_NAMED]), len(skus) - _NAMED
    return FlagReason.MANY_SKUS_UNKNOWN(skus=named, more=more) if more > 0 else FlagReason.SKUS_UNKNOWN(skus=named)


def _bundle_flag(line: Line) -> Flag:
    """A bundle that has no stock of its own: a person must see what it is made of."""
    parts = ", ".join(f"{part.quantity} x {part.sku or part.platform_sku or '?'}" for part in line.parts[:_NAMED])
    sku, more = line.sku or line.platform_sku or line.line_id, len(line.parts) - _NAMED
    if more > 0:
        explanation = FlagReason.LARGE_BUNDLE_UNKNOWN(sku=sku, parts=parts, more=more)
    else:
        explanation = FlagReason.BUNDLE_UNKNOWN(sku=sku, parts=parts)
    return _flag(HoldCode.BUNDLE_PARTS, explanation, [line])


def _flag(code: str, explanation: Explanation, lines: list[Line]) -> Flag:
    return Flag(code=code, explanation=explanation, line_ids=tuple([line.line_id for line in lines]))

"""What is to be picked for a selection of orders: goods that were bought and gifts apart, missing gifts marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.codes import HoldCode
from schemas.order import Line, LineKind, lines_to_ship
from schemas.plan import Flag, PlannedOrder
from schemas.record import record
from schemas.text import Text
from workers.admin.desk.access import Actor, Deed, check_shop, shop_of
from workers.admin.desk.asking import ask_ledger
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.foresight import KafkaArchive
from workers.admin.errors import InvalidRequest
from workers.inventory.archive import PlannedArchive
from workers.inventory.ledger import Ledger
from workers.runtime.settings import Settings

MOST: Final = 200
"""Orders of one list: more than anybody picks with one cart."""

_MISSING: Final = (HoldCode.GIFT_MISSING, HoldCode.PROMISED_GIFT_WITHOUT_LINE)


@record
class PickLine:
    """A line that is still to be picked. `main_lines`: of a gift, the lines it goes with."""

    line_id: str
    sku: str
    title: str
    quantity: int
    main_lines: list[str]


@record
class PickOrder:
    """One order of the list. Remarks are the buyer's and the shop's own words: never log them."""

    order_uid: str
    platform_order_id: str
    revision: str
    warehouses: list[str]  # told to ship it; none: where it would go
    is_told: bool  # False: no warehouse was told to ship it: do not pick it yet
    purchases: list[PickLine]
    gifts: list[PickLine]
    missing_gifts: list[Flag]  # a gift that belongs to it and is not in it
    buyer_remark: str
    seller_memo: str


@record
class PickTotal:
    """Units of one SKU over all orders that are to be picked."""

    sku: str
    title: str
    purchased: int
    gifts: int


@record
class PickList:
    """Orders as they were selected, and all goods together. `unknown`: orders that nobody knows (any more)."""

    orders: list[PickOrder]
    totals: list[PickTotal]
    unknown: list[str]


class PickDesk:
    """Asks the ledger and Kafka. Raises NotAllowed, InvalidRequest, ServerAway, TransientError."""

    def __init__(self, settings: Settings, deeds: Deeds) -> None:
        self._settings, self._deeds = settings, deeds

    def of(self, actor: Actor, order_uids: Sequence[str]) -> PickList:
        """The list of these orders, in their order. People only: it holds remarks. Each look is written down."""
        uids = list(dict.fromkeys(order_uids))
        subject = f"{len(uids)}: {' '.join(uids)}"
        with self._deeds.doing(actor, Deed.PICKING_LIST, subject=subject):
            if not 1 <= len(uids) <= MOST:
                raise InvalidRequest(Text(f"choose 1 to {MOST} orders", f"请选择 1 到 {MOST} 单"), "too-many-orders")
            for uid in uids:
                check_shop(actor, shop_of(uid))
            found = ask_ledger(self._settings, lambda ledger: self._read(ledger, uids))
            orders = [_order(planned, told) for planned, told in found if planned is not None]
            unknown = [uid for uid, (planned, _) in zip(uids, found, strict=True) if planned is None]
            return PickList(orders=orders, totals=totals(orders), unknown=unknown)

    async def _read(self, ledger: Ledger, uids: Sequence[str]) -> list[tuple[PlannedOrder | None, Sequence[str]]]:
        standing = await ledger.decisions.look([(uid, "") for uid in uids])
        archive = PlannedArchive(self._settings.cluster)
        try:
            places = [one.place for one in standing if one.place is not None]
            read = dict(zip(places, await KafkaArchive(self._settings, archive).read(places), strict=True))
        finally:
            await archive.close()
        found: list[tuple[PlannedOrder | None, Sequence[str]]] = []
        for uid, one in zip(uids, standing, strict=True):
            planned = read.get(one.place) if one.place is not None else None
            found.append((planned if planned is not None and planned.order.uid == uid else None, one.told))
        return found


def _order(planned: PlannedOrder, told: Sequence[str]) -> PickOrder:
    order, plan = planned.order, planned.plan
    lines = lines_to_ship(order)
    would = [one.warehouse_id for one in (plan.candidates or plan.suggested)]
    return PickOrder(
        order_uid=order.uid,
        platform_order_id=order.platform_order_id,
        revision=order.revision,
        warehouses=sorted(told) or would,
        is_told=bool(told),
        purchases=[_line(line) for line in lines if line.kind is not LineKind.GIFT],
        gifts=[_line(line) for line in lines if line.kind is LineKind.GIFT],
        missing_gifts=[flag for flag in planned.flags if flag.code in _MISSING],
        buyer_remark=order.buyer_remark,
        seller_memo=order.seller_memo,
    )


def _line(line: Line) -> PickLine:
    return PickLine(
        line_id=line.line_id,
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        main_lines=list(line.bound_to),
    )


def totals(orders: Sequence[PickOrder]) -> list[PickTotal]:
    """All goods of these orders together, by SKU."""
    summed: dict[str, PickTotal] = {}
    for order in orders:
        for lines, is_gift in ((order.purchases, False), (order.gifts, True)):
            for line in lines:
                was = summed.get(line.sku, PickTotal(sku=line.sku, title="", purchased=0, gifts=0))
                summed[line.sku] = PickTotal(
                    sku=line.sku,
                    title=was.title or line.title,
                    purchased=was.purchased + (0 if is_gift else line.quantity),
                    gifts=was.gifts + (line.quantity if is_gift else 0),
                )
    return [summed[sku] for sku in sorted(summed)]

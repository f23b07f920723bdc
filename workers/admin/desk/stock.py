"""Stock at the desk: how it stands and why, what waits for it, and what is asked to be moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.record import record
from schemas.text import Text
from workers.admin.backorders import waiting_orders
from workers.admin.desk.access import Actor, Deed, shop_of
from workers.admin.desk.asking import ask_ledger, ask_topics
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.paging import Page, checked_limit, cut, from_cursor
from workers.admin.errors import NotFound
from workers.admin.stock import StockFigures, explained, pooled, stock_levels
from workers.admin.transfers import Requested, TransferSum, requested_transfers, summed
from workers.inventory.ledger import Ledger
from workers.inventory.records import StockLevel
from workers.runtime.settings import Settings

_MOST_WAITING: Final = 2000  # are counted for one SKU


@record
class SkuStock:
    """One SKU everywhere: all of it together, each warehouse, and who waits for it."""

    sku: str
    pooled: StockFigures
    warehouses: list[StockFigures]
    waiting_orders: int
    waiting_units: int


@record
class Backordered:
    """An order that waits for stock."""

    order_uid: str
    revision: str
    placed_at: datetime
    needs: dict[str, int]
    warehouses: list[str]
    gave_up: list[str]


@record
class TransferAsked:
    """A transfer that one order asked for, and how far it is. `from_warehouse` None: no warehouse had them all."""

    transfer_id: str
    order_uid: str
    from_warehouse: str | None
    to_warehouse: str
    quantities: dict[str, int]
    at: datetime
    given: str  # in the giving warehouse: "" not begun, reserved, sent, cancelled
    received: bool


class StockDesk:
    """Reads the ledger. All methods raise NotAllowed, ServerAway, TransientError."""

    def __init__(self, settings: Settings, deeds: Deeds) -> None:
        self._settings, self._deeds = settings, deeds

    def levels(
        self, actor: Actor, *, warehouse_id: str | None, sku: str | None, cursor: str | None, limit: int
    ) -> Page[StockFigures]:
        """Each SKU in each warehouse, or those of one. Raises InvalidRequest."""
        with self._deeds.doing(actor, Deed.STOCK_SHOW, subject=sku or warehouse_id or ""):
            after = from_cursor(cursor, str, str)
            checked_limit(limit)
            found = ask_ledger(self._settings, lambda ledger: stock_levels(ledger, warehouse_id, sku))
            levels = sorted(found, key=_place)
            if after is not None:
                levels = [level for level in levels if _place(level) > tuple(after)]
            return cut(
                [explained(level) for level in levels[: limit + 1]], limit, lambda each: (each.warehouse_id, each.sku)
            )

    def of_sku(self, actor: Actor, sku: str) -> SkuStock:
        """All about one SKU. Raises NotFound where it was never counted and nobody waits for it."""
        with self._deeds.doing(actor, Deed.STOCK_SHOW, subject=sku):

            async def asked(ledger: Ledger) -> SkuStock:
                levels = sorted(await stock_levels(ledger, None, sku), key=_place)
                waiting, _ = await waiting_orders(ledger, sku=sku, limit=_MOST_WAITING)
                units = sum(entry.needs.get(sku, 0) for entry in waiting)
                figures = [explained(level) for level in levels]
                return SkuStock(
                    sku=sku,
                    pooled=pooled(sku, levels),
                    warehouses=figures,
                    waiting_orders=len(waiting),
                    waiting_units=units,
                )

            found = ask_ledger(self._settings, asked)
            if not found.warehouses and not found.waiting_orders:
                raise NotFound(
                    Text(f"no stock of {sku} was ever counted", f"从未盘点过 {sku} 的库存"),
                    "unknown-sku",
                    Text(
                        "check the SKU, or count it: orderfleet stock import",
                        "请核对 SKU，或导入盘点：orderfleet stock import",
                    ),
                )
            return found

    def backorders(self, actor: Actor, *, sku: str | None, warehouse_id: str | None, limit: int) -> list[Backordered]:
        """The oldest that wait, of the shops that the actor sees. Raises InvalidRequest."""
        with self._deeds.doing(actor, Deed.BACKORDERS_LIST, subject=sku or warehouse_id or ""):
            checked_limit(limit)
            most = limit if actor.shops is None else 0
            found, _ = ask_ledger(
                self._settings, lambda ledger: waiting_orders(ledger, sku=sku, warehouse_id=warehouse_id, limit=most)
            )
            return [
                Backordered(
                    order_uid=each.order_uid,
                    revision=each.revision,
                    placed_at=datetime.fromtimestamp(each.placed_at_ms / 1000, UTC),
                    needs=each.needs,
                    warehouses=list(each.warehouses),
                    gave_up=list(each.gave_up),
                )
                for each in found
                if actor.sees(shop_of(each.order_uid))
            ][:limit]

    def transfers(self, actor: Actor, *, days: int) -> list[TransferSum]:
        """What orders asked to be moved within so many days, summed for each SKU and route."""
        with self._deeds.doing(actor, Deed.TRANSFERS_LIST):
            since = datetime.now(UTC) - timedelta(days=days)
            return summed(ask_topics(self._settings, lambda topics: requested_transfers(topics, since)))

    def asked_transfers(self, actor: Actor, *, days: int, limit: int) -> list[TransferAsked]:
        """What orders of the actor's shops asked to be moved, one by one, the oldest first; received ones are left out.

        Raises InvalidRequest.
        """
        with self._deeds.doing(actor, Deed.TRANSFERS_LIST):
            checked_limit(limit)
            since = datetime.now(UTC) - timedelta(days=days)
            found = ask_topics(self._settings, lambda topics: requested_transfers(topics, since))
            theirs = [each for each in found if actor.sees(shop_of(each.request.order_uid))]

            async def asked(ledger: Ledger) -> list[TransferAsked]:
                places = [
                    place
                    for _, one in theirs
                    for place in ((one.from_warehouse or "-", one.transfer_id), (one.to_warehouse, one.transfer_id))
                ]
                states = await ledger.stock.transfer_states(places)
                pairs = zip(states[::2], states[1::2], strict=True)
                return [_asked(each, *pair) for each, pair in zip(theirs, pairs, strict=True)]

            rows = ask_ledger(self._settings, asked) if theirs else []
            return [row for row in rows if not row.received][:limit]


def _asked(one: Requested, given: str, received: str) -> TransferAsked:
    found, request = one
    return TransferAsked(
        transfer_id=request.transfer_id,
        order_uid=request.order_uid,
        from_warehouse=request.from_warehouse,
        to_warehouse=request.to_warehouse,
        quantities=dict(request.quantities),
        at=found.at,
        given=given if request.from_warehouse is not None else "",
        received=received == "received",
    )


def _place(level: StockLevel) -> tuple[str, str]:
    return level.warehouse_id, level.sku

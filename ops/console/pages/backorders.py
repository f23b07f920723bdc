"""Who waits for stock, the oldest first; and transfers that would bring it: reserve, send, receive."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import field
from ops.console.pages.listing import NUMBER, Column, listing
from ops.console.pages.page import Page
from ops.console.pages.transfers import TransferPanel
from ops.console.pages.tray import ResultTray
from ops.console.shell import empty, trouble
from ops.console.words import clock, duration
from schemas.text import Language, Text
from workers.admin.desk.stock import Backordered

ROWS: Final = 200
_FILTERS: Final = ("sku", "warehouse")
_NONE: Final = Text("No order waits for stock", "没有待货订单")
_NONE_TODO: Final = Text("Orders that are short appear here, the oldest first", "缺货订单会按下单时间显示在这里")
_SUM: Final = Text("Missing by SKU", "按 SKU 汇总")
_COLUMNS: Final = (
    Column("number", Text("Order", "订单"), cell=NUMBER),
    Column("shop", Text("Shop", "店铺")),
    Column("needs", Text("Needs", "缺货商品"), width=280),
    Column("warehouses", Text("May ship from", "可发仓库"), width=200),
    Column("placed", Text("Placed", "下单"), "right"),
    Column("waits", Text("Waits", "已等待"), "right"),
)


def backorder_row(found: Backordered, now: datetime, language: Language) -> dict[str, Any]:
    """An order that waits as a row of the table."""
    channel, shop, number = found.order_uid.split(":", 2)
    return {
        "uid": found.order_uid,
        "number": number,
        "shop": f"{channel} {shop}",
        "needs": "  ".join(f"{sku} × {units}" for sku, units in found.needs.items()),
        "warehouses": " ".join((*found.warehouses, *found.gave_up)),
        "placed": clock(found.placed_at, now),
        "waits": duration((now - found.placed_at).total_seconds(), language),
    }


class BackordersPage(Page):
    """Orders at the left, sums and transfers at the right."""

    async def build(self) -> None:
        """Draw it, then fill it."""
        query = self.request.query_params
        self.filters: dict[str, str | None] = {name: query.get(name) or None for name in _FILTERS}
        say, given = self.say, self.filters
        with ui.row().classes("of-tools"):
            field("SKU", given["sku"] or "", lambda e: self.refilter(sku=e.value), width=220, icon="search")
            field(say(Text("Warehouse", "仓库")), given["warehouse"] or "", lambda e: self.refilter(warehouse=e.value))
            self.told = ui.label().classes("of-muted").props("aria-live=polite")
        with ui.element("div").classes("of-split of-fill"):
            self.list = ui.element("section").classes("of-list")
            with ui.element("div").classes("of-side"):
                self.sums = ui.element("section").classes("of-panel of-sums")
                self.transfers = TransferPanel(self, ResultTray(self), self.load)
        await self.load()
        await self.transfers.load()

    async def load(self) -> None:
        """Ask and draw."""
        given = dict(self.filters)
        try:
            found = await self.ask(
                lambda desk, actor: desk.stock.backorders(
                    actor, sku=given["sku"], warehouse_id=given["warehouse"], limit=ROWS
                )
            )
        except Trouble as error:
            self.list.clear()
            with self.list:
                trouble(self.visit, error, again=self.load)
            return
        now = datetime.now(UTC)
        more = "+" if len(found) == ROWS else ""
        self.told.text = self.say(Text(f"{len(found):,}{more} orders wait", f"共 {len(found):,}{more} 单待货"))
        self._draw_sums(found)
        self.list.clear()
        with self.list:
            if not found:
                empty(self.visit, _NONE, _NONE_TODO, "task_alt")
                return
            rows = [backorder_row(each, now, self.visit.language) for each in found]
            listing(self.visit, _COLUMNS, rows, key="uid", opened=lambda uid: ui.navigate.to(f"/orders/{uid}"))

    def _draw_sums(self, found: list[Backordered]) -> None:
        units: Counter[str] = Counter()
        orders: Counter[str] = Counter()
        for each in found:
            units.update(each.needs)
            orders.update(each.needs.keys())
        self.sums.clear()
        self.sums.set_visibility(bool(units))
        with self.sums:
            with ui.element("h3").classes("of-h3"):
                ui.label(self.say(_SUM))
            with ui.element("table").classes("of-grid"), ui.element("tbody"):
                for sku, count in units.most_common(12):
                    with ui.element("tr"):
                        with ui.element("td"):
                            ui.link(sku, f"/stock?{urlencode({'open': sku, 'sku': sku})}").classes("of-number")
                        for text in (
                            Text(f"{orders[sku]:,} orders", f"{orders[sku]:,} 单"),
                            Text(f"{count:,} units", f"{count:,} 件"),
                        ):
                            with ui.element("td").classes("of-right"):
                                ui.label(self.say(text))

    async def refilter(self, **changes: str | None) -> None:
        """Ask with other filters."""
        self.filters |= {name: (value or "").strip() or None for name, value in changes.items()}
        told = {name: value for name, value in self.filters.items() if value}
        ui.run_javascript(f"orderfleet.address({'?' + urlencode(told) if told else ''!r})")
        await self.load()

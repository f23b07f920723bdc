"""Orders: found by what is known of them, and one with everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from nicegui import events, ui

from ops.console.asking import Trouble
from ops.console.pages.deciding import Decider
from ops.console.pages.fields import button, choice, field
from ops.console.pages.order_panel import OrderPanel
from ops.console.pages.page import Page
from ops.console.pages.rows import order_row
from ops.console.shell import empty, trouble
from ops.console.words import STAGES
from schemas.text import Text
from workers.admin.desk.filters import OrderFilter

ROWS: Final = 50
_FILTERS: Final = ("text", "stage", "sku")
_NONE: Final = Text("No order is found", "没有找到订单")
_NONE_TODO: Final = Text(
    "Check the number and that its shop is polled; an order book that lags behind shows it a little later",
    "请核对订单号及店铺是否在拉取；订单台账略有延迟时请稍后再看",
)
_COLUMNS: Final = (
    ("number", Text("Order", "订单"), "left"),
    ("channel", Text("Channel", "渠道"), "left"),
    ("shop", Text("Shop", "店铺"), "left"),
    ("stage", Text("Stage", "阶段"), "left"),
    ("goods", Text("Goods", "商品"), "left"),
    ("units", Text("Units", "件数"), "right"),
    ("to", Text("To", "收货地"), "left"),
    ("paid", Text("Paid", "实付"), "right"),
    ("placed", Text("Placed", "下单"), "right"),
    ("due", Text("To ship", "发货时限"), "right"),
)


def _wanted(filters: Mapping[str, str | None]) -> OrderFilter:
    return OrderFilter(text=filters["text"], stage=filters["stage"], sku=filters["sku"])


class OrdersPage(Page):
    """The search."""

    async def build(self) -> None:
        """Draw it, then fill it."""
        query = self.request.query_params
        self.filters: dict[str, str | None] = {name: query.get(name) or None for name in _FILTERS}
        self.cursors: list[str | None] = [None]
        with ui.row().classes("of-tools"):
            number = self.say(Text("Order number or uid", "订单号或 uid"))
            field(number, self.filters["text"] or "", lambda e: self.refilter(text=e.value), width=260, icon="search")
            stages = {name: self.say(text) for name, text in STAGES.items()}
            choice(
                self.say(Text("Stage", "阶段")), stages, self.filters["stage"], lambda e: self.refilter(stage=e.value)
            )
            field("SKU", self.filters["sku"] or "", lambda e: self.refilter(sku=e.value))
        self.list = ui.element("section").classes("of-list")
        await self.load()

    async def load(self) -> None:
        """Ask and draw."""
        wanted, cursor = _wanted(self.filters), self.cursors[-1]
        try:
            page = await self.ask(lambda desk, actor: desk.orders.find(actor, wanted, cursor=cursor, limit=ROWS))
        except Trouble as error:
            self.list.clear()
            with self.list:
                trouble(self.visit, error, again=self.load)
            return
        self.list.clear()
        with self.list:
            if not page.items:
                empty(self.visit, _NONE, _NONE_TODO, "search_off")
                return
            now, language = datetime.now(UTC), self.visit.language
            rows = [
                {**order_row(each, now, language), "stage": self.say(STAGES.get(each.stage, STAGES["unknown"]))}
                for each in page.items
            ]
            self._table(rows)
            self._pages(page.next)

    def _table(self, rows: list[dict[str, Any]]) -> None:
        columns = [{"name": n, "label": self.say(t), "field": n, "align": a} for n, t, a in _COLUMNS]
        table = ui.table(rows=rows, columns=columns, row_key="uid")
        table.props("dense flat square hide-pagination")
        table.classes("of-table")
        table.on("rowClick", self.clicked, args=[[], ["uid"], None])

    def _pages(self, after: str | None) -> None:
        if after is None and len(self.cursors) == 1:
            return
        with ui.row().classes("of-pages"):
            button(self.say(Text("First page", "回到首页")), self.to_first).set_enabled(len(self.cursors) > 1)
            button(self.say(Text("Next page", "下一页")), lambda: self.to_next(after)).set_enabled(after is not None)

    async def refilter(self, **changes: str | None) -> None:
        """Ask with other filters."""
        self.filters |= {name: (value or "").strip() or None for name, value in changes.items()}
        self.cursors = [None]
        told = {name: value for name, value in self.filters.items() if value}
        ui.run_javascript(f"orderfleet.address({'?' + urlencode(told) if told else ''!r})")
        await self.load()

    async def to_next(self, after: str | None) -> None:
        """The next page of the list."""
        self.cursors.append(after)
        await self.load()

    async def to_first(self) -> None:
        """Back to the newest."""
        self.cursors = [None]
        await self.load()

    def clicked(self, event: events.GenericEventArguments) -> None:
        """Open an order's page."""
        ui.navigate.to(f"/orders/{quote(event.args[1]['uid'], safe=':')}")


class OrderPageOfOne(Page):
    """One order, whole."""

    async def build(self) -> None:
        """Draw it."""
        uid: str = self.request.path_params["order_uid"]
        self.panel = OrderPanel(self, Decider(self, self.again))
        await self.panel.open(uid)

    async def again(self) -> None:
        """Something was decided: look again."""
        await self.panel.open(self.request.path_params["order_uid"])

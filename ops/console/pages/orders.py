"""Orders: found by what is known of them, and one with everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
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
from ops.console.words import STAGES, channel
from schemas.text import Text
from workers.admin.desk.filters import OrderFilter

ROWS: Final = 50
_FILTERS: Final = ("text", "shop", "stage", "sku", "warehouse", "since")
_SINCE: Final = {
    "1": Text("last 24 hours", "近 24 小时"),
    "7": Text("last 7 days", "近 7 天"),
    "30": Text("last 30 days", "近 30 天"),
}
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
    days = filters["since"]
    return OrderFilter(
        text=filters["text"],
        shop=filters["shop"],
        stage=filters["stage"],
        sku=filters["sku"],
        warehouse=filters["warehouse"],
        placed_from=datetime.now(UTC) - timedelta(days=int(days)) if days in _SINCE else None,
    )


class OrdersPage(Page):
    """The search."""

    async def build(self) -> None:
        """Draw it, then fill it."""
        query = self.request.query_params
        self.filters: dict[str, str | None] = {name: query.get(name) or None for name in _FILTERS}
        self.cursors: list[str | None] = [None]
        self.tools = ui.row().classes("of-tools")
        self.list = ui.element("section").classes("of-list")
        try:
            self.titles, overview = await self.ask(
                lambda desk, actor: (desk.warehouse_titles(), desk.overview.of(actor))
            )
        except Trouble as error:
            with self.list:
                trouble(self.visit, error, again=ui.navigate.reload)
            return
        self._tools(sorted({each.shop for each in (*overview.waiting, *overview.day)}))
        await self.load()

    def _tools(self, shops: Sequence[str]) -> None:
        with self.tools:
            number = self.say(Text("Order number or uid", "订单号或 uid"))
            field(number, self.filters["text"] or "", lambda e: self.refilter(text=e.value), width=260, icon="search")
            stages = {name: self.say(text) for name, text in STAGES.items()}
            choice(
                self.say(Text("Stage", "阶段")), stages, self.filters["stage"], lambda e: self.refilter(stage=e.value)
            )
            named = {each: f"{self.say(channel(each.split(':')[0]))} {each.split(':')[1]}" for each in shops}
            choice(self.say(Text("Shop", "店铺")), named, self.filters["shop"], lambda e: self.refilter(shop=e.value))
            field("SKU", self.filters["sku"] or "", lambda e: self.refilter(sku=e.value), width=140)
            where = self.say(Text("At warehouse", "所在仓库"))
            choice(where, self.titles, self.filters["warehouse"], lambda e: self.refilter(warehouse=e.value), width=130)
            since = {name: self.say(text) for name, text in _SINCE.items()}
            placed = self.say(Text("Placed", "下单时间"))
            choice(placed, since, self.filters["since"], lambda e: self.refilter(since=e.value), width=130)

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

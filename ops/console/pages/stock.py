"""Stock: of each warehouse and SKU the sum explained; one SKU everywhere; counts from a workbook."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button, field
from ops.console.pages.listing import NUMBER, Column, listing
from ops.console.pages.page import Page
from ops.console.pages.stock_file import StockFile
from ops.console.pages.tray import ResultTray
from ops.console.shell import empty, trouble
from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.stock import SkuStock
from workers.admin.stock import StockFigures

ROWS: Final = 100
WAREHOUSE: Final = Text("Warehouse", "仓库")
FIGURES: Final = (
    ("on_hand", Text("On hand", "在库"), Text("physically there", "仓库实物数量")),
    ("held", Text("Held", "预占"), Text("for orders that are not paid yet", "未付款订单占用")),
    (
        "committed",
        Text("Committed", "已占用"),
        Text("for paid orders, not with the warehouse yet", "已付款、未下发仓库"),
    ),
    ("allocated", Text("Allocated", "已下发"), Text("the warehouse has them in hand", "已下发仓库、未发货")),
    ("transfer", Text("Transfer", "调拨占用"), Text("set aside for another warehouse", "为其他仓库预留")),
    ("safety", Text("Safety", "安全库存"), Text("never promised", "不对外销售")),
    ("available", Text("Sellable", "可售"), Text("on hand less all the others", "在库减去以上各项")),
    ("oversold", Text("Short", "欠货"), Text("promised and not there", "已承诺但没有实物")),
)
"""The sum, in its order."""

_FILTERS: Final = ("warehouse", "sku")
_POOLED: Final = Text("all together", "合计")
_SET: Final = Text("Set", "设置")
_CLOSE: Final = Text("Close", "关闭")
_WHY: Final = Text("Reason (kept with your name)", "原因（与您的姓名一并保存）")
_NONE: Final = Text("No stock was counted yet", "还没有库存数据")
_NONE_TODO: Final = Text(
    "Drag a stock sheet here, or import one at the right above", "请用右上角“导入盘点表”上传库存表"
)
_NO_MATCH: Final = Text("No such SKU in this warehouse", "没有符合条件的 SKU")
_NO_MATCH_TODO: Final = Text("Clear the filters to see all", "清除筛选可查看全部")
_AVAILABLE: Final = (
    """<q-td :props="props"><span :class="props.value > 0 ? 'of-strong' : 'of-muted'">{{ props.value }}</span></q-td>"""
)
_SHORT: Final = """<q-td :props="props"><span class="of-late">{{ props.value || '' }}</span></q-td>"""
_ZERO: Final = """<q-td :props="props"><span :class="props.value ? '' : 'of-none'">{{ props.value }}</span></q-td>"""
_CELLS: Final = {"available": _AVAILABLE, "oversold": _SHORT}
_COLUMNS: Final = (
    Column("sku", Text("SKU", "SKU"), cell=NUMBER),
    Column("warehouse_id", WAREHOUSE),
    *(Column(name, title, "right", _CELLS.get(name, _ZERO)) for name, title, _ in FIGURES),
)


def stock_row(figures: StockFigures) -> dict[str, Any]:
    """A SKU in a warehouse as a row of the table."""
    told = {name: getattr(figures, name) for name, _, _ in FIGURES}
    return {
        "place": f"{figures.warehouse_id}/{figures.sku}",
        "sku": figures.sku,
        "warehouse_id": figures.warehouse_id,
        **told,
    }


class StockPage(Page):
    """By warehouse and SKU; one SKU beside the list."""

    async def build(self) -> None:
        """Draw it, then fill it."""
        query = self.request.query_params
        self.filters: dict[str, str | None] = {name: query.get(name) or None for name in _FILTERS}
        self.cursors: list[str | None] = [None]
        self.tray = ResultTray(self)
        self.file = StockFile(self, self.tray, self.load)
        say, given = self.say, self.filters
        with ui.row().classes("of-tools"):
            field("SKU", given["sku"] or "", lambda e: self.refilter(sku=e.value), width=220, icon="search")
            field(say(WAREHOUSE), given["warehouse"] or "", lambda e: self.refilter(warehouse=e.value))
            ui.space()
            self.file.button()
        with ui.element("div").classes("of-split of-fill"):
            self.list = ui.element("section").classes("of-list")
            self.panel = ui.element("section").classes("of-panel of-beside")
            self.panel.set_visibility(False)
        await self.load()
        if sku := query.get("open"):
            await self.open(f"/{sku}")

    async def load(self) -> None:
        """Ask and draw."""
        given, cursor = dict(self.filters), self.cursors[-1]
        try:
            page = await self.ask(
                lambda desk, actor: desk.stock.levels(
                    actor, warehouse_id=given["warehouse"], sku=given["sku"], cursor=cursor, limit=ROWS
                )
            )
        except Trouble as error:
            self.list.clear()
            with self.list:
                trouble(self.visit, error, again=self.load)
            return
        self.list.clear()
        with self.list:
            if not page.items:
                texts = (_NO_MATCH, _NO_MATCH_TODO) if any(given.values()) else (_NONE, _NONE_TODO)
                empty(self.visit, *texts, "inventory_2")
                return
            rows = [stock_row(each) for each in page.items]
            table = listing(self.visit, _COLUMNS, rows, key="place", opened=self.open)
            self._explain_headings(table)
            self._pages(page.next)

    def _explain_headings(self, table: ui.table) -> None:
        for name, _, means in FIGURES:
            told = self.say(means)
            table.add_slot(
                f"header-cell-{name}", f'<q-th :props="props" title="{told}">{{{{ props.col.label }}}}</q-th>'
            )

    def _pages(self, after: str | None) -> None:
        if after is None and len(self.cursors) == 1:
            return
        with ui.row().classes("of-pages"):
            first = button(self.say(Text("First page", "回到首页")), lambda: self.to(None))
            first.set_enabled(len(self.cursors) > 1)
            button(self.say(Text("Next page", "下一页")), lambda: self.to(after)).set_enabled(after is not None)

    async def to(self, cursor: str | None) -> None:
        """A page further on; None: the first."""
        self.cursors = [None] if cursor is None else [*self.cursors, cursor]
        await self.load()

    async def refilter(self, **changes: str | None) -> None:
        """Ask with other filters."""
        self.filters |= {name: (value or "").strip() or None for name, value in changes.items()}
        self.cursors = [None]
        told = {name: value for name, value in self.filters.items() if value}
        ui.run_javascript(f"orderfleet.address({'?' + urlencode(told) if told else ''!r})")
        await self.load()

    # -- one SKU

    async def open(self, place: str) -> None:
        """Show a SKU of all warehouses beside the list."""
        sku = place.split("/", 1)[1]
        self.panel.set_visibility(True)
        try:
            found = await self.ask(lambda desk, actor: desk.stock.of_sku(actor, sku))
        except Trouble as error:
            self.panel.clear()
            with self.panel:
                trouble(self.visit, error, again=lambda: self.open(place))
            return
        self.panel.clear()
        with self.panel:
            self._draw(found)

    def _draw(self, found: SkuStock) -> None:
        say = self.say
        with ui.element("header").classes("of-panel-head"):
            ui.label(found.sku).classes("of-h2 of-number")
            ui.space()
            close = button("", lambda: self.panel.set_visibility(False), icon="close").classes("of-quiet of-x")
            close.props(f'aria-label="{say(_CLOSE)}"')
        self._sum(found)
        waits = Text(
            f"{found.waiting_orders:,} orders wait for {found.waiting_units:,} units",
            f"{found.waiting_orders:,} 单等待 {found.waiting_units:,} 件",
        )
        with ui.row().classes("of-tools of-field-row"):
            ui.label(say(waits)).classes("of-grow")
            links = ((Text("Backorders", "待货单"), "/backorders"), (Text("Its orders", "相关订单"), "/orders"))
            for text, path in links:
                ui.link(say(text), f"{path}?{urlencode({'sku': found.sku})}").classes("of-quiet")
        with ui.element("h3").classes("of-h3"):
            ui.label(say(FIGURES[5][1]))
        for each in found.warehouses:
            self._safety(each)

    def _sum(self, found: SkuStock) -> None:
        columns = [found.pooled, *found.warehouses] if len(found.warehouses) > 1 else found.warehouses
        with ui.element("div").classes("of-scroll-x"), ui.element("table").classes("of-grid"), ui.element("tbody"):
            with ui.element("tr"):
                for text in ("", *(each.warehouse_id or self.say(_POOLED) for each in columns)):
                    with ui.element("th").classes("of-right" if text else ""):
                        ui.label(text)
            for name, title, means in FIGURES:
                values = [getattr(each, name) for each in columns]
                if name == "oversold" and not any(values):
                    continue
                sign = "" if name in ("on_hand", "oversold") else "= " if name == "available" else "− "
                with ui.element("tr").classes("of-sum" if name == "available" else ""):
                    with ui.element("td").props(f'title="{self.say(means)}"'):
                        ui.label(sign + self.say(title))
                    for value in values:
                        red = name == "oversold" and value
                        with ui.element("td").classes("of-right" + (" of-late" if red else "")):
                            ui.label(f"{value:,}")

    def _safety(self, figures: StockFigures) -> None:
        say = self.say
        with ui.row().classes("of-tools of-field-row"):
            ui.label(figures.warehouse_id).classes("of-grow")
            name = f"{say(FIGURES[5][1])} {figures.warehouse_id}"
            units = ui.number(value=figures.safety, min=0, precision=0).props(f'dense outlined aria-label="{name}"')
            units.style("width: 84px")
            why = (
                ui.input(placeholder=say(_WHY)).props(f'dense outlined aria-label="{say(_WHY)}"').style("width: 150px")
            )

            async def go() -> None:
                place, wanted, reason = (figures.warehouse_id, figures.sku), int(units.value or 0), why.value or ""
                try:
                    await self.ask(lambda desk, actor: desk.counting.set_safety(actor, *place, wanted, reason))
                except Trouble as error:
                    self.tray.refused(FIGURES[5][1], "/".join(place), error)
                    return
                self.tray.done(f"{say(FIGURES[5][1])}: {wanted:,}", "/".join(place))
                await self.load()
                await self.open("/".join(place))

            made = button(say(_SET), go, kind="outline")
            made.set_enabled(self.may(Deed.STOCK_COUNT))

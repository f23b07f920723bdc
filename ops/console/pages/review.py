"""Orders that wait for a person: found by reason, looked at beside the list, decided about alone or many at once."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from nicegui import events, ui

from ops.console.asking import Trouble
from ops.console.pages.choosing import Chosen
from ops.console.pages.deciding import Decider
from ops.console.pages.fields import button, choice, field
from ops.console.pages.order_panel import OrderPanel
from ops.console.pages.page import Page
from ops.console.pages.review_table import CELLS, columns
from ops.console.pages.rows import review_row
from ops.console.shell import empty, trouble
from ops.console.words import RED, channel, full_clock, meaning, short
from schemas.decision import DecisionKind
from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.filters import ReviewFilter
from workers.admin.desk.orders import InReview, ReviewTotals

ROWS: Final = 50
LOOK_SECONDS: Final = 15.0
_FILTERS: Final = ("code", "shop", "sku", "warehouse")
_SHOP: Final = Text("Shop", "店铺")
_SKU: Final = Text("SKU", "SKU")
_WAREHOUSE: Final = Text("Suggested warehouse", "建议仓库")
_ALL: Final = Text("All", "全部")
_CLEAR: Final = Text("Clear filters", "清除筛选")
_NEXT, _FIRST = Text("Next page", "下一页"), Text("First page", "回到首页")
_KEYS: Final = Text(
    "j k: move · Enter: open · x: choose · r: release · /: search · Esc: close",
    "j k 上下移动 · Enter 打开 · x 选择 · r 放行 · / 搜索 · Esc 关闭",
)
_CHOOSE_ALL: Final = Text("Choose all that match", "选择全部符合条件的订单")
_NONE: Final = Text("Choose none", "取消选择")
_NOTHING: Final = Text("Nothing waits for you", "没有等待审核的订单")
_NOTHING_TODO: Final = Text("What needs a person appears here by itself", "需要人工处理的订单会自动出现在这里")
_NO_MATCH: Final = Text("No order matches these filters", "没有符合筛选条件的订单")
_NO_MATCH_TODO: Final = Text("Take a filter out, or clear them all", "请去掉某个条件，或清除全部筛选")


class ReviewPage(Page):
    """The list, its filters, what is chosen of it, and the order that is open beside it."""

    async def build(self) -> None:
        """Draw it, then fill it."""
        query = self.request.query_params
        self.filters: dict[str, str | None] = {name: query.get(name) or None for name in _FILTERS}
        self.chosen, self.cursor, self.place = Chosen(), -1, 0
        self.cursors: list[str | None] = [None]
        self.found: list[InReview] = []
        self.totals: ReviewTotals | None = None
        self.open_uid = query.get("order")
        self.decider = Decider(self, self.decided)
        self.reasons = ui.element("nav").classes("of-reasons")
        self.tools = ui.row().classes("of-tools")
        with ui.element("div").classes("of-split"):
            self.list = ui.element("section").classes("of-list")
            self.panel = OrderPanel(self, self.decider, on_close=self.close)
        with ui.element("footer").classes("of-foot"):
            ui.label(self.say(_KEYS)).classes("of-hint")
        ui.keyboard(on_key=self.key, ignore=["input", "select", "textarea"])
        await self.load()
        if self.open_uid:
            await self.open(self.open_uid)
        with suppress(Trouble):  # the list says it already
            await self.decider.tray.resume()
        ui.timer(LOOK_SECONDS, self.look, immediate=False)

    # -- what is shown

    async def look(self) -> None:
        """By itself, now and then: how many wait by now. The rows stay, so that nothing moves under a hand."""
        if self.totals is None:
            await self.load(used=False)
            return
        with suppress(Trouble):
            self.totals = await self.ask(lambda desk, actor: desk.orders.review_totals(actor), used=False)
            self._draw_reasons()
            self._tell_news()

    def _tell_news(self) -> None:
        """Whether there is more than what is shown."""
        assert self.totals is not None
        if self.totals.orders != self.counted:
            self.news.text = self.say(Text("the list has changed: refresh", "列表有更新：点击刷新"))
            self.news.set_visibility(True)

    async def load(self, *, used: bool = True) -> None:
        """Ask for this page of the list and the counts, and draw both."""
        wanted, cursor = self.wanted(), self.cursors[-1]
        try:
            self.totals, page, self.titles = await self.ask(
                lambda desk, actor: (
                    desk.orders.review_totals(actor),
                    desk.orders.review(actor, wanted, cursor=cursor, limit=ROWS),
                    desk.warehouse_titles(),
                ),
                used=used,
            )
        except Trouble as error:
            self.list.clear()
            with self.list:
                trouble(self.visit, error, again=self.load)
            return
        assert self.totals is not None
        self.found, self.next, self.counted = page.items, page.next, self.totals.orders
        self.draw()

    def wanted(self) -> ReviewFilter:
        """The filter as the desk takes it."""
        given = self.filters
        return ReviewFilter(code=given["code"], shop=given["shop"], sku=given["sku"], warehouse=given["warehouse"])

    def draw(self) -> None:
        """All but what is open beside the list."""
        self._draw_reasons()
        self._draw_tools()
        self.list.clear()
        with self.list:
            if self.found:
                self._draw_table()
            elif any(self.filters.values()):
                empty(self.visit, _NO_MATCH, _NO_MATCH_TODO, "filter_alt_off")
            else:
                empty(self.visit, _NOTHING, _NOTHING_TODO, "task_alt")

    def _draw_reasons(self) -> None:
        assert self.totals is not None
        self.reasons.clear()
        with self.reasons:
            self._reason(None, self.say(_ALL), self.totals.orders)
            for code, count in self.totals.codes.items():
                self._reason(code, self.say(short(code)), count)

    def _reason(self, code: str | None, text: str, count: int) -> None:
        here = self.filters["code"] == code
        made = button(text, lambda: self.refilter(code=code)).classes("of-reason" + (" of-here" if here else ""))
        made.props(f"aria-pressed={str(here).lower()}")
        if code in RED:
            made.classes("of-red")
        if code is not None:
            made.tooltip(self.say(meaning(code)))
        with made:
            ui.label(f"{count:,}").classes("of-count")

    def _draw_tools(self) -> None:
        assert self.totals is not None
        shops = {name: f"{self.say(channel(name.split(':')[0]))} {name.split(':')[1]}" for name in self.totals.shops}
        self.tools.clear()
        with self.tools:
            self.search = field(
                self.say(_SKU), self.filters["sku"] or "", lambda e: self.refilter(sku=e.value), icon="search"
            )
            choice(self.say(_SHOP), shops, self.filters["shop"], lambda e: self.refilter(shop=e.value))
            choice(
                self.say(_WAREHOUSE),
                {name: self.titles.get(name, name) for name in self.totals.warehouses},
                self.filters["warehouse"],
                lambda e: self.refilter(warehouse=e.value),
            )
            if any(self.filters.values()):
                button(self.say(_CLEAR), lambda: self.refilter(**dict.fromkeys(_FILTERS)), icon="close")
            ui.space()
            self.news = button("", self.load).classes("of-suggest")
            self.news.set_visibility(False)
            self.told = ui.label().classes("of-muted").props("aria-live=polite")
            self.acts = ui.row().classes("of-acts")
        self.tell()

    def _draw_table(self) -> None:
        now = datetime.now(UTC)
        rows = [review_row(each, now, self.visit.language, self.titles) for each in self.found]
        self.table = ui.table(
            rows=rows, columns=columns(self.visit), row_key="uid", selection="multiple", on_select=self.select
        )
        self.table.props("dense flat square hide-pagination")
        self.table.classes("of-table of-review")
        for name, cell in CELLS.items():
            self.table.add_slot(f"body-cell-{name}", cell)
        self.table.on("rowClick", self.clicked, args=[[], ["uid"], None])
        self.table.selected = [row for row in rows if row["uid"] in self.chosen]
        if self.cursors[1:] or self.next:
            with ui.row().classes("of-pages"):
                first = button(self.say(_FIRST), self.to_first)
                first.set_enabled(len(self.cursors) > 1)
                button(self.say(_NEXT), self.to_next).set_enabled(self.next is not None)

    def tell(self) -> None:
        """What is chosen, and what can be done with it."""
        assert self.totals is not None
        count, total, at = len(self.chosen), self._matching(), full_clock(self.totals.at)[11:]
        if count:
            self.told.text = self.say(Text(f"{count:,} chosen", f"已选 {count:,} 单"))
        elif total is None:
            self.told.text = ""
        else:
            self.told.text = self.say(Text(f"{total:,} at {at}", f"共 {total:,} 单 · 统计于 {at}"))
        self.acts.clear()
        with self.acts:
            if count:
                if not self.chosen.is_all and count >= len(self.found) and (self.next or len(self.cursors) > 1):
                    every = button(self.say(_CHOOSE_ALL), self.choose_all).classes("of-suggest")
                    self.decider.allow(every, Deed.BULK_START)
                button(self.say(_NONE), self.choose_none).classes("of-suggest")
                self.decider.buttons(self.chosen)

    def _matching(self) -> int | None:
        """How many match, where that was counted."""
        assert self.totals is not None
        given = {name: value for name, value in self.filters.items() if value}
        counted = {"code": self.totals.codes, "shop": self.totals.shops}
        if not given:
            return self.totals.orders
        if len(given) == 1 and (name := next(iter(given))) in counted:
            return counted[name].get(given[name], 0)
        return len(self.found) if self.next is None and len(self.cursors) == 1 else None

    async def choose_all(self) -> None:
        """All that match, on every page, as the desk counts them now."""
        wanted = self.wanted()
        try:
            preview = await self.ask(lambda desk, actor: desk.bulk.preview(actor, wanted))
        except Trouble as error:
            self.decider.tray.refused(_CHOOSE_ALL, "", error)
            return
        self.chosen.all_of(preview.filter, preview.count)
        self.tell()

    def choose_none(self) -> None:
        """Begin to choose anew."""
        self.chosen.clear()
        self.table.selected = []
        self.tell()

    # -- what people do

    async def refilter(self, **changes: Any) -> None:
        """Ask with other filters. What was chosen under the old ones is chosen no more."""
        changes = {name: value or None for name, value in changes.items()}
        if all(self.filters[name] == value for name, value in changes.items()):
            return
        self.filters |= changes
        self.chosen.clear()
        self.cursors, self.cursor = [None], -1
        self._address()
        await self.load()

    def _address(self) -> None:
        told = {name: value for name, value in (*self.filters.items(), ("order", self.open_uid)) if value}
        ui.run_javascript(f"orderfleet.address({'?' + urlencode(told) if told else ''!r})")

    async def to_next(self) -> None:
        """The next page of the list."""
        self.cursors.append(self.next)
        self.cursor = -1
        await self.load()

    async def to_first(self) -> None:
        """Back to the oldest."""
        self.cursors, self.cursor = [None], -1
        await self.load()

    def select(self, _: events.TableSelectionEventArguments) -> None:
        """Boxes were ticked: what is chosen on other pages stays so."""
        selected = {row["uid"] for row in self.table.selected}
        self.chosen.on_page({each.order.uid: each.revision for each in self.found}, selected)
        self.tell()

    async def clicked(self, event: events.GenericEventArguments) -> None:
        """Open a row beside the list."""
        await self.open(event.args[1]["uid"])

    async def open(self, uid: str) -> None:
        """Open an order beside the list."""
        self.open_uid = uid
        self.cursor = next((n for n, each in enumerate(self.found) if each.order.uid == uid), self.cursor)
        ui.run_javascript(f"orderfleet.cursor('.of-review', {self.cursor})")
        self._address()
        self.list.classes(add="of-narrow")
        await self.panel.open(uid)

    def close(self) -> None:
        """Nothing is open beside the list."""
        self.open_uid = None
        self._address()
        self.list.classes(remove="of-narrow")
        self.panel.close()

    async def decided(self) -> None:
        """Something was decided: look again."""
        self.chosen.clear()
        await self.load()
        if self.open_uid:
            await self.panel.open(self.open_uid)

    async def key(self, event: events.KeyEventArguments) -> None:
        """All without a mouse."""
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.meta or event.modifiers.alt:
            return
        if event.key in ("j", "k") and self.found:
            step = 1 if event.key == "j" else -1
            self.cursor = max(0, min(len(self.found) - 1, self.cursor + step))
            ui.run_javascript(f"orderfleet.cursor('.of-review', {self.cursor})")
        elif event.key == "/":
            self.search.run_method("focus")
        elif event.key.escape and self.open_uid:
            self.close()
        elif self.cursor >= 0:
            await self._key_on(event, self.found[self.cursor])

    async def _key_on(self, event: events.KeyEventArguments, found: InReview) -> None:
        if event.key == "x":
            self.chosen.toggle(found.order.uid, found.revision)
            self.table.selected = [row for row in self.table.rows if row["uid"] in self.chosen]
            self.tell()
        elif event.key.enter:
            await self.open(found.order.uid)
        elif event.key == "r" and self.may(Deed.DECIDE_RELEASE):
            chosen = self.chosen if len(self.chosen) else Chosen({found.order.uid: found.revision})
            await self.decider.decide(DecisionKind.RELEASE, chosen)

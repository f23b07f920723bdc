"""How things stand: what waits for people, orders by shop and stage, what came in and what left.

Each number opens its list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.page import Page
from ops.console.shell import empty, trouble
from ops.console.words import CHINA, RED, STAGES, channel, duration, full_clock, short
from schemas.text import Text
from workers.admin.desk.orders import ReviewTotals
from workers.admin.desk.overview import Overview, StageCount

LOOK_SECONDS: Final = 20.0
_COLUMNS: Final = ("review", "backordered", "transfer", "deferred", "planned", "part-shipped")
_OF_THE_DAY: Final = ("routed", "shipped", "cancelled")
_NOW, _DAY = Text("now", "当前"), Text("placed in 24 h", "近 24 小时下单")
_SHOP, _ALL, _PLACED = Text("Shop", "店铺"), Text("All shops", "全部店铺"), Text("orders", "下单")
_OLDEST: Final = Text("oldest", "最久未处理")
_BY_REASON: Final = Text("Waiting for a person, by reason", "待审核原因")
_BY_SHOP: Final = Text("Orders by shop and stage", "各店铺订单")
_CHART: Final = Text("Orders by hour", "每小时订单数")
_LINES: Final = (
    ("placed", Text("placed", "下单"), "#1f5fae"),
    ("routed", Text("told to a warehouse", "下发"), "#b26a00"),
    ("shipped", Text("shipped", "发货"), "#1a7f4b"),
)
_NOTHING: Final = Text("No orders yet", "还没有订单")
_NOTHING_TODO: Final = Text("They appear here once a shop is polled", "店铺开始拉取后，订单会出现在这里")


class OverviewPage(Page):
    """Figures that are counted anew every twenty seconds."""

    async def build(self) -> None:
        """Draw it."""
        self.place = ui.element("div").classes("of-scroll")
        self.chart: ui.echart | None = None
        self.drawn: tuple[Any, ...] | None = None
        await self.load()
        ui.timer(LOOK_SECONDS, lambda: self.load(used=False), immediate=False)

    async def load(self, *, used: bool = True) -> None:
        """Ask and draw. What is shown stays while a server is away for a moment."""
        try:
            overview, totals = await self.ask(
                lambda desk, actor: (desk.overview.of(actor), desk.orders.review_totals(actor)), used=used
            )
        except Trouble as error:
            self.place.clear()
            with self.place:
                trouble(self.visit, error, again=self.load)
            return
        self.place.clear()
        with self.place:
            if overview.waiting or overview.day:
                self._draw(overview, totals)
            else:
                empty(self.visit, _NOTHING, _NOTHING_TODO)

    def _draw(self, overview: Overview, totals: ReviewTotals) -> None:
        self._tiles(overview)
        with ui.element("div").classes("of-columns"):
            with ui.element("section").classes("of-card-flat of-grow"):
                self._head(_CHART, overview.at)
                self._chart(overview)
            with ui.element("section").classes("of-card-flat of-reasons-of-overview"):
                self._head(_BY_REASON, totals.at)
                self._by_reason(totals)
        with ui.element("section").classes("of-card-flat"):
            self._head(_BY_SHOP, overview.at)
            self._by_shop(overview)

    def _head(self, title: Text, at: datetime) -> None:
        with ui.element("header").classes("of-section-head"):
            with ui.element("h2").classes("of-h3"):
                ui.label(self.say(title))
            told = full_clock(at)[11:]
            ui.label(self.say(Text(f"counted {told}", f"统计于 {told}"))).classes("of-muted of-small")

    def _tiles(self, overview: Overview) -> None:
        with ui.element("div").classes("of-tiles"):
            for stage in _COLUMNS[:5]:
                found = [each for each in overview.waiting if each.stage == stage]
                path = "/review" if stage == "review" else _orders(stage=stage)
                self._tile(
                    self.say(STAGES[stage]), sum(each.orders for each in found), path, _oldest(found), overview.at
                )
            for stage in ("routed", "shipped"):
                found = [each for each in overview.day if each.stage == stage]
                self._tile(
                    self.say(STAGES[stage]),
                    sum(each.orders for each in found),
                    _orders(stage=stage, since="1"),
                    None,
                    None,
                )

    def _tile(self, name: str, orders: int, path: str, oldest: datetime | None, at: datetime | None) -> None:
        with ui.link(target=path).classes("of-tile"):
            ui.label(name).classes("of-muted")
            ui.label(f"{orders:,}").classes("of-figure")
            if at is None:
                told = self.say(_DAY)
            elif oldest is None:
                told = "—"
            else:
                told = f"{self.say(_OLDEST)} {duration((at - oldest).total_seconds(), self.visit.language)}"
            ui.label(told).classes("of-muted of-small")

    def _by_reason(self, totals: ReviewTotals) -> None:
        most = max(totals.codes.values(), default=1)
        with ui.element("ul").classes("of-bars"):
            for code, orders in totals.codes.items():
                with ui.element("li"), ui.link(target=f"/review?{urlencode({'code': code})}").classes("of-bar-row"):
                    ui.label(self.say(short(code))).classes("of-red" if code in RED else "")
                    with ui.element("span").classes("of-bar-line"):
                        ui.element("span").style(f"width: {100 * orders / most:.0f}%").classes("of-bar-fill")
                    ui.label(f"{orders:,}").classes("of-right")

    def _by_shop(self, overview: Overview) -> None:
        shops = sorted({each.shop for each in (*overview.waiting, *overview.day)})
        with ui.element("table").classes("of-grid"):
            with ui.element("thead"), ui.element("tr"):
                _cell("th", self.say(_SHOP))
                for stage in _COLUMNS:
                    _cell("th", self.say(STAGES[stage]), "of-right")
                _cell("th", f"{self.say(_PLACED)}", "of-right of-day")
                for stage in _OF_THE_DAY:
                    _cell("th", self.say(STAGES[stage]), "of-right of-day")
            with ui.element("tbody"):
                for shop in shops:
                    self._shop(overview, shop)
                if len(shops) > 1:
                    self._shop(overview, None)

    def _shop(self, overview: Overview, shop: str | None) -> None:
        def counted(rows: Sequence[StageCount], stage: str | None = None) -> int:
            return sum(each.orders for each in rows if shop in (None, each.shop) and stage in (None, each.stage))

        with ui.element("tr").classes("of-sum" if shop is None else ""):
            name = f"{self.say(channel(shop.split(':')[0]))} {shop.split(':')[1]}" if shop else self.say(_ALL)
            _cell("td", name)
            for stage in _COLUMNS:
                path = f"/review{_query(shop=shop)}" if stage == "review" else _orders(shop=shop, stage=stage)
                _number(counted(overview.waiting, stage), path)
            _number(counted(overview.day), _orders(shop=shop, since="1"), "of-day")
            for stage in _OF_THE_DAY:
                _number(counted(overview.day, stage), _orders(shop=shop, stage=stage, since="1"), "of-day")

    def _chart(self, overview: Overview) -> None:
        hours = [each.hour.astimezone(CHINA).strftime("%H:%M") for each in overview.hours]
        ui.echart(
            {
                "animation": False,
                "grid": {"left": 44, "right": 12, "top": 30, "bottom": 22},
                "legend": {"top": 0, "right": 0, "itemHeight": 8, "textStyle": {"fontSize": 12}},
                "tooltip": {"trigger": "axis"},
                "xAxis": {"type": "category", "data": hours, "axisTick": {"show": False}},
                "yAxis": {"type": "value", "minInterval": 1, "splitLine": {"lineStyle": {"color": "#edf0f3"}}},
                "series": [
                    {
                        "type": "line",
                        "name": self.say(name),
                        "data": [getattr(each, field) for each in overview.hours],
                        "color": colour,
                        "symbol": "none",
                        "lineStyle": {"width": 2},
                    }
                    for field, name, colour in _LINES
                ],
            }
        ).classes("of-chart").props(f'role=img aria-label="{self.say(_CHART)}"')


def _oldest(found: Sequence[StageCount]) -> datetime | None:
    return min((each.oldest for each in found if each.oldest is not None), default=None)


def _query(**given: str | None) -> str:
    told = {name: value for name, value in given.items() if value}
    return f"?{urlencode(told)}" if told else ""


def _orders(**given: str | None) -> str:
    return f"/orders{_query(**given)}"


def _cell(tag: str, text: str, classes: str = "") -> None:
    with ui.element(tag).classes(classes):
        ui.label(text)


def _number(orders: int, path: str, classes: str = "") -> None:
    with ui.element("td").classes(f"of-right {classes}"):
        if orders:
            ui.link(f"{orders:,}", path)
        else:
            ui.label("·").classes("of-none")

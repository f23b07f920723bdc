"""One order: its lines, why it waits, where it would go and why. Beside the list, and on its own page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.deciding import Decider
from ops.console.pages.fields import button
from ops.console.pages.page import Page
from ops.console.shell import trouble
from ops.console.words import RED, SHIPMENT_STATES, STAGES, channel, clock, full_clock, meaning, money, short, told
from schemas.text import Text
from workers.admin.desk.orders import OrderPage
from workers.book.queries import TimelineEntry

_BOUGHT, _GIFTS = Text("Bought", "购买项"), Text("Gifts", "附赠项")
_WHY: Final = Text("Why it waits", "等待原因")
_WHERE: Final = Text("Where it would go, and why", "建议发货仓及依据")
_AT: Final = Text("At the warehouses", "仓库执行情况")
_HISTORY: Final = Text("What happened", "经过")
_OPEN: Final = Text("Open as a page", "打开详情页")
_CLOSE: Final = Text("Close", "关闭")
_PICK: Final = Text("Choose an order to see it here", "选择一个订单，在此查看")
_ON_SHORT: Final = Text("when short", "缺货时")


class OrderPanel:
    """Shows one order at a time."""

    def __init__(self, page: Page, decider: Decider, on_close: Callable[[], object] | None = None) -> None:
        self._page, self._decider, self._on_close = page, decider, on_close
        self._place = ui.element("section").classes("of-panel")
        if on_close is not None:
            self._place.classes("of-beside")
            self._place.set_visibility(False)

    async def open(self, uid: str) -> None:
        """Show an order."""
        self._place.set_visibility(True)
        try:
            order, timeline = await self._page.ask(
                lambda desk, actor: (desk.orders.show(actor, uid), desk.orders.timeline(actor, uid))
            )
        except Trouble as error:
            self._place.clear()
            with self._place:
                self._head(uid)
                trouble(self._page.visit, error, again=lambda: self.open(uid))
            return
        self._place.clear()
        with self._place:
            self._head(uid, order)
            self._draw(order, timeline)

    def close(self) -> None:
        """Show none."""
        self._place.clear()
        self._place.set_visibility(False)

    def _head(self, uid: str, order: OrderPage | None = None) -> None:
        say = self._page.say
        with ui.element("header").classes("of-panel-head"):
            name, shop, number = uid.split(":", 2)
            ui.label(number).classes("of-number of-h2")
            ui.label(f"{say(channel(name))} · {shop}").classes("of-muted")
            if order is not None:
                ui.label(say(STAGES.get(order.order.stage, STAGES["unknown"]))).classes(
                    f"of-stage of-stage-{order.order.stage}"
                )
            ui.space()
            if self._on_close is not None:
                link = ui.link(target=f"/orders/{uid}").classes("of-quiet")
                link.props(f'aria-label="{say(_OPEN)}"').tooltip(say(_OPEN))
                with link:
                    ui.icon("open_in_full", size="15px")
                button("", self._on_close, icon="close").props(f'aria-label="{say(_CLOSE)}"').classes("of-quiet")

    def _draw(self, order: OrderPage, timeline: list[TimelineEntry]) -> None:
        with ui.element("div").classes("of-acts-of-one"):
            self._decider.buttons_for(order)
        self._facts(order)
        self._reasons(order)
        self._lines(order)
        self._where(order)
        self._warehouses(order)
        self._history(timeline)

    def _facts(self, order: OrderPage) -> None:
        one, say = order.order, self._page.say
        rows = (
            (Text("Placed", "下单"), full_clock(one.placed_at)),
            (Text("Paid", "付款"), full_clock(one.paid_at)),
            (Text("To ship by", "最晚发货"), full_clock(one.ship_by)),
            (Text("Amount", "实付"), money(one.paid, one.currency)),
            (Text("To", "收货地"), " ".join(part for part in (one.province, one.city) if part)),
            (Text("Tags", "标签"), " ".join(one.tags)),
        )
        with ui.element("dl").classes("of-facts"):
            for name, value in rows:
                if value:
                    with ui.element("dt"):
                        ui.label(say(name))
                    with ui.element("dd"):
                        ui.label(value)

    def _reasons(self, order: OrderPage) -> None:
        if order.review is None:
            return
        say, language = self._page.say, self._page.visit.language
        flags = {each["code"]: told(each.get("explanation"), language) for each in (order.plan or {}).get("flags", ())}
        _heading(say(_WHY))
        with ui.element("ul").classes("of-reason-list"):
            for code in order.review.codes:
                with ui.element("li").classes("of-red" if code in RED else ""):
                    ui.label(say(short(code))).classes("of-mark" + (" of-red" if code in RED else ""))
                    ui.label(flags.get(code) or say(meaning(code)))

    def _lines(self, order: OrderPage) -> None:
        bought = [line for line in order.lines if line.get("kind") != "gift"]
        gifts = [line for line in order.lines if line.get("kind") == "gift"]
        for name, lines in ((_BOUGHT, bought), (_GIFTS, gifts)):
            if lines:
                _heading(self._page.say(name))
                with ui.element("table").classes("of-lines"), ui.element("tbody"):
                    for line in lines:
                        self._line(line)

    def _line(self, line: dict[str, Any]) -> None:
        with ui.element("tr"):
            for text, kind in (
                (line.get("sku", "—"), "of-number"),
                (line.get("title", ""), ""),
                (f"× {line.get('quantity', '')}", "of-right"),
            ):
                with ui.element("td").classes(kind):
                    ui.label(str(text))

    def _where(self, order: OrderPage) -> None:
        plan, language = order.plan or {}, self._page.visit.language
        if not plan:
            return
        _heading(self._page.say(_WHERE))
        ui.label(told(plan.get("explanation"), language))
        with ui.element("ul").classes("of-trace"):
            for match in plan.get("matches", ()):
                effects = "；".join(told(effect, language) for effect in match.get("effects", ()))
                with ui.element("li"):
                    ui.label(match["rule"]).classes("of-number")
                    ui.label(f"{match['action']} → {effects}")
        ui.label(plan.get("ruleset", "")).classes("of-muted of-small")

    def _warehouses(self, order: OrderPage) -> None:
        if not order.shipments:
            return
        now, say = datetime.now(UTC), self._page.say
        _heading(say(_AT))
        with ui.element("table").classes("of-lines"), ui.element("tbody"):
            for each in order.shipments:
                with ui.element("tr"):
                    state = say(SHIPMENT_STATES.get(each.state, Text(each.state, each.state)))
                    for text in (each.warehouse_id, state, clock(each.wms_at or each.routed_at, now)):
                        with ui.element("td"):
                            ui.label(text)

    def _history(self, timeline: list[TimelineEntry]) -> None:
        now = datetime.now(UTC)
        _heading(self._page.say(_HISTORY))
        with ui.element("ol").classes("of-timeline"):
            for entry in reversed(timeline):
                with ui.element("li"):
                    ui.label(clock(entry.at, now)).classes("of-when")
                    ui.label(" ".join(part for part in (entry.kind, entry.warehouse_id, *entry.codes) if part))


def _heading(text: str) -> None:
    with ui.element("h3").classes("of-h3"):
        ui.label(text)

"""The parts of one order: facts, reasons, lines with gifts apart, the plan and why, warehouses, what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from nicegui import ui

from ops.console.history import explained, plan_sentence, rule_sentence, sentence
from ops.console.pages.deciding import Decider
from ops.console.pages.fields import button
from ops.console.pages.page import Page
from ops.console.words import RED, SHIPMENT_STATES, clock, full_clock, meaning, money, short, tag, told
from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.orders import OrderPage
from workers.book.queries import TimelineEntry

_BOUGHT, _GIFTS, _SERVICES = Text("Bought", "购买项"), Text("Gifts", "附赠项"), Text("Services", "服务项")
_WHY: Final = Text("Why it waits", "等待原因")
_WHERE: Final = Text("Where it would go, and why", "建议发货仓及依据")
_WENT: Final = Text("Where it goes, and why", "发货仓及依据")
_AT: Final = Text("At the warehouses", "仓库执行情况")
_HISTORY: Final = Text("What happened (newest first)", "经过（最新在前）")
_SETTLE: Final = Text("Settle", "核销")
_CANCELLED: Final = Text("cancelled", "已取消")
_COMMA: Final = Text(", ", "、")
_FACTS: Final = (
    Text("Placed", "下单"),
    Text("Paid at", "付款"),
    Text("Ship by", "最晚发货"),
    Text("Amount", "实付"),
    Text("To", "收货地"),
    Text("Tags", "标签"),
)


class OrderParts:
    """Draws the parts of an order, each where it is called."""

    def __init__(
        self,
        page: Page,
        order: OrderPage,
        timeline: Sequence[TimelineEntry],
        titles: Mapping[str, str],
        decider: Decider,
    ) -> None:
        self._page, self._order, self._timeline = page, order, timeline
        self._titles, self._decider = titles, decider
        self._language = page.visit.language

    def facts(self) -> None:
        """When, how much, where to. No receiver beyond province and city."""
        one = self._order.order
        values = (
            full_clock(one.placed_at),
            full_clock(one.paid_at),
            full_clock(one.ship_by),
            money(one.paid, one.currency),
            " ".join(part for part in (one.province, one.city) if part),
            self._page.say(_COMMA).join(self._page.say(tag(each)) for each in one.tags),
        )
        with ui.element("dl").classes("of-facts"):
            for name, value in zip(_FACTS, values, strict=True):
                if value:
                    _labelled("dt", self._page.say(name))
                    _labelled("dd", value)

    def reasons(self) -> None:
        """Why it waits, each reason with what exactly is wrong, and a way to settle it."""
        review = self._order.review
        if review is None:
            return
        flags = (self._order.plan or {}).get("flags") or ()
        details = {each["code"]: told(each.get("explanation"), self._language) for each in flags}
        heading(self._page.say(_WHY))
        with ui.element("ul").classes("of-reason-list"):
            for code in review.codes:
                red = "of-red" if code in RED else ""
                with ui.element("li").classes(red):
                    ui.label(self._page.say(short(code))).classes(f"of-mark {red}")
                    ui.label(details.get(code) or self._page.say(meaning(code))).classes("of-grow")
                    made = button(
                        self._page.say(_SETTLE),
                        lambda code=code: self._decider.settle(self._order.order.uid, review.revision, code),
                    ).classes("of-suggest")
                    self._decider.allow(made, Deed.DECIDE_SETTLE_FLAG)
        why = explained(review.explanation, self._titles, self._language)
        if why and (review.explanation or {}).get("code") not in ("person-decides", "no-rule", "gray"):
            ui.label(why).classes("of-muted")

    def lines(self) -> None:
        """What was bought, and apart from it what comes with it."""
        kinds = {"purchase": _BOUGHT, "gift": _GIFTS, "service": _SERVICES}
        for kind, name in kinds.items():
            lines = [line for line in self._order.lines if line.get("kind", "purchase") == kind]
            if lines:
                heading(self._page.say(name))
                with ui.element("table").classes("of-lines of-goods"), ui.element("tbody"):
                    for line in lines:
                        self._line(line)

    def _line(self, line: Mapping[str, Any]) -> None:
        gone = line.get("status") in ("cancelled", "refunded")
        with ui.element("tr").classes("of-gone" if gone else ""):
            _labelled("td", str(line.get("sku", "—")), "of-number")
            _labelled("td", str(line.get("title", "")), "of-grow")
            _labelled("td", self._page.say(_CANCELLED) if gone else f"× {line.get('quantity', '')}", "of-right")

    def where(self) -> None:
        """The plan in plain sentences: why there, and what each rule that matched said."""
        plan = self._order.plan or {}
        if not plan:
            return
        heading(self._page.say(_WENT if self._order.review is None else _WHERE))
        suggested = plan.get("suggested") or plan.get("candidates") or ()
        if suggested:
            named = " → ".join(self._titles.get(each, each) for each in suggested)
            ui.label(named).classes("of-strong")
        ui.label(plan_sentence(plan, self._titles, self._language))
        with ui.element("ul").classes("of-trace"):
            for match in plan.get("matches") or ():
                with ui.element("li"):
                    ui.label(match["rule"]).classes("of-number")
                    ui.label(rule_sentence(match, self._titles, self._language))
        ruleset = plan.get("ruleset", "")
        ui.label(self._page.say(Text(f"rules {ruleset}", f"规则 {ruleset}"))).classes("of-muted of-small")

    def warehouses(self) -> None:
        """What each warehouse was told, and what it answered."""
        if not self._order.shipments:
            return
        now = datetime.now(UTC)
        heading(self._page.say(_AT))
        with ui.element("table").classes("of-lines of-shipments"), ui.element("tbody"):
            for each in self._order.shipments:
                with ui.element("tr"):
                    _labelled("td", self._titles.get(each.warehouse_id, each.warehouse_id))
                    state = SHIPMENT_STATES.get(each.state, Text(each.state, each.state))
                    _labelled("td", self._page.say(state), f"of-state-{each.state}")
                    _labelled("td", clock(each.shipped_at or each.wms_at or each.routed_at, now), "of-right")

    def history(self) -> None:
        """Everything that happened, the newest first."""
        now = datetime.now(UTC)
        heading(self._page.say(_HISTORY))
        with ui.element("ol").classes("of-timeline"):
            for entry in reversed(self._timeline):
                with ui.element("li"):
                    ui.label(clock(entry.at, now)).classes("of-when").tooltip(full_clock(entry.at))
                    ui.label(sentence(entry, self._titles, self._language))


def heading(text: str) -> None:
    """Above a part."""
    with ui.element("h3").classes("of-h3"):
        ui.label(text)


def _labelled(tag: str, text: str, classes: str = "") -> None:
    with ui.element(tag).classes(classes):
        ui.label(text)

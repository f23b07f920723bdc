"""One order beside the list, and on its own page: what may be done with it, and everything that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from nicegui import background_tasks, ui

from ops.console.asking import Trouble
from ops.console.pages.acts import ACTS, CORRECT, NOTE
from ops.console.pages.correcting import Corrector
from ops.console.pages.deciding import Decider
from ops.console.pages.fields import button
from ops.console.pages.order_parts import OrderParts, heading
from ops.console.pages.page import Page
from ops.console.shell import trouble
from ops.console.words import STAGES, channel, full_clock, refusal
from schemas.decision import DecisionKind
from schemas.text import Text
from workers.admin.desk.choices import Candidate, Choices
from workers.admin.desk.deciding import DEEDS
from workers.admin.desk.orders import OrderPage
from workers.admin.desk.presence import Presence

_OPEN: Final = Text("Open as a page", "打开详情页")
_CLOSE: Final = Text("Close (Esc)", "关闭（Esc）")
_STOCK: Final = Text("Stock now, where it could ship from", "候选仓当前库存")
_LOOKING: Final = Text("asking the stock ledger …", "正在查询库存 ……")
LOOK_SECONDS: Final = 20.0
_TAKE_OVER: Final = Text("take over", "由我处理")
_ENOUGH: Final = Text("has all of it", "货齐")


class OrderPanel:
    """Shows one order at a time. What the book knows comes first; stock and what may be done follow."""

    def __init__(self, page: Page, decider: Decider, on_close: Callable[[], object] | None = None) -> None:
        self._page, self._decider, self._on_close = page, decider, on_close
        self._corrector = Corrector(page, decider)
        self._uid = ""
        self._place = ui.element("section").classes("of-panel")
        if on_close is not None:
            self._place.classes("of-beside")
            self._place.set_visibility(False)

    async def open(self, uid: str) -> None:
        """Show an order."""
        if uid != self._uid:
            self._leave()
        self._uid = uid
        self._place.set_visibility(True)
        try:
            order, timeline, titles = await self._page.ask(
                lambda desk, actor: (
                    desk.orders.show(actor, uid),
                    desk.orders.timeline(actor, uid),
                    desk.warehouse_titles(),
                )
            )
        except Trouble as error:
            self._place.clear()
            with self._place:
                self._head(uid)
                trouble(self._page.visit, error, again=lambda: self.open(uid))
            return
        self._place.clear()
        with self._place:
            self._draw(order, OrderParts(self._page, order, timeline, titles, self._decider), titles)

    def close(self) -> None:
        """Show none."""
        self._leave()
        self._uid = ""
        self._place.clear()
        self._place.set_visibility(False)

    def _draw(self, order: OrderPage, parts: OrderParts, titles: Mapping[str, str]) -> None:
        self._head(order.order.uid, order)
        self._presence = ui.element("div").classes("of-presence").props("role=status")
        ui.timer(LOOK_SECONDS, self._look)
        acts = ui.element("div").classes("of-acts-of-one").props("aria-busy=true")  # until it is known what may be done
        with acts:
            self._acts(order, {}, titles)
        with ui.element("div").classes("of-order"):
            with ui.element("div"):
                parts.facts()
                parts.reasons()
                parts.lines()
                stock = ui.element("div")
                parts.where()
            with ui.element("div"):
                parts.warehouses()
                parts.history()
        if order.review is not None:
            with stock:
                heading(self._page.say(_STOCK))
                ui.label(self._page.say(_LOOKING)).classes("of-muted")
        background_tasks.create(self._follow_up(order, acts, stock, titles), name="choices")

    async def _look(self) -> None:
        """Say that somebody is here, and who was before them."""
        uid = self._uid
        if not uid:
            return
        try:
            found = await self._page.ask(lambda desk, actor: desk.presence.look(actor, uid), used=False)
        except Trouble:
            return  # a courtesy: what is decided is checked by its revision
        self._tell_presence(found)

    def _tell_presence(self, found: Presence) -> None:
        if self._uid != found.order_uid or self._presence.is_deleted:
            return
        self._presence.clear()
        if found.mine:
            return
        since = full_clock(found.since)[11:16]
        with self._presence:
            ui.icon("visibility", size="16px")
            ui.label(self._page.say(Text(f"{found.who} is at it since {since}", f"{found.who} 从 {since} 起正在处理")))
            button(self._page.say(_TAKE_OVER), self._take_over).classes("of-suggest")

    async def _take_over(self) -> None:
        uid = self._uid
        self._tell_presence(await self._page.ask(lambda desk, actor: desk.presence.take_over(actor, uid)))

    def _leave(self) -> None:
        uid, self._uid = self._uid, ""
        if uid:
            left = self._page.ask(lambda desk, actor: desk.presence.leave(actor, uid), used=False)
            background_tasks.create(left, name="leave")

    def _head(self, uid: str, order: OrderPage | None = None) -> None:
        say = self._page.say
        with ui.element("header").classes("of-panel-head"):
            name, shop, number = uid.split(":", 2)
            with ui.element("div").classes("of-panel-name"):
                ui.label(number).classes("of-number of-h2")
                ui.label(f"{say(channel(name))} · {shop}").classes("of-muted")
            if order is not None:
                stage = say(STAGES.get(order.order.stage, STAGES["unknown"]))
                ui.label(stage).classes(f"of-stage of-stage-{order.order.stage}")
            ui.space()
            if self._on_close is not None:
                with ui.link(target=f"/orders/{uid}").classes("of-quiet of-x") as link:
                    ui.icon("open_in_full", size="15px")
                link.props(f'aria-label="{say(_OPEN)}"').tooltip(say(_OPEN))
                made = button("", self._on_close, icon="close").classes("of-quiet of-x")
                made.props(f'aria-label="{say(_CLOSE)}"').tooltip(say(_CLOSE))

    def _acts(self, order: OrderPage, refused: Mapping[str, str], warehouses: Mapping[str, str]) -> None:
        uid, revision = order.order.uid, _revision(order)

        def act(kind: DecisionKind, name: Text, icon: str, do: Callable[[], object]) -> None:
            style = "unelevated" if kind is DecisionKind.RELEASE else "outline"
            made = button(self._page.say(name), do, kind=style, icon=icon)
            if self._decider.allow(made, DEEDS[kind]) and refused.get(kind):
                made.disable()
                made.tooltip(self._page.say(refusal(refused[kind])))

        for kind, each in ACTS.items():
            where = warehouses if kind is DecisionKind.RELEASE and order.review is not None else None
            act(
                kind,
                each.name,
                each.icon,
                partial(self._decider.decide_one, each, kind, uid, revision, warehouses=where),
            )
            if kind is DecisionKind.RELEASE:
                act(
                    DecisionKind.CORRECT,
                    CORRECT.name,
                    CORRECT.icon,
                    lambda: self._corrector.correct(uid, revision, order.lines),
                )
        act(DecisionKind.NOTE, NOTE.name, NOTE.icon, lambda: self._decider.note(uid))

    async def _follow_up(
        self, order: OrderPage, acts: ui.element, stock: ui.element, titles: Mapping[str, str]
    ) -> None:
        uid = order.order.uid
        try:
            found = await self._page.ask(lambda desk, actor: desk.choices.of(actor, uid), used=False)
        except Trouble as error:
            if not stock.is_deleted:
                acts.props(remove="aria-busy")
                stock.clear()
                with stock:
                    heading(self._page.say(_STOCK))
                    ui.label(self._page.say(error.text)).classes("of-late")
            return
        if self._uid != uid or acts.is_deleted:
            return
        acts.clear()
        with acts:
            refused = {each.kind: each.code for each in found.choices if not each.allowed}
            self._acts(order, refused, self._labels(found, titles))
        acts.props(remove="aria-busy")
        stock.clear()
        if order.review is not None:
            with stock:
                self._stock(found, titles)

    def _labels(self, found: Choices, titles: Mapping[str, str]) -> dict[str, str]:
        """Warehouses to choose from, each with how it stands."""
        return {
            each.warehouse_id: f"{titles.get(each.warehouse_id, each.warehouse_id)} · {self._state(each)}"
            for each in found.candidates
        }

    def _state(self, candidate: Candidate) -> str:
        say = self._page.say
        if candidate.enough:
            return say(_ENOUGH)
        short = [one for one in candidate.stock if one.available + one.has < one.needs]
        told = "、".join(f"{one.sku} {max(0, one.available + one.has)}/{one.needs}" for one in short)
        return say(Text(f"short of {told}", f"缺 {told}")) if told else "—"

    def _stock(self, found: Choices, titles: Mapping[str, str]) -> None:
        heading(self._page.say(_STOCK))
        with ui.element("table").classes("of-lines"), ui.element("tbody"):
            for each in found.candidates:
                with ui.element("tr"):
                    with ui.element("td").classes("of-strong" if each.suggested else ""):
                        ui.label(titles.get(each.warehouse_id, each.warehouse_id))
                    with ui.element("td").classes("of-green" if each.enough else "of-late-soft"):
                        ui.label(self._state(each))


def _revision(order: OrderPage) -> str:
    """What a person looks at who sees this."""
    return order.review.revision if order.review is not None else order.order.revision or ""

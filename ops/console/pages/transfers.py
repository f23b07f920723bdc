"""Transfers that orders asked for: how far each is, and its next step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button
from ops.console.pages.page import Page
from ops.console.pages.tray import ResultTray
from ops.console.shell import trouble
from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.stock import TransferAsked
from workers.inventory.operations.transfer import TransferAction

DAYS: Final = 30
ROWS: Final = 100
_TITLE: Final = Text("Transfers asked for (30 days)", "调拨申请（30 天内）")
_NONE: Final = Text("no transfer is asked for", "没有调拨申请")
_FROM: Final = Text("from", "从")
_ACTIONS: Final = {
    TransferAction.RESERVE: Text("Reserve", "预留"),
    TransferAction.SEND: Text("Send", "发出"),
    TransferAction.RECEIVE: Text("Receive", "收货"),
    TransferAction.CANCEL: Text("Cancel", "取消"),
}
_MEANS: Final = {
    TransferAction.RESERVE: Text("Set aside where they are. Undo: cancel.", "在调出仓预留。可撤回：取消。"),
    TransferAction.SEND: Text("They have left. There is no undo: receive them.", "货已发出。不能撤回：请收货。"),
    TransferAction.RECEIVE: Text(
        "They have come; waiting orders go on. No undo.", "货已到；待货订单自动继续。不能撤回。"
    ),
    TransferAction.CANCEL: Text("Give back what is reserved.", "归还预留。"),
}
_STATES: Final = {
    "": Text("asked", "待预留"),
    "reserved": Text("reserved", "已预留"),
    "sent": Text("on its way", "在途"),
    "cancelled": Text("cancelled", "已取消"),
}
_NEXT: Final = {
    "": (TransferAction.RESERVE,),
    "reserved": (TransferAction.SEND, TransferAction.CANCEL),
    "sent": (TransferAction.RECEIVE,),
}


class TransferPanel:
    """The list. `after`: called when a step was taken."""

    def __init__(self, page: Page, tray: ResultTray, after: Callable[[], Awaitable[None]]) -> None:
        self._page, self._tray, self._after = page, tray, after
        self._place = ui.element("section").classes("of-panel of-fills")

    async def load(self) -> None:
        """Ask and draw. It reads Kafka, which takes a second or more."""
        try:
            found = await self._page.ask(lambda desk, actor: desk.stock.asked_transfers(actor, days=DAYS, limit=ROWS))
        except Trouble as error:
            self._place.clear()
            with self._place:
                trouble(self._page.visit, error, again=self.load)
            return
        say = self._page.say
        self._place.clear()
        with self._place:
            with ui.element("h3").classes("of-h3"):
                ui.label(say(_TITLE))
            if not found:
                ui.label(say(_NONE)).classes("of-muted")
            for each in found:
                self._draw(each)

    def _draw(self, one: TransferAsked) -> None:
        say = self._page.say
        with ui.element("div").classes("of-transfer"):
            with ui.row().classes("of-tools"):
                units = "  ".join(f"{sku} × {count}" for sku, count in one.quantities.items())
                ui.label(units).classes("of-number of-grow")
                ui.label(say(_STATES.get(one.given, _STATES[""]))).classes("of-mark")
            with ui.row().classes("of-tools"):
                ui.label(f"{one.from_warehouse or '？'} → {one.to_warehouse}").classes("of-grow")
                giver = None
                if one.from_warehouse is None:
                    giver = ui.input(say(_FROM)).props("dense outlined").style("width: 110px")
                for action in _NEXT.get(one.given, ()):
                    made = button(
                        say(_ACTIONS[action]),
                        lambda action=action, giver=giver: self._step(one, action, giver.value if giver else ""),
                        kind="flat" if action is TransferAction.CANCEL else "outline",
                    )
                    made.tooltip(say(_MEANS[action])).set_enabled(self._page.may(Deed.TRANSFERS_STEP))
            ui.link(one.order_uid.split(":", 2)[2], f"/orders/{one.order_uid}").classes("of-number of-small")

    async def _step(self, one: TransferAsked, action: TransferAction, giver: str) -> None:
        where = one.to_warehouse if action is TransferAction.RECEIVE else one.from_warehouse or giver.strip()
        try:
            await self._page.ask(
                lambda desk, actor: desk.counting.step(actor, action, where, one.transfer_id, one.quantities, "console")
            )
        except Trouble as error:
            self._tray.refused(_ACTIONS[action], where, error)
        else:
            self._tray.done(self._page.say(_ACTIONS[action]), f"{one.from_warehouse or giver} → {one.to_warehouse}")
            await self._after()
        await self.load()

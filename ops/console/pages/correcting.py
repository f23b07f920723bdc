"""Correcting what is picked: one order's lines, or one SKU in all orders of review that have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nicegui import ui

from ops.console.pages.acts import CORRECT
from ops.console.pages.asking_why import WhyDialog
from ops.console.pages.deciding import Decider
from ops.console.pages.page import Page
from schemas.decision import Correction, DecisionKind, LineCorrection
from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.filters import ReviewFilter
from workers.admin.desk.wish import Wish

_SKU: Final = Text("Pick this SKU", "实发 SKU")
_UNITS: Final = Text("Units", "件数")
_NOTHING: Final = Text("Change a SKU or a number of units first.", "请先修改 SKU 或件数。")
_ONE_SKU: Final = Text(
    "For all orders, change exactly one SKU and no units.", "批量更正时只能修改一个 SKU，且不改件数。"
)


class Corrector:
    """The dialog of one page."""

    def __init__(self, page: Page, decider: Decider) -> None:
        self._page, self._decider = page, decider
        self._why = WhyDialog(page)

    async def correct(self, uid: str, revision: str, lines: Sequence[Mapping[str, Any]]) -> None:
        """Ask what is picked instead, and why; for this order, or for all that have the same SKU."""
        open_lines = [line for line in lines if line.get("status") == "open"]
        form = _Form(self._page, open_lines)
        title = f"{self._page.say(CORRECT.name)} · {uid.split(':', 2)[2]}"
        asked = await self._why.ask(CORRECT, title, more=form.draw, ready=form.is_ready)
        if asked is None:
            return
        why = asked[0]
        if form.for_all:
            [(sku, to_sku)] = form.swaps()
            wish = Wish(kind=DecisionKind.CORRECT, sku=sku, to_sku=to_sku)
            await self._decider.decide_many(CORRECT, wish, ReviewFilter(sku=sku), why)
            return
        await self._decider.send(
            CORRECT, DecisionKind.CORRECT, uid, revision, why=why, correction=Correction(lines=form.changes())
        )


class _Form:
    """The lines as fields."""

    def __init__(self, page: Page, lines: Sequence[Mapping[str, Any]]) -> None:
        self._page, self._lines = page, lines
        self._fields: list[tuple[ui.input, ui.number]] = []
        self.for_all = False

    def draw(self, place: ui.element) -> None:
        """One row a line."""
        say = self._page.say
        with place:
            for line in self._lines:
                with ui.row().classes("of-correct-line"):
                    sku = ui.input(say(_SKU), value=line.get("sku", "")).props("dense outlined maxlength=200")
                    ordered = int(line["quantity"])
                    units = ui.number(say(_UNITS), value=ordered, min=0, max=ordered, precision=0).props(
                        "dense outlined"
                    )
                    ui.label(line.get("title", "")).classes("of-muted of-ellipsis")
                    self._fields.append((sku, units))
            if self._page.may(Deed.BULK_START):
                every = Text("In all orders of review that have this SKU", "审核中含该 SKU 的订单全部更正")
                ui.checkbox(say(every), on_change=self._choose_all).props("dense")
            self._told = ui.label().classes("of-late")

    def _choose_all(self, event: Any) -> None:
        self.for_all = bool(event.value)

    def changes(self) -> tuple[LineCorrection, ...]:
        """What is changed, line by line."""
        found = []
        for line, (sku, units) in zip(self._lines, self._fields, strict=True):
            new = (sku.value or "").strip()
            count = int(units.value) if units.value is not None else int(line["quantity"])
            sku_changed, count_changed = bool(new) and new != line.get("sku", ""), count != int(line["quantity"])
            if sku_changed or count_changed:
                found.append(
                    LineCorrection(
                        line_id=line["line_id"],
                        sku=new if sku_changed else None,
                        quantity=count if count_changed else None,
                    )
                )
        return tuple(found)

    def swaps(self) -> list[tuple[str, str]]:
        """Which SKU is put into the place of which."""
        by_id = {line["line_id"]: line.get("sku", "") for line in self._lines}
        return sorted({(by_id[each.line_id], each.sku) for each in self.changes() if each.sku is not None})

    def is_ready(self) -> bool:
        """Whether there is something to be done, and it can be; what is missing is said."""
        changes = self.changes()
        if not changes:
            self._told.text = self._page.say(_NOTHING)
        elif self.for_all and (len(self.swaps()) != 1 or any(each.quantity is not None for each in changes)):
            self._told.text = self._page.say(_ONE_SKU)
        else:
            return True
        return False

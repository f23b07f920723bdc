"""The dialog before a decision: what it does, what undoes it, and the reason that is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from nicegui import ui

from ops.console.pages.acts import Act
from ops.console.pages.fields import button
from ops.console.pages.page import Page
from schemas.text import Text

_WHY: Final = Text("Reason (kept with your name)", "原因（与您的姓名一并保存）")
_WAREHOUSE: Final = Text("Ship from", "发货仓")
_BACK: Final = Text("Back", "返回")
AS_SUGGESTED: Final = Text("as suggested", "按建议")


class WhyDialog:
    """One dialog of a page, used again and again."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._dialog = ui.dialog()

    async def ask(
        self,
        act: Act,
        title: str,
        *,
        warehouses: Mapping[str, str] | None = None,
        more: Callable[[ui.element], None] | None = None,
        ready: Callable[[], bool] = lambda: True,
    ) -> tuple[str, str | None] | None:
        """The reason and the warehouse; None: they changed their mind. `more`: draws what else is told or asked."""
        say = self._page.say
        self._dialog.clear()
        with self._dialog, ui.card().classes("of-card"):
            ui.label(title).classes("of-h2")
            ui.label(say(act.does))
            ui.label(say(act.reverse)).classes("of-muted")
            if more is not None:
                more(ui.element("div").classes("of-more"))
            where = None
            if warehouses:
                options = {"": say(AS_SUGGESTED), **warehouses}
                where = ui.select(options, label=say(_WAREHOUSE), value="").classes("of-wide")
                where.props("dense outlined options-dense")
            why = ui.input(say(_WHY)).props("dense outlined autofocus maxlength=500").classes("of-wide of-why-field")
            with ui.row().classes("of-often"):
                for reason in act.reasons:
                    button(say(reason), partial(why.set_value, say(reason))).classes("of-suggest")

            def done() -> None:
                if (why.value or "").strip() and ready():
                    self._dialog.submit(True)

            with ui.row().classes("of-end"):
                button(say(_BACK), lambda: self._dialog.submit(None))
                self.go = button(say(act.name), done, kind="unelevated")
                self.go.bind_enabled_from(why, "value", lambda text: bool((text or "").strip()))
            why.on("keydown.enter", done)
        if not await self._dialog:
            return None
        return why.value.strip(), (where.value or None) if where is not None else None

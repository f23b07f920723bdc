"""What became of a page's deeds, at its foot: done goes by itself, refusals stay until somebody has read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button
from ops.console.pages.page import Page
from schemas.text import Text

_DONE_SECONDS: Final = 12.0
_LOOK_SECONDS: Final = 0.3
_CLOSE: Final = Text("Close", "关闭")


class ResultTray:
    """Lines, the newest on top."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._tray = ui.element("aside").classes("of-tray").props("role=log aria-live=polite")

    def done(self, told: str, about: str) -> None:
        """It was done. The line goes by itself."""
        with self._line("of-good") as line:
            ui.icon("check_circle", size="18px").classes("of-green")
            ui.label(told).classes("of-strong")
            ui.label(about).classes("of-number")
            self._close(line)
            ui.timer(_DONE_SECONDS, line.delete, once=True)

    def refused(self, name: Text, about: str, error: Trouble) -> None:
        """It was not done, and why."""
        say = self._page.say
        told = say(error.text) + (f"。{say(error.todo)}" if error.todo is not None else "")
        self.lasting(say(name), f"{about} · {told}" if about else told, bad=True)

    def lasting(self, name: str, told: str, causes: Sequence[str] = (), *, bad: bool = False) -> None:
        """A result that stays until it is closed."""
        with self._line("of-bad" if bad or causes else "of-good") as line:
            ui.icon("error" if bad else "check_circle", size="18px").classes("of-red" if bad else "of-green")
            ui.label(name).classes("of-strong")
            ui.label(told).classes("of-told")
            self._close(line)
            if causes:
                with ui.element("div").classes("of-causes"):
                    for cause in causes:
                        ui.label(cause)

    @contextmanager
    def running(self, name: str, through: Callable[[], int], total: int) -> Iterator[None]:
        """Around what takes long: a line with how many are through."""
        with self._line("") as line:
            ui.label(name).classes("of-strong")
            bar = ui.linear_progress(0, show_value=False).classes("of-bar-of-job").props("instant-feedback")
            told = ui.label(f"0 / {total:,}").classes("of-told")

            def look() -> None:
                bar.value = through() / max(1, total)
                told.text = f"{through():,} / {total:,}"

            timer = ui.timer(_LOOK_SECONDS, look)
        try:
            yield
        finally:
            timer.cancel()
            if not line.is_deleted:
                line.delete()

    def _line(self, kind: str) -> ui.element:
        with self._tray:
            line = ui.element("div").classes(f"of-result {kind}")
        line.move(self._tray, 0)
        return line

    def _close(self, line: ui.element) -> None:
        button("", line.delete, icon="close").props(f'aria-label="{self._page.say(_CLOSE)}"').classes("of-quiet of-x")

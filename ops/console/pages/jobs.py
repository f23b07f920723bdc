"""What became of decisions: a tray at the foot of the page. Refusals stay until somebody has read them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button
from ops.console.pages.page import Page
from schemas.decision import REFUSALS, DecisionRefusal
from schemas.text import Text
from workers.admin.desk.bulk import Job
from workers.admin.desk.job_run import NO_ANSWER

_LOOK_SECONDS: Final = 0.7
_READ: Final = Text("Close", "关闭")
_NO_ANSWER: Final = Text("no answer came; it may still be applied", "没有应答；仍可能生效")


class JobTray:
    """The results of one page's deeds, newest on top."""

    def __init__(self, page: Page, after: Callable[[], Awaitable[None]]) -> None:
        self._page, self._after = page, after
        self._tray = ui.element("aside").classes("of-tray").props("role=log aria-live=polite")

    def done(self, told: str, about: str, undo: tuple[str, Callable[[], Awaitable[None]]] | None = None) -> None:
        """It was done; it may be undone."""
        with self._line("of-good") as line:
            ui.icon("check_circle", size="18px")
            ui.label(told).classes("of-strong")
            ui.label(about).classes("of-number")
            if undo is not None:
                button(undo[0], undo[1]).classes("of-quiet")
            self._close(line)
        ui.timer(8.0, line.delete, once=True)

    def refused(self, name: Text, about: str, error: Trouble) -> None:
        """It was not done, and why."""
        say = self._page.say
        with self._line("of-bad") as line:
            ui.icon("error", size="18px")
            ui.label(say(name)).classes("of-strong")
            if about:
                ui.label(about).classes("of-number")
            ui.label(say(error.text) + (f"；{say(error.todo)}" if error.todo is not None else ""))
            self._close(line)

    def follow(self, job: Job, name: Text) -> None:
        """Show how far a job is, until it is done."""
        with self._line("") as line:
            ui.label(self._page.say(name)).classes("of-strong")
            bar = ui.linear_progress(0, show_value=False).classes("of-bar-of-job")
            told = ui.label()
            causes = ui.element("div").classes("of-causes")
            self._close(line)

        async def look() -> None:
            try:
                found = await self._page.ask(lambda desk, actor: desk.bulk.show(actor, job.job_id), used=False)
            except Trouble as error:  # the job goes on; it is looked at again
                told.text = self._page.say(error.text)
                return
            if self._page.client.is_deleted or line.is_deleted:
                timer.cancel()
                return
            refused = sum(found.refused.values())
            bar.value = (found.done + refused) / max(1, found.total)
            told.text = self._page.say(
                Text(
                    f"{found.done:,} done, {refused:,} refused, {found.waiting:,} to go",
                    f"成功 {found.done:,}，被拒绝 {refused:,}，剩余 {found.waiting:,}",
                )
            )
            if found.state != "running":
                timer.cancel()
                line.classes(add="of-bad" if refused else "of-good")
                self._causes(causes, found)
                await self._after()

        timer = ui.timer(_LOOK_SECONDS, look)

    def _causes(self, place: ui.element, job: Job) -> None:
        with place:
            for code, count in job.refused.items():
                ui.label(f"{count:,} × {self._page.say(cause(code))}")

    def _line(self, kind: str) -> ui.element:
        line = ui.element("div").classes(f"of-result {kind}")
        line.move(self._tray, 0)
        return line

    def _close(self, line: ui.element) -> None:
        button("", line.delete, icon="close").props(f'aria-label="{self._page.say(_READ)}"').classes("of-quiet")


def cause(code: str) -> Text:
    """Why an order was refused, and what to do."""
    if code == NO_ANSWER:
        return _NO_ANSWER
    try:
        return REFUSALS[DecisionRefusal(code)]
    except ValueError:
        return Text(code, code)

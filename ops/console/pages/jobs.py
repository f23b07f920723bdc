"""What became of decisions: a tray at the foot of the page. Refusals stay until somebody has read them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button
from ops.console.pages.page import Page
from ops.console.words import decision_name, refusal
from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.bulk import Job, JobOrder

_LOOK_SECONDS: Final = 0.7
_DONE_SECONDS: Final = 12.0
_SHOWN: Final = 100
_CLOSE: Final = Text("Close", "关闭")
_AGAIN: Final = Text("Again for these", "对这些再次执行")
_WHICH: Final = Text("Which orders", "查看订单")

Again = Callable[[Job, Text], Awaitable[None]]


class JobTray:
    """The results of one page's deeds, newest on top; and jobs that still run, whoever started them."""

    def __init__(self, page: Page, after: Callable[[], Awaitable[None]], again: Again) -> None:
        self._page, self._after, self._again = page, after, again
        self._tray = ui.element("aside").classes("of-tray").props("role=log aria-live=polite")

    async def resume(self) -> None:
        """Show the jobs that run: they go on though the page, or the console, began anew."""
        if not self._page.may(Deed.BULK_SHOW):
            return
        jobs = await self._page.ask(lambda desk, actor: desk.bulk.list(actor, limit=10), used=False)
        for job in jobs.items:
            if job.state == "running":
                self.follow(job, decision_name(job.kind))

    def done(self, told: str, about: str, undo: tuple[str, Callable[[], Awaitable[None]]] | None = None) -> None:
        """It was done; it may be undone."""
        with self._line("of-good") as line:
            ui.icon("check_circle", size="18px").classes("of-green")
            ui.label(told).classes("of-strong")
            ui.label(about.split(":", 2)[-1]).classes("of-number")
            if undo is not None:
                button(undo[0], undo[1]).classes("of-quiet")
            self._close(line)
            ui.timer(_DONE_SECONDS, line.delete, once=True)

    def refused(self, name: Text, about: str, error: Trouble) -> None:
        """It was not done, and why."""
        say = self._page.say
        with self._line("of-bad") as line:
            ui.icon("error", size="18px").classes("of-red")
            ui.label(say(name)).classes("of-strong")
            if about:
                ui.label(about.split(":", 2)[-1]).classes("of-number")
            ui.label(say(error.text) + (f"。{say(error.todo)}" if error.todo is not None else "")).classes("of-told")
            self._close(line)

    def follow(self, job: Job, name: Text) -> None:
        """Show how far a job is, until it is done."""
        with self._line("") as line:
            ui.label(self._page.say(name)).classes("of-strong")
            bar = ui.linear_progress(0, show_value=False).classes("of-bar-of-job").props("instant-feedback")
            told = ui.label().classes("of-told")
            self._close(line)

            async def look() -> None:
                if line.is_deleted:
                    timer.cancel()
                    return
                try:
                    found = await self._page.ask(lambda desk, actor: desk.bulk.show(actor, job.job_id), used=False)
                except Trouble as error:  # the job goes on; it is looked at again
                    told.text = self._page.say(error.text)
                    return
                bar.value = (found.total - found.waiting) / max(1, found.total)
                told.text = self._page.say(_progress(found))
                if found.state != "running":
                    timer.cancel()
                    await self._ended(line, found, name)

            timer = ui.timer(_LOOK_SECONDS, look)

    async def _ended(self, line: ui.element, job: Job, name: Text) -> None:
        if job.refused:
            line.classes(add="of-bad")
            orders = await self._refused(job)
            with line:
                self._causes(job, orders, name)
        else:
            line.classes(add="of-good")
        await self._after()

    async def _refused(self, job: Job) -> list[JobOrder]:
        page = await self._page.ask(
            lambda desk, actor: desk.bulk.orders(actor, job.job_id, state="refused", limit=_SHOWN), used=False
        )
        return page.items

    def _causes(self, job: Job, orders: list[JobOrder], name: Text) -> None:
        say = self._page.say
        with ui.element("div").classes("of-causes"):
            for code, count in job.refused.items():
                ui.label(f"{count:,} × {say(refusal(code))}")
            with ui.expansion(say(_WHICH)).props("dense").classes("of-which"), ui.element("ul"):
                for each in orders:
                    with ui.element("li"):
                        ui.link(each.order_uid.split(":", 2)[2], f"/orders/{each.order_uid}").classes("of-number")
                        ui.label(say(refusal(each.code))).classes("of-muted")
            if self._page.may(Deed.BULK_START):
                button(say(_AGAIN), lambda: self._again(job, name), kind="outline")

    def _line(self, kind: str) -> ui.element:
        with self._tray:
            line = ui.element("div").classes(f"of-result {kind}")
        line.move(self._tray, 0)
        return line

    def _close(self, line: ui.element) -> None:
        button("", line.delete, icon="close").props(f'aria-label="{self._page.say(_CLOSE)}"').classes("of-quiet of-x")


def _progress(job: Job) -> Text:
    refused = sum(job.refused.values())
    return Text(
        f"{job.done:,} done, {refused:,} refused, {job.waiting:,} to go",
        f"成功 {job.done:,}，被拒绝 {refused:,}，剩余 {job.waiting:,}",
    )

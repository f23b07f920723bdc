"""What was set aside: messages that no stage could process, by reason; looked at, and handed back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button, choice
from ops.console.pages.listing import NUMBER, Column, listing
from ops.console.pages.page import Page
from ops.console.pages.tray import ResultTray
from ops.console.shell import empty, trouble
from ops.console.words import CHANNELS, channel, clock, full_clock
from ops.console.words_of_letters import OUTCOMES, REASONS, STAGES
from schemas.text import Language, Text
from workers.admin.desk.access import Actor, Deed
from workers.admin.desk.desk import Desk
from workers.admin.desk.letters import Letter, LetterMessage, RetrySum

ROWS: Final = 200
_FILTERS: Final = ("reason", "channel")
_ALL: Final = Text("All", "全部")
_CHANNEL: Final = Text("Channel", "渠道")
_NONE: Final = Text("Nothing is set aside", "没有搁置的消息")
_NONE_TODO: Final = Text("Every message could be processed", "所有消息都已正常处理")
_CLOSE, _BACK = Text("Close", "关闭"), Text("Back", "返回")
_RETRY: Final = Text("Hand back", "重试")
_WHY: Final = Text("Reason (kept with your name)", "原因（与您的姓名一并保存）")
_RETRY_MEANS: Final = Text(
    "The message goes back to where it came from, once, and is processed anew. There is nothing to undo: what still"
    " fails is set aside again.",
    "消息会放回原处重新处理，每条一次。无需撤回：仍然失败的会再次搁置。",
)
_WRONG: Final = Text("What is wrong", "失败原因")
_MESSAGE: Final = Text("The message (personal data hidden)", "消息内容（个人信息已隐藏）")
_CUT: Final = Text("only the first part is kept here", "此处只保留了开头部分")
_NO_JSON: Final = Text("it is no JSON, so that nothing of it is shown", "不是 JSON，因此不显示内容")
_ONCE: Final = (Text("mapping was fixed", "映射已修复"), Text("the server is back", "服务已恢复"))
_COLUMNS: Final = (
    Column("at", Text("When", "时间")),
    Column("about", Text("About", "对象"), cell=NUMBER, width=300),
    Column("channel", _CHANNEL),
    Column("stage", Text("At", "环节")),
    Column("reason", Text("Reason", "原因")),
    Column("where", Text("Field", "字段"), cell=NUMBER, width=220),
    Column("attempts", Text("Attempts", "次数"), "right"),
)


def letter_row(letter: Letter, now: datetime, language: Language) -> dict[str, Any]:
    """A letter as a row of the table."""
    return {
        "id": letter.letter_id,
        "at": clock(letter.at, now),
        "about": letter.key or letter.topic,
        "channel": channel(letter.key.split(":")[0]).tell(language) if letter.key.count(":") >= 2 else "",
        "stage": STAGES.get(letter.stage, Text(letter.stage, letter.stage)).tell(language),
        "reason": reason(letter.reason).tell(language),
        "where": next((one.where for one in letter.failures if one.where), ""),
        "attempts": letter.attempts,
    }


def reason(code: str) -> Text:
    """A reason in a few words."""
    return REASONS.get(code, Text(code, code))


class SetAsidePage(Page):
    """By reason; one of them beside the list."""

    async def build(self) -> None:
        """Draw it, then fill it."""
        query = self.request.query_params
        self.filters: dict[str, str | None] = {name: query.get(name) or None for name in _FILTERS}
        self.reasons = ui.element("nav").classes("of-reasons")
        with ui.row().classes("of-tools"):
            channels = {name: self.say(text) for name, text in CHANNELS.items()}
            choice(self.say(_CHANNEL), channels, self.filters["channel"], lambda e: self.refilter(channel=e.value))
            self.told = ui.label().classes("of-muted").props("aria-live=polite")
            ui.space()
            self.acts = ui.row().classes("of-acts")
        with ui.element("div").classes("of-split of-fill"):
            self.list = ui.element("section").classes("of-list")
            self.panel = ui.element("section").classes("of-panel of-beside")
            self.panel.set_visibility(False)
        self.tray, self.dialog = ResultTray(self), ui.dialog()
        with self.list:
            ui.spinner(size="28px").classes("of-state")
        await self.load()

    async def load(self) -> None:
        """Ask and draw. It reads Kafka, which takes a second or more."""
        given = dict(self.filters)
        try:
            found = await self.ask(
                lambda desk, actor: desk.letters.list(
                    actor, reason=given["reason"], channel=given["channel"], limit=ROWS
                )
            )
        except Trouble as error:
            self.list.clear()
            with self.list:
                trouble(self.visit, error, again=self.load)
            return
        now = datetime.now(UTC)
        self._draw_reasons(found.reasons)
        shown = len(found.items)
        self.told.text = self.say(
            Text(
                f"{found.total:,} set aside, the newest {shown:,} shown",
                f"共 {found.total:,} 条，显示最新 {shown:,} 条",
            )
        )
        self._draw_acts(found.total)
        self.list.clear()
        with self.list:
            if not found.items:
                empty(self.visit, _NONE, _NONE_TODO, "task_alt")
                return
            rows = [letter_row(each, now, self.visit.language) for each in found.items]
            listing(self.visit, _COLUMNS, rows, key="id", opened=self.open)

    def _draw_reasons(self, reasons: dict[str, int]) -> None:
        self.reasons.clear()
        with self.reasons:
            for code, count in ((None, sum(reasons.values())), *reasons.items()):
                here = self.filters["reason"] == code
                text = self.say(_ALL if code is None else reason(code))
                made = button(text, lambda code=code: self.refilter(reason=code))
                made.classes("of-reason" + (" of-here" if here else "")).props(f"aria-pressed={str(here).lower()}")
                with made:
                    ui.label(f"{count:,}").classes("of-count")

    def _draw_acts(self, total: int) -> None:
        code = self.filters["reason"]
        self.acts.clear()
        if code is None or not total:
            return
        with self.acts:
            name = f"{self.say(_RETRY)}: {self.say(reason(code))} ({total:,})"
            made = button(name, lambda: self.retry_kind(code, total), kind="unelevated", icon="replay")
            made.set_enabled(self.may(Deed.LETTERS_RETRY))

    async def refilter(self, **changes: str | None) -> None:
        """Ask with other filters."""
        if all(self.filters[name] == value for name, value in changes.items()):
            return
        self.filters |= changes
        told = {name: value for name, value in self.filters.items() if value}
        ui.run_javascript(f"orderfleet.address({'?' + urlencode(told) if told else ''!r})")
        await self.load()

    # -- one of them

    async def open(self, letter_id: str) -> None:
        """Show one beside the list, with its message masked."""
        self.panel.set_visibility(True)
        try:
            found = await self.ask(lambda desk, actor: desk.letters.message(actor, letter_id))
        except Trouble as error:
            self.panel.clear()
            with self.panel:
                trouble(self.visit, error, again=lambda: self.open(letter_id))
            return
        self.panel.clear()
        with self.panel:
            self._draw(found)

    def _draw(self, found: LetterMessage) -> None:
        letter, say = found.letter, self.say
        with ui.element("header").classes("of-panel-head"):
            ui.label(say(reason(letter.reason))).classes("of-h2")
            ui.space()
            close = button("", lambda: self.panel.set_visibility(False), icon="close").classes("of-quiet")
            close.props(f'aria-label="{say(_CLOSE)}"')
        with ui.element("div").classes("of-acts-of-one"):
            made = button(say(_RETRY), lambda: self.retry(letter.letter_id), kind="unelevated", icon="replay")
            made.set_enabled(self.may(Deed.LETTERS_RETRY))
            if letter.key.count(":") >= 2:
                ui.link(say(Text("The order", "查看订单")), f"/orders/{letter.key}").classes("of-quiet")
        with ui.element("dl").classes("of-facts"):
            for name, value in (
                (Text("When", "时间"), full_clock(letter.at)),
                (Text("Attempts", "次数"), str(letter.attempts)),
                (Text("About", "对象"), letter.key),
                (Text("Stands at", "位置"), letter.letter_id),
            ):
                with ui.element("dt"):
                    ui.label(say(name))
                with ui.element("dd"):
                    ui.label(value).classes("of-number")
        with ui.element("h3").classes("of-h3"):
            ui.label(say(_WRONG))
        with ui.element("ul").classes("of-failures"):
            for one in letter.failures:
                with ui.element("li"):
                    ui.label(one.tell(self.visit.language)).classes("of-strong")
                    ui.label(" · ".join(part for part in (one.attempt, one.where) if part)).classes("of-number")
        with ui.element("h3").classes("of-h3"):
            ui.label(f"{say(_MESSAGE)} · {found.size:,} B" + (f" · {say(_CUT)}" if found.is_cut else ""))
        if found.body is None:
            ui.label(say(_NO_JSON)).classes("of-muted")
        else:
            ui.label(json.dumps(found.body, ensure_ascii=False, indent=2)).classes("of-number of-raw")

    # -- handing back

    async def retry(self, letter_id: str) -> None:
        """Hand one back."""
        why = await self._ask_why(1)
        if why is None:
            return
        try:
            done = await self.ask(lambda desk, actor: desk.letters.retry(actor, letter_id, why))
        except Trouble as error:
            self.tray.refused(_RETRY, letter_id, error)
            return
        told = self.say(OUTCOMES.get(done.outcome, Text(done.outcome, done.outcome)))
        if done.why is not None:
            self.tray.refused(_RETRY, letter_id, Trouble(done.why, None, done.outcome))
        else:
            self.tray.done(told, letter_id)
        await self.load()

    async def retry_kind(self, code: str, total: int) -> None:
        """Hand back all of one reason, and show how far it is."""
        why = await self._ask_why(total)
        if why is None:
            return
        channel_id, through = self.filters["channel"], [0]

        def work(desk: Desk, actor: Actor) -> RetrySum:
            return desk.letters.retry_kind(
                actor, reason=code, channel=channel_id, why=why, told=lambda number: through.__setitem__(0, number)
            )

        try:
            with self.tray.running(self.say(_RETRY), lambda: through[0], total):
                done = await self.ask(work)
        except Trouble as error:
            self.tray.refused(_RETRY, self.say(reason(code)), error)
            return
        told = [f"{self.say(OUTCOMES.get(name, Text(name, name)))} {count:,}" for name, count in done.outcomes.items()]
        self.tray.lasting(
            self.say(_RETRY), "，".join(told), [f"{number:,} × {self.say(text)}" for text, number in done.causes]
        )
        await self.load()

    async def _ask_why(self, count: int) -> str | None:
        say = self.say
        self.dialog.clear()
        with self.dialog, ui.card().classes("of-card"):
            ui.label(f"{say(_RETRY)} ({count:,})").classes("of-h2")
            ui.label(say(_RETRY_MEANS)).classes("of-muted")
            why = ui.input(say(_WHY)).props("dense outlined autofocus maxlength=500").classes("of-wide")
            with ui.row().classes("of-often"):
                for each in _ONCE:
                    button(say(each), lambda each=each: why.set_value(say(each))).classes("of-quiet")
            with ui.row().classes("of-end"):
                button(say(_BACK), lambda: self.dialog.submit(None))
                go = button(f"{say(_RETRY)} ({count:,})", lambda: self.dialog.submit(True), kind="unelevated")
                go.bind_enabled_from(why, "value", lambda text: bool((text or "").strip()))
        return why.value.strip() if await self.dialog else None

"""What was done at the desk, by whom, from where: also each look at personal data, each export and each refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button, choice, field
from ops.console.pages.listing import MARK, NUMBER, Column, listing
from ops.console.pages.page import Page
from ops.console.shell import empty, trouble
from ops.console.words import clock, full_clock
from ops.console.words_of_deeds import DEEDS, OUTCOMES
from schemas.text import Language, Text
from workers.admin.desk.access import ROLES, RULES, Deed, Role
from workers.admin.desk.audit import AuditEntry, Outcome

ROWS: Final = 100
_FILTERS: Final = ("who", "subject", "deed", "outcome")
_WHO: Final = Text("Who", "操作人")
_SUBJECT: Final = Text("About (uid, user, SKU)", "对象（uid、用户、SKU）")
_DEED: Final = Text("Deed", "操作")
_OUTCOME: Final = Text("Outcome", "结果")
_NONE: Final = Text("Nothing of this kind was done", "没有符合条件的操作记录")
_NONE_TODO: Final = Text("Clear the filters to see all", "清除筛选可查看全部")
_KINDS: Final = {
    "changes": (Text("— all changes", "— 所有变更"), frozenset(deed for deed in Deed if RULES[deed].changes)),
    "personal": (
        Text("— looks at personal data", "— 涉及个人信息的查看"),
        frozenset(
            deed
            for deed in Deed
            if deed.startswith(("picking.", "export")) or deed in ("orders.raw", "orders.reveal", "dead-letters.read")
        ),
    ),
}
"""What people ask the list for, beside single deeds."""

_COLUMNS: Final = (
    Column("at", Text("When", "时间")),
    Column("actor", _WHO),
    Column("role", Text("Role", "角色")),
    Column("deed", _DEED),
    Column("subject", Text("About", "对象"), cell=NUMBER, width=320),
    Column("why", Text("Why", "原因"), width=240),
    Column("outcome", _OUTCOME, cell=MARK),
    Column("code", Text("Code", "代码"), cell=NUMBER),
    Column("origin", Text("From", "来源"), cell=NUMBER),
)


def audit_row(entry: AuditEntry, now: datetime, language: Language) -> dict[str, Any]:
    """A line of the list as a row of the table."""
    role = ROLES[Role(entry.role)].tell(language) if entry.role in set(Role) else entry.role
    deed = DEEDS[Deed(entry.deed)].tell(language) if entry.deed in set(Deed) else entry.deed
    bad = entry.outcome in (Outcome.REFUSED, Outcome.FAILED)
    return {
        "number": entry.number,
        "at": clock(entry.at, now),
        "full_at": full_clock(entry.at),
        "actor": entry.actor + (f" · {entry.token_id}" if entry.token_id else ""),
        "role": role,
        "deed": deed,
        "subject": entry.subject,
        "why": entry.why,
        "outcome": OUTCOMES[Outcome(entry.outcome)].tell(language),
        "mark_class": "of-red" if bad else "",
        "code": entry.code,
        "origin": entry.origin,
    }


def deeds_of(wanted: str | None) -> frozenset[Deed] | None:
    """The deeds that a filter means; None: all."""
    if wanted in _KINDS:
        return _KINDS[wanted][1]
    return frozenset({Deed(wanted)}) if wanted in set(Deed) else None


class AuditPage(Page):
    """The list, the newest first."""

    async def build(self) -> None:
        """Draw it, then fill it."""
        query = self.request.query_params
        self.filters: dict[str, str | None] = {name: query.get(name) or None for name in _FILTERS}
        self.cursors: list[str | None] = [None]
        say, given = self.say, self.filters
        with ui.row().classes("of-tools"):
            field(say(_WHO), given["who"] or "", lambda e: self.refilter(who=e.value), icon="person")
            field(say(_SUBJECT), given["subject"] or "", lambda e: self.refilter(subject=e.value), width=260)
            deeds = {name: say(text) for name, (text, _) in _KINDS.items()}
            deeds |= {deed.value: say(text) for deed, text in DEEDS.items()}
            choice(say(_DEED), deeds, given["deed"], lambda e: self.refilter(deed=e.value), width=200)
            outcomes = {outcome.value: say(text) for outcome, text in OUTCOMES.items()}
            choice(say(_OUTCOME), outcomes, given["outcome"], lambda e: self.refilter(outcome=e.value))
        self.list = ui.element("section").classes("of-list")
        await self.load()

    async def load(self) -> None:
        """Ask and draw."""
        given, cursor = dict(self.filters), self.cursors[-1]
        try:
            page = await self.ask(
                lambda desk, actor: desk.audit(
                    actor,
                    who=given["who"],
                    subject=given["subject"],
                    deeds=deeds_of(given["deed"]),
                    outcome=Outcome(given["outcome"]) if given["outcome"] in set(Outcome) else None,
                    cursor=cursor,
                    limit=ROWS,
                )
            )
        except Trouble as error:
            self.list.clear()
            with self.list:
                trouble(self.visit, error, again=self.load)
            return
        now = datetime.now(UTC)
        self.list.clear()
        with self.list:
            if not page.items:
                empty(self.visit, _NONE, _NONE_TODO, "manage_search")
                return
            rows = [audit_row(each, now, self.visit.language) for each in page.items]
            listing(self.visit, _COLUMNS, rows, key="number")
            self._pages(page.next)

    def _pages(self, after: str | None) -> None:
        if after is None and len(self.cursors) == 1:
            return
        with ui.row().classes("of-pages"):
            first = button(self.say(Text("First page", "回到首页")), lambda: self.to(None))
            first.set_enabled(len(self.cursors) > 1)
            button(self.say(Text("Next page", "下一页")), lambda: self.to(after)).set_enabled(after is not None)

    async def to(self, cursor: str | None) -> None:
        """A page further on; None: the first."""
        self.cursors = [None] if cursor is None else [*self.cursors, cursor]
        await self.load()

    async def refilter(self, **changes: str | None) -> None:
        """Ask with other filters."""
        self.filters |= {name: (value or "").strip() or None for name, value in changes.items()}
        self.cursors = [None]
        told = {name: value for name, value in self.filters.items() if value}
        ui.run_javascript(f"orderfleet.address({'?' + urlencode(told) if told else ''!r})")
        await self.load()

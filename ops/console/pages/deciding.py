"""Deciding about orders: alone, or many at once. The desk checks it and does it; here it is asked for and told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from nicegui import background_tasks, ui

from ops.console.asking import Trouble
from ops.console.pages.acts import ACTS, CORRECT, NOTE, SETTLE, Act
from ops.console.pages.asking_why import WhyDialog
from ops.console.pages.choosing import Chosen
from ops.console.pages.fields import button
from ops.console.pages.jobs import JobTray
from ops.console.pages.page import Page
from ops.console.pages.paper import pick_list_button
from ops.console.words import refusal, short
from schemas.decision import DecisionKind
from schemas.text import Text
from workers.admin.desk.access import ROLES, RULES, Deed
from workers.admin.desk.bulk import BulkRequest, Job, Preview
from workers.admin.desk.deciding import DEEDS
from workers.admin.desk.filters import ReviewFilter
from workers.admin.desk.wish import Wish

_UNDO: Final = Text("Undo (hold)", "撤回（暂停）")
_UNDONE: Final = Text("undone by hand", "人工撤回")
_LEADS: Final = Text("Only a lead decides about many at once", "批量操作需要主管角色")
_PENDING: Final = Text("written down; it is applied as soon as a worker answers", "已记录；工作进程应答后立即生效")
_LOOKING: Final = Text("asking what would become of them …", "正在预估结果 ……")
_AGAIN_SECONDS: Final = 2.0


class Decider:
    """The dialogs and the results of one page. `after`: called when something was decided."""

    def __init__(self, page: Page, after: Callable[[], Awaitable[None]]) -> None:
        self._page, self._after = page, after
        self._why = WhyDialog(page)
        self.tray = JobTray(page, after, self.again)

    def buttons(self, chosen: Chosen) -> None:
        """For what is chosen."""
        for kind, act in ACTS.items():
            made = button(
                self._page.say(act.name),
                lambda kind=kind: self.decide(kind, chosen),
                kind="unelevated" if kind is DecisionKind.RELEASE else "outline",
                icon=act.icon,
            )
            self.allow(made, DEEDS[kind] if len(chosen) == 1 else Deed.BULK_START)
        if not chosen.is_all:
            pick_list_button(self._page, list(chosen))

    def allow(self, made: ui.element, deed: Deed) -> bool:
        """Whether a button is for this visitor; one that is not says who may."""
        if self._page.may(deed):
            return True
        made.props("disable")
        made.tooltip(self._page.say(_LEADS if deed is Deed.BULK_START else _needs(deed)))
        return False

    async def decide(self, kind: DecisionKind, chosen: Chosen, warehouses: Mapping[str, str] | None = None) -> None:
        """Ask for the reason, and do it: to one order, or to all that are chosen."""
        if len(chosen) == 1:
            [(uid, revision)] = chosen.items()
            await self.decide_one(ACTS[kind], kind, uid, revision, warehouses=warehouses)
        elif len(chosen):
            await self.decide_many(ACTS[kind], Wish(kind=kind), chosen.filter())

    # -- one

    async def decide_one(
        self,
        act: Act,
        kind: DecisionKind,
        uid: str,
        revision: str,
        *,
        warehouses: Mapping[str, str] | None = None,
        codes: Sequence[str] = (),
    ) -> None:
        """About one order."""
        say = self._page.say
        title = f"{say(act.name)} · {uid.split(':', 2)[2]}"
        if codes:
            title += f" · {'、'.join(say(short(code)) for code in codes)}"
        asked = await self._why.ask(act, title, warehouses=warehouses)
        if asked is not None:
            await self.send(act, kind, uid, revision, why=asked[0], warehouse_id=asked[1], codes=codes)

    async def note(self, uid: str) -> None:
        """Write something down about an order."""
        await self.decide_one(NOTE, DecisionKind.NOTE, uid, "")

    async def settle(self, uid: str, revision: str, code: str) -> None:
        """One reason of an order asks no more."""
        await self.decide_one(SETTLE, DecisionKind.SETTLE_FLAG, uid, revision, codes=[code])

    async def send(self, act: Act, kind: DecisionKind, uid: str, revision: str, *, why: str, **more: Any) -> None:
        """Decide about one order, and tell what became of it."""
        say, decision = self._page.say, str(uuid4())
        try:
            verdict = await self._page.ask(
                lambda desk, actor: desk.deciding.decide(
                    actor, kind, uid, why=why, seen=revision, decision_id=decision, **more
                )
            )
        except Trouble as error:
            self.tray.refused(act.name, uid, error)
        else:
            told = say(act.name) + ("" if verdict.done else f" · {say(_PENDING)}")
            self.tray.done(told, uid, self._undo(uid) if kind is DecisionKind.RELEASE else None)
        await self._after()

    def _undo(self, uid: str) -> tuple[str, Callable[[], Awaitable[None]]]:
        async def undo() -> None:
            say, why = self._page.say, self._page.say(_UNDONE)
            try:
                await self._page.ask(lambda desk, actor: desk.deciding.undo(actor, uid, why=why))
            except Trouble as error:
                self.tray.refused(_UNDO, uid, error)
            else:
                self.tray.done(say(_UNDO), uid)
            await self._after()

        return self._page.say(_UNDO), undo

    # -- many

    async def decide_many(self, act: Act, wish: Wish, wanted: ReviewFilter, why: str | None = None) -> None:
        """About all that match: told first what would become of them; refused when others match by then."""
        say = self._page.say
        try:
            preview = await self._page.ask(lambda desk, actor: desk.bulk.preview(actor, wanted))
        except Trouble as error:
            self.tray.refused(act.name, "", error)
            return
        if why is None:
            title = say(Text(f"{act.name.en}: {preview.count:,} orders", f"{act.name.zh}：{preview.count:,} 单"))
            asked = await self._why.ask(act, title, more=lambda place: self._foresee(place, wish, preview))
            if asked is None:
                return
            why = asked[0]
        try:
            job = await self._page.ask(lambda desk, actor: desk.bulk.start(actor, _request(wish, preview, why)))
        except Trouble as error:
            self.tray.refused(act.name, "", error)
            return
        self.tray.follow(job, act.name)
        await self._after()

    def _foresee(self, place: ui.element, wish: Wish, preview: Preview) -> None:
        """What would become of them, order by order, as soon as it is known."""
        say = self._page.say
        with place:
            ui.label(say(_LOOKING)).classes("of-muted")

        async def look() -> None:
            while not place.is_deleted and not self._page.client.is_deleted:
                try:
                    found = await self._page.ask(
                        lambda desk, actor: desk.bulk.preview(actor, preview.filter, wish), used=False
                    )
                    _show(place, self._foreseen(found))
                    return
                except Trouble as error:
                    _show(place, [say(error.text)])
                    if not error.away:
                        return
                await asyncio.sleep(_AGAIN_SECONDS)

        background_tasks.create(look(), name="foresee")

    def _foreseen(self, found: Preview) -> list[str]:
        say, refused = self._page.say, sum(found.refused.values())
        of = "" if found.looked_at == found.count else say(Text(" (of those that wait longest)", "（等待最久的部分）"))
        lines = [
            say(
                Text(
                    f"Of {found.looked_at:,}{of}: {found.can:,} can be done, {refused:,} would be refused.",
                    f"{found.looked_at:,} 单{of}中，可执行 {found.can:,} 单，将被拒绝 {refused:,} 单。",
                )
            )
        ]
        return lines + [f"{count:,} × {say(refusal(code))}" for code, count in found.refused.items()]

    async def again(self, job: Job, name: Text) -> None:
        """The same for those that a job was refused for."""
        what = job.what
        wish = Wish(
            kind=DecisionKind(job.kind),
            warehouse_id=what.get("warehouse_id"),
            codes=tuple(what.get("codes") or ()),
            sku=what.get("sku") or "",
            to_sku=what.get("to_sku") or "",
        )
        act = ACTS.get(wish.kind, CORRECT)._replace(name=name)
        await self.decide_many(act, wish, ReviewFilter(refused_in=UUID(str(job.job_id))))


def _show(place: ui.element, lines: Sequence[str]) -> None:
    if not place.is_deleted:
        place.clear()
        with place:
            for line in lines:
                ui.label(line)


def _request(wish: Wish, preview: Preview, why: str) -> BulkRequest:
    return BulkRequest(
        kind=wish.kind,
        filter=preview.filter,
        count=preview.count,
        version=preview.version,
        why=why,
        confirmed_count=preview.count,
        warehouse_id=wish.warehouse_id,
        codes=wish.codes,
        sku=wish.sku,
        to_sku=wish.to_sku,
    )


def _needs(deed: Deed) -> Text:
    least = ROLES[RULES[deed].least]
    return Text(f"needs the role {least.en}", f"需要“{least.zh}”角色")

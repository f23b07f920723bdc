"""Deciding about orders: what is asked before, and what is said after. The desk checks and does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import uuid4

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.choosing import Chosen
from ops.console.pages.fields import button
from ops.console.pages.jobs import JobTray
from ops.console.pages.page import Page
from schemas.decision import DecisionKind
from schemas.text import Text
from workers.admin.desk.access import ROLES, RULES, Deed
from workers.admin.desk.bulk import BulkRequest, Preview
from workers.admin.desk.deciding import DEEDS
from workers.admin.desk.filters import ReviewFilter
from workers.admin.desk.orders import OrderPage


class Act(NamedTuple):
    """A decision as a button: what it is called, what it does, and what undoes it."""

    name: Text
    does: Text
    reverse: Text
    icon: str
    reasons: tuple[Text, ...]  # that are often given


ACTS: Final[Mapping[DecisionKind, Act]] = MappingProxyType(
    {
        DecisionKind.RELEASE: Act(
            Text("Release", "放行"),
            Text("It takes stock at once, and its warehouse is told to ship.", "立即占用库存，并通知仓库发货。"),
            Text("Undo: hold, as long as the warehouse has not begun.", "可撤回：仓库开始拣货前可“暂停”。"),
            "check",
            (Text("checked", "已核对"), Text("buyer agreed", "买家已确认"), Text("gift not needed", "无需赠品")),
        ),
        DecisionKind.REDECIDE: Act(
            Text("Decide anew", "重新决策"),
            Text("Decided anew by today's rules and catalogue.", "按当前规则和商品目录重新决策。"),
            Text("It may come back to review; nothing to undo.", "可能再次进入审核；无需撤回。"),
            "refresh",
            (Text("rules changed", "规则已更新"), Text("catalogue changed", "目录已更新")),
        ),
        DecisionKind.HOLD: Act(
            Text("Hold", "暂停"),
            Text("It does not ship until it is released.", "放行之前不会发货。"),
            Text("Undo: release.", "可撤回：“放行”。"),
            "pause",
            (Text("asking the buyer", "正在联系买家"), Text("waiting for goods", "等待到货")),
        ),
        DecisionKind.CANCEL: Act(
            Text("Cancel order", "取消发货"),
            Text("It does not ship at all, and its stock is given back.", "不再发货，并归还占用的库存。"),
            Text("Undo: release, as long as the buyer's order stands.", "可撤回：订单有效时可“放行”。"),
            "block",
            (Text("buyer asked for it", "买家要求取消"), Text("out of stock for good", "长期缺货")),
        ),
    }
)
_WHY: Final = Text("Reason (kept with your name)", "原因（与您的姓名一并保存）")
_WAREHOUSE: Final = Text("Warehouse", "发货仓")
_AS_SUGGESTED: Final = Text("as suggested", "按建议")
_BACK: Final = Text("Back", "返回")
_UNDO: Final = Text("Undo (hold)", "撤回（暂停）")
_LEADS: Final = Text("Only a lead decides about many at once", "批量操作需要主管角色")
_PENDING: Final = Text("written down; it is applied as soon as a worker answers", "已记录；工作进程应答后立即生效")
_UNDONE: Final = Text("undone by hand", "人工撤回")


class Decider:
    """The dialogs of one page. `after`: called when something was decided."""

    def __init__(self, page: Page, after: Callable[[], Awaitable[None]]) -> None:
        self._page, self._after = page, after
        self._dialog = ui.dialog()
        self.tray = JobTray(page, after)

    def buttons(self, chosen: Chosen) -> None:
        """For many that are chosen."""
        for kind, act in ACTS.items():
            made = button(
                f"{self._page.say(act.name)} ({len(chosen):,})",
                lambda kind=kind: self.decide(kind, chosen),
                kind="unelevated" if kind is DecisionKind.RELEASE else "outline",
                icon=act.icon,
            )
            self._allow(made, DEEDS[kind] if len(chosen) == 1 else Deed.BULK_START)

    def buttons_for(self, order: OrderPage) -> None:
        """For one that is open."""
        revision = order.review.revision if order.review is not None else order.order.revision or ""
        one = Chosen({order.order.uid: revision})
        candidates = order.review.suggested if order.review is not None else []
        for kind, act in ACTS.items():
            made = button(
                self._page.say(act.name),
                lambda kind=kind: self.decide(kind, one, candidates),
                kind="unelevated" if kind is DecisionKind.RELEASE else "outline",
                icon=act.icon,
            )
            self._allow(made, DEEDS[kind])

    def _allow(self, made: ui.button, deed: Deed) -> None:
        if not self._page.may(deed):
            made.disable()
            made.tooltip(self._page.say(_LEADS if deed is Deed.BULK_START else _needs(deed)))

    async def decide(self, kind: DecisionKind, chosen: Chosen, candidates: list[str] | None = None) -> None:
        """Ask for the reason, and do it."""
        asked = await self._ask(kind, len(chosen), candidates or [])
        if asked is None:
            return
        why, warehouse = asked
        if len(chosen) == 1:
            [(uid, revision)] = chosen.items()
            await self._one(kind, uid, revision, why, warehouse)
        else:
            await self._many(kind, chosen, why)

    async def _ask(self, kind: DecisionKind, count: int, candidates: list[str]) -> tuple[str, str | None] | None:
        act, say = ACTS[kind], self._page.say
        self._dialog.clear()
        with self._dialog, ui.card().classes("of-card"):
            ui.label(say(Text(f"{act.name.en}: {count:,} orders", f"{act.name.zh}：{count:,} 单"))).classes("of-h2")
            ui.label(say(act.does))
            ui.label(say(act.reverse)).classes("of-muted")
            where = None
            if kind is DecisionKind.RELEASE and candidates:
                options = {"": say(_AS_SUGGESTED), **{name: name for name in candidates}}
                where = ui.select(options, label=say(_WAREHOUSE), value="").props("dense outlined options-dense")
            why = ui.input(say(_WHY)).props("dense outlined autofocus maxlength=500").classes("of-wide")
            with ui.row().classes("of-often"):
                for reason in act.reasons:
                    button(say(reason), partial(why.set_value, say(reason))).classes("of-quiet")
            with ui.row().classes("of-end"):
                button(say(_BACK), lambda: self._dialog.submit(None))
                go = button(f"{say(act.name)} ({count:,})", lambda: self._dialog.submit(True), kind="unelevated")
                go.bind_enabled_from(why, "value", lambda text: bool((text or "").strip()))
            why.on("keydown.enter", lambda: self._dialog.submit(True) if (why.value or "").strip() else None)
        if not await self._dialog:
            return None
        return why.value.strip(), (where.value or None) if where is not None else None

    async def _one(self, kind: DecisionKind, uid: str, revision: str, why: str, warehouse: str | None) -> None:
        act, say, decision = ACTS[kind], self._page.say, str(uuid4())
        try:
            verdict = await self._page.ask(
                lambda desk, actor: desk.deciding.decide(
                    actor, kind, uid, why=why, seen=revision, warehouse_id=warehouse, decision_id=decision
                )
            )
        except Trouble as error:
            self.tray.refused(act.name, uid, error)
            await self._after()
            return
        told = say(act.name) + ("" if verdict.done else f" · {say(_PENDING)}")
        self.tray.done(told, uid, self._undo(uid) if kind is DecisionKind.RELEASE else None)
        await self._after()

    def _undo(self, uid: str) -> tuple[str, Callable[[], Awaitable[None]]]:
        async def undo() -> None:
            await self._one(DecisionKind.HOLD, uid, "", self._page.say(_UNDONE), None)

        return self._page.say(_UNDO), undo

    async def _many(self, kind: DecisionKind, chosen: Chosen, why: str) -> None:
        try:
            job = await self._page.ask(
                lambda desk, actor: desk.bulk.start(
                    actor, _request(kind, desk.bulk.preview(actor, ReviewFilter(uids=tuple(chosen))), len(chosen), why)
                )
            )
        except Trouble as error:
            self.tray.refused(ACTS[kind].name, "", error)
            return
        self.tray.follow(job, ACTS[kind].name)
        await self._after()


def _request(kind: DecisionKind, preview: Preview, count: int, why: str) -> BulkRequest:
    return BulkRequest(
        kind=kind, filter=preview.filter, count=count, version=preview.version, why=why, confirmed_count=count
    )


def _needs(deed: Deed) -> Text:
    least = ROLES[RULES[deed].least]
    return Text(f"needs the role {least.en}", f"需要“{least.zh}”角色")

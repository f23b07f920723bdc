"""A stock sheet from somebody's disk: dragged in, compared, its differences looked at, then applied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from nicegui import events, ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button
from ops.console.pages.listing import NUMBER, Column, listing
from ops.console.pages.page import Page
from ops.console.pages.tray import ResultTray
from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.counting import MOST_BYTES, Counts
from workers.inventory.stocktake.differences import Change

_SHOWN: Final = 500
_IMPORT: Final = Text("Import a stock sheet", "导入盘点表")
_DROP: Final = Text("Drag a .xlsx or .csv file here, or choose one", "将 .xlsx 或 .csv 文件拖到此处，或点击选择")
_LOOK: Final = Text(
    "Nothing is written before you have seen what changes. SKUs that are not in the file stay as they are.",
    "先显示差异，确认后才写入。文件中没有的 SKU 保持不变。",
)
_WRONG: Final = Text("Nothing can be imported: correct these rows first", "无法导入：请先改正以下各行")
_SAME: Final = Text("Nothing would change", "没有任何变化")
_WHY: Final = Text("Reason (kept with your name)", "原因（与您的姓名一并保存）")
_COUNTED: Final = Text("stock taking", "盘点")
_APPLY: Final = Text("Apply", "写入")
_BACK: Final = Text("Back", "返回")
_REVERSE: Final = Text(
    "Undo: import the counts of before. Reservations stay as they are.", "可撤回：导入原来的数量。已有占用不变。"
)
_TOO_LARGE: Final = Text(f"the file is larger than {MOST_BYTES >> 20} MiB", f"文件超过 {MOST_BYTES >> 20} MiB")
_COLUMNS: Final = (
    Column("row", Text("Row", "行"), "right"),
    Column("warehouse", Text("Warehouse", "仓库")),
    Column("sku", Text("SKU", "SKU"), cell=NUMBER),
    Column("on_hand", Text("On hand", "在库"), "right"),
    Column("difference", Text("Difference", "差异"), "right"),
    Column("safety", Text("Safety", "安全库存"), "right"),
    Column(
        "available",
        Text("Sellable", "可售"),
        "right",
        """<q-td :props="props"><span :class="props.row.short ? 'of-late' : ''">{{ props.value }}</span></q-td>""",
    ),
)


def change_row(change: Change) -> dict[str, Any]:
    """What a row of the file changes, as a row of the table."""
    difference = change.on_hand_after - change.on_hand
    return {
        "row": change.row,
        "warehouse": change.warehouse_id,
        "sku": change.sku,
        "on_hand": _arrow(change.on_hand, change.on_hand_after),
        "difference": f"{difference:+,}" if difference else "",
        "safety": _arrow(change.safety, change.safety_after),
        "available": _arrow(change.available_to_promise, change.available_to_promise_after),
        "short": change.available_to_promise_after < 0,
    }


def _arrow(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} → {after:,}"


class StockFile:
    """The dialog. `after`: called when counts were written."""

    def __init__(self, page: Page, tray: ResultTray, after: Callable[[], Awaitable[None]]) -> None:
        self._page, self._tray, self._after = page, tray, after
        self._dialog = ui.dialog()

    def button(self) -> None:
        """What opens it."""
        made = button(self._page.say(_IMPORT), self._ask, kind="unelevated", icon="upload_file")
        made.set_enabled(self._page.may(Deed.STOCK_COUNT))

    def _ask(self) -> None:
        say = self._page.say
        self._dialog.clear()
        with self._dialog, ui.card().classes("of-card of-card-wide"):
            ui.label(say(_IMPORT)).classes("of-h2")
            ui.label(say(_LOOK)).classes("of-muted")
            drop = ui.upload(
                label=say(_DROP),
                auto_upload=True,
                max_files=1,
                max_file_size=MOST_BYTES,
                on_upload=self._came,
                on_rejected=lambda: ui.notify(say(_TOO_LARGE), type="negative", position="top"),
            )
            drop.props('accept=".xlsx,.csv" flat bordered color=primary').classes("of-wide")
            self._shown = ui.element("section").classes("of-file").props("aria-live=polite")
            with ui.row().classes("of-end"):
                button(say(_BACK), self._dialog.close)
        self._dialog.open()

    async def _came(self, event: events.UploadEventArguments) -> None:
        body, name = await event.file.read(), event.file.name
        self._shown.clear()
        try:
            found = await self._page.ask(lambda desk, actor: desk.counting.preview(actor, body, name))
        except Trouble as error:
            with self._shown:
                ui.label(self._page.say(error.text)).classes("of-wrong").props("role=alert")
            return
        with self._shown:
            if found.problems:
                self._problems(found)
            else:
                self._changes(found, body, name)

    def _problems(self, found: Counts) -> None:
        ui.label(self._page.say(_WRONG)).classes("of-wrong of-strong").props("role=alert")
        with ui.element("ul").classes("of-problems"):
            for problem in found.problems[:_SHOWN]:
                with ui.element("li"):
                    ui.label(self._page.say(problem.tell()))

    def _changes(self, found: Counts, body: bytes, name: str) -> None:
        say = self._page.say
        differing = [change for change in found.changes if change.differs]
        ui.label(say(_told(found, differing))).classes("of-strong")
        for warehouse, count in found.untouched.items():
            if count:
                ui.label(say(_untouched(warehouse, count))).classes("of-muted of-small")
        if found.ignored:
            ignored = ", ".join(found.ignored)
            ui.label(say(Text(f"columns that are not read: {ignored}", f"未读取的列：{ignored}"))).classes(
                "of-muted of-small"
            )
        if not differing:
            ui.label(say(_SAME)).classes("of-muted")
            return
        with ui.element("div").classes("of-file-table"):
            differing.sort(key=lambda change: (change.available_to_promise_after >= 0, change.row))
            listing(self._page.visit, _COLUMNS, [change_row(each) for each in differing[:_SHOWN]], key="row")
        ui.label(say(_REVERSE)).classes("of-muted of-small")
        with ui.row().classes("of-tools"):
            why = ui.input(say(_WHY), value=say(_COUNTED)).props("dense outlined maxlength=500").classes("of-grow")
            go = button(
                f"{say(_APPLY)} ({len(differing):,})", lambda: self._apply(body, name, why.value), kind="unelevated"
            )
            go.bind_enabled_from(why, "value", lambda text: bool((text or "").strip()))

    async def _apply(self, body: bytes, name: str, why: str) -> None:
        say = self._page.say
        try:
            done = await self._page.ask(lambda desk, actor: desk.counting.write(actor, body, name, why))
        except Trouble as error:
            self._tray.refused(_IMPORT, name, error)
            return
        self._dialog.close()
        written = sum(change.differs for change in done.changes)
        short = [change for change in done.changes if change.available_to_promise_after < 0]
        told = say(Text(f"{name}: {written:,} changed", f"{name}：{written:,} 条有变化"))
        causes = [say(_short(change)) for change in short[:10]]
        self._tray.lasting(say(_IMPORT), told, causes)
        await self._after()


def _told(found: Counts, differing: list[Change]) -> Text:
    rows, short = len(found.changes), sum(change.available_to_promise_after < 0 for change in differing)
    few = Text(f", {short:,} below zero", f"，{short:,} 条可售为负") if short else Text("", "")
    return Text(
        f"{rows:,} counts read, {len(differing):,} change something{few.en}",
        f"读取 {rows:,} 条，{len(differing):,} 条有变化{few.zh}",
    )


def _untouched(warehouse: str, count: int) -> Text:
    return Text(
        f"{warehouse}: {count:,} SKUs are not in the file and stay",
        f"{warehouse}：{count:,} 个 SKU 不在文件中，保持不变",
    )


def _short(change: Change) -> Text:
    place, units = f"{change.warehouse_id}/{change.sku}", change.available_to_promise_after
    return Text(
        f"{place}: sellable is {units:,}: less is there than is taken and kept back",
        f"{place}：可售为 {units:,}，在库少于占用与安全库存之和",
    )

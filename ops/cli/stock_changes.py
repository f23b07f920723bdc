"""What an import of counts changes, told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ops.cli.output import a_table, add_row, console, note, print_json, print_table, say
from schemas.text import Text

if TYPE_CHECKING:
    from workers.inventory.stocktake.counts import Counted, CountFile
    from workers.inventory.stocktake.differences import Change


def tell_changes(changes: Sequence[Change], *, dry_run: bool, as_json: bool) -> None:
    """The answer of the command: a table of what changes, or JSON with every row."""
    if as_json:
        rows = [asdict(change) for change in changes]
        print_json({"ok": True, "written": not dry_run, "changes": rows})
        return
    title = (
        Text("What an import would change, in units", "导入后会有的变化（件）")
        if dry_run
        else Text("Imported, in units", "已导入（件）")
    )
    _print_changes(title, [change for change in changes if change.differs])
    same = sum(not change.differs for change in changes)
    console().print(
        say(
            f"{len(changes)} counts, {len(changes) - same} of them change something"
            + ("; nothing was written" if dry_run else ""),
            f"共 {len(changes)} 条，其中 {len(changes) - same} 条有变化" + ("；未写入" if dry_run else ""),
        )
    )


def _print_changes(title: Text, changes: Sequence[Change]) -> None:
    if not changes:
        return
    table = a_table(
        title,
        [
            (Text("warehouse", "仓库"), False),
            (Text("SKU", "SKU"), False),
            (Text("on hand", "在库"), True),
            (Text("safety", "安全库存"), True),
            (Text("available", "可售"), True),
        ],
    )
    for change in changes:
        add_row(
            table,
            change.warehouse_id,
            change.sku,
            _arrow(change.on_hand, change.on_hand_after),
            _arrow(change.safety, change.safety_after),
            _arrow(change.available_to_promise, change.available_to_promise_after),
            style="red" if change.available_to_promise_after < 0 else None,
        )
    print_table(table)


def _arrow(before: int, after: int) -> str:
    return str(before) if before == after else f"{before} -> {after}"


def tell_left_out(found: CountFile, untouched: Mapping[str, int]) -> None:
    """What was left out of the file, and what the file leaves out."""
    if found.examples:
        note(Text(f"{found.examples} example rows were left out", f"已跳过 {found.examples} 行示例"))
    if found.ignored:
        names = ", ".join(found.ignored)
        note(Text(f"columns that were not read: {names}", f"未读取的列：{names}"))
    for warehouse_id, number in untouched.items():
        if number:
            note(
                Text(
                    f"{number} more SKUs in {warehouse_id} are not in the file and stay as they are",
                    f"仓库 {warehouse_id} 另有 {number} 个商品不在文件中，保持不变",
                )
            )


def tell_moved(rows: Sequence[Counted], changes: Sequence[Change], *, dry_run: bool) -> None:
    """Say where a count as of an earlier time is not what stands there now."""
    from workers.inventory.stocktake.differences import has_moved

    if dry_run and any(row.counted_at for row in rows):
        note(
            Text(
                "rows with a time of count: what left or came in after that time is applied when they are imported",
                "带盘点时间的行：导入时会计入该时间之后的出入库",
            )
        )
    moved = [] if dry_run else [row for row, change in zip(rows, changes, strict=True) if has_moved(row, change)]
    for row in moved:
        note(
            Text(
                f"row {row.row}, {row.sku} in {row.warehouse_id}: on hand is not the {row.count.on_hand} counted: "
                "stock moved after that time, or a later count is in force",
                f"第 {row.row} 行，仓库 {row.warehouse_id} 的 {row.sku}：在库数不等于盘点数 {row.count.on_hand}："
                "盘点后有出入库，或已有更晚的盘点",
            )
        )

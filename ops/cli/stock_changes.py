"""What an import of counts changes: compared with the ledger, written to it, and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ops.cli.output import a_table, add_row, console, note, print_json, print_table, say
from schemas.text import Text

if TYPE_CHECKING:
    from ops.cli.counts import Counted, CountFile
    from workers.inventory.ledger import Ledger
    from workers.inventory.records import Count, StockLevel


@dataclass(frozen=True, slots=True)
class Change:
    """What an import makes of one SKU in one warehouse, in units."""

    row: int
    warehouse_id: str
    sku: str
    counted_at: datetime | None
    on_hand: int
    on_hand_after: int
    safety: int
    safety_after: int
    available_to_promise: int
    available_to_promise_after: int


async def write_snapshot(ledger: Ledger, rows: Sequence[Counted]) -> dict[tuple[str, str], StockLevel]:
    """Write the counts, here and nowhere else. How each warehouse and SKU stands then.

    What left or came in after a row was counted is applied to it.
    """
    moments: dict[tuple[str, datetime | None], dict[str, Count]] = {}
    for row in rows:
        moments.setdefault((row.warehouse_id, row.counted_at), {})[row.sku] = row.count
    for (warehouse_id, counted_at), counts in moments.items():
        await ledger.set_stock(warehouse_id, counts, None if counted_at is None else int(counted_at.timestamp() * 1000))
    return {
        (warehouse_id, level.sku): level
        for warehouse_id, of_warehouse in _by_warehouse(rows).items()
        for level in await ledger.stock(warehouse_id, [row.sku for row in of_warehouse])
    }


async def compare(ledger: Ledger, rows: Sequence[Counted]) -> tuple[list[Change], dict[str, int]]:
    """What the rows would change; and how many SKUs of each warehouse they do not speak of."""
    changes: list[Change] = []
    untouched: dict[str, int] = {}
    for warehouse_id, of_warehouse in _by_warehouse(rows).items():
        levels = {level.sku: level for level in await ledger.stock(warehouse_id)}
        named = [row.sku for row in of_warehouse]
        untouched[warehouse_id] = len(set(levels) - set(named))
        levels |= {level.sku: level for level in await ledger.stock(warehouse_id, set(named) - set(levels))}
        changes += [_change(row, levels[row.sku]) for row in of_warehouse]
    return changes, untouched


def _by_warehouse(rows: Sequence[Counted]) -> dict[str, list[Counted]]:
    found: dict[str, list[Counted]] = {}
    for row in rows:
        found.setdefault(row.warehouse_id, []).append(row)
    return found


def _change(row: Counted, level: StockLevel) -> Change:
    on_hand = level.on_hand if row.count.on_hand is None else row.count.on_hand
    safety = level.safety if row.count.safety is None else row.count.safety
    return Change(
        row=row.row,
        warehouse_id=row.warehouse_id,
        sku=row.sku,
        counted_at=row.counted_at,
        on_hand=level.on_hand,
        on_hand_after=on_hand,
        safety=level.safety,
        safety_after=safety,
        available_to_promise=level.available_to_promise,
        available_to_promise_after=level.available_to_promise + (on_hand - level.on_hand) - (safety - level.safety),
    )


def as_it_came(change: Change, after: Mapping[tuple[str, str], StockLevel]) -> Change:
    """Orders go on while a file is imported: the ledger's own figures count."""
    level = after[change.warehouse_id, change.sku]
    return replace(
        change,
        on_hand_after=level.on_hand,
        safety_after=level.safety,
        available_to_promise_after=level.available_to_promise,
    )


# -- telling -------------------------------------------------------------------------------------------------------


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
    _print_changes(title, [change for change in changes if _differs(change)])
    same = sum(not _differs(change) for change in changes)
    console().print(
        say(
            f"{len(changes)} counts, {len(changes) - same} of them change something"
            + ("; nothing was written" if dry_run else ""),
            f"共 {len(changes)} 条，其中 {len(changes) - same} 条有变化" + ("；未写入" if dry_run else ""),
        )
    )


def _differs(change: Change) -> bool:
    return (change.on_hand, change.safety) != (change.on_hand_after, change.safety_after)


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
    if dry_run and any(row.counted_at for row in rows):
        note(
            Text(
                "rows with a time of count: what left or came in after that time is applied when they are imported",
                "带盘点时间的行：导入时会计入该时间之后的出入库",
            )
        )
    moved = [] if dry_run else [row for row, change in zip(rows, changes, strict=True) if _moved(row, change)]
    for row in moved:
        note(
            Text(
                f"row {row.row}, {row.sku} in {row.warehouse_id}: on hand is not the {row.count.on_hand} counted: "
                "stock moved after that time, or a later count is in force",
                f"第 {row.row} 行，仓库 {row.warehouse_id} 的 {row.sku}：在库数不等于盘点数 {row.count.on_hand}："
                "盘点后有出入库，或已有更晚的盘点",
            )
        )


def _moved(row: Counted, change: Change) -> bool:
    return row.counted_at is not None and row.count.on_hand != change.on_hand_after

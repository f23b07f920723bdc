"""`orderfleet stock`: what is there, what may still be sold, and the proof that the counters are right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli import stock_audit, stock_epoch, stock_rebuild, transfers
from ops.cli.inputs import a_slug
from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    console,
    epilog,
    fail,
    note,
    print_json,
    print_table,
    say,
    settings,
)
from schemas.text import Text

if TYPE_CHECKING:
    from workers.inventory.records import Count, StockLevel

ALL_EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say(
        "Stock in Redis: show it, set what was counted, audit the counters.", "Redis 中的库存：查看、设置盘点数、核对。"
    ),
    no_args_is_help=True,
)

app.add_typer(transfers.app, name="transfer")

AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]


# -- show ----------------------------------------------------------------------------------------------------------


@app.command(
    help=say(
        "Show the counters of every SKU. available = on hand - held - committed - allocated - transfer - safety: "
        "what may still be sold. Exits 1 when there is nothing of what was asked for.",
        "显示每个 SKU 的各项数量。可售 = 在库 - 预占 - 已占 - 已分配 - 调拨 - 安全库存。所查内容不存在时退出码为 1。",
    ),
    epilog=epilog(
        [
            ("orderfleet stock show", Text("all warehouses", "所有仓库")),
            ("orderfleet stock show --warehouse hangzhou --sku COFFEE-1KG", Text("one SKU", "一个 SKU")),
            (
                "orderfleet stock show --json | jq -c 'select(.available_to_promise < 10)'",
                Text("one JSON object a line: what runs out", "每行一个 JSON：即将售罄的"),
            ),
        ],
        ALL_EXITS,
    ),
)
def show(
    warehouse: Annotated[
        str | None, typer.Option("--warehouse", "-w", metavar="ID", help=say("Only this one.", "只看该仓。"))
    ] = None,
    sku: Annotated[
        str | None, typer.Option("--sku", "-s", metavar="SKU", help=say("Only this one.", "只看该 SKU。"))
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Counters as they are now."""
    from ops.cli.servers import ask_ledger
    from workers.admin.stock import stock_levels

    if warehouse is not None:
        a_slug(warehouse, "--warehouse")
    levels = ask_ledger(settings(), lambda ledger: stock_levels(ledger, warehouse, sku))
    if not levels:
        fail(_nothing_found(warehouse, sku))
    if as_json:
        for level in levels:
            print_json(_as_json(level))
    else:
        _print_levels(levels)


def _as_json(level: StockLevel) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(level), "available_to_promise": level.available_to_promise}


def _nothing_found(warehouse: str | None, sku: str | None) -> Text:
    where = Text(warehouse or "any warehouse", warehouse or "所有仓库")
    if sku is None:
        return Text(
            f"nothing was ever counted in {where.en}; check the name, or set a count: orderfleet stock set --help",
            f"{where.zh}没有盘点记录；请检查名称，或设置盘点数：orderfleet stock set --help",
        )
    return Text(
        f"there is no {sku} in {where.en}: never counted, or all its counters are 0; check the SKU's spelling",
        f"{where.zh}没有 {sku}：从未盘点，或各项均为 0；请检查 SKU 拼写",
    )


def _print_levels(levels: list[StockLevel]) -> None:
    table = a_table(
        Text("Stock, in units", "库存（件）"),
        [
            (Text("warehouse", "仓库"), False),
            (Text("SKU", "SKU"), False),
            (Text("on hand", "在库"), True),
            (Text("held", "预占"), True),
            (Text("committed", "已占"), True),
            (Text("allocated", "已分配"), True),
            (Text("transfer", "调拨"), True),
            (Text("safety", "安全库存"), True),
            (Text("available", "可售"), True),
        ],
    )
    for level in levels:
        available = level.available_to_promise
        counters = (level.on_hand, level.held, level.committed, level.allocated, level.transfer, level.safety)
        style = "red" if available < 0 else "yellow" if available == 0 else None
        add_row(table, level.warehouse_id, level.sku, *map(str, counters), str(available), style=style)
    print_table(table)


# -- set -----------------------------------------------------------------------------------------------------------


@app.command(
    "set",
    help=say(
        "Set what was counted: units on hand and, if given, units kept back as safety stock. Reservations stay. "
        "One SKU by options, or many from a YAML or CSV file with the columns warehouse, sku, on_hand, safety. "
        "Exits 1 when more is promised of a SKU than was counted.",
        "设置盘点结果：在库数量，以及（可选）安全库存。已有占用不变。"
        "可用选项设置一个 SKU，或用 YAML/CSV 文件批量设置，列为 warehouse, sku, on_hand, safety。"
        "若某 SKU 的承诺数量超过盘点数量，退出码为 1。",
    ),
    epilog=epilog(
        [
            (
                "orderfleet stock set --warehouse hangzhou --sku COFFEE-1KG --on-hand 500 --safety 20",
                Text("one SKU", "一个 SKU"),
            ),
            (
                "orderfleet stock set --file counts.csv",
                Text("many; every row is checked before any is set", "批量设置；先检查所有行再写入"),
            ),
        ],
        ALL_EXITS,
    ),
)
def set_(
    warehouse: Annotated[
        str | None, typer.Option("--warehouse", "-w", metavar="ID", help=say("The warehouse.", "仓库。"))
    ] = None,
    sku: Annotated[str | None, typer.Option("--sku", "-s", metavar="SKU", help=say("The SKU.", "SKU 编码。"))] = None,
    on_hand: Annotated[
        int | None, typer.Option("--on-hand", min=0, help=say("Units counted.", "盘点到的件数。"))
    ] = None,
    safety: Annotated[
        int | None, typer.Option("--safety", min=0, help=say("Units never sold.", "不对外销售的件数。"))
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", "-f", metavar="FILE", help=say("YAML or CSV; - is stdin.", "YAML 或 CSV；- 为标准输入。")
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check everything first, then write."""
    from ops.cli.servers import ask_ledger
    from workers.admin.stock import set_counts

    counts = _counts(warehouse, sku, on_hand, safety, file)
    rows = ask_ledger(settings(), lambda ledger: set_counts(ledger, counts), writes=True)
    if as_json:
        for warehouse_id, name, available in rows:
            print_json({"warehouse_id": warehouse_id, "sku": name, "available_to_promise": available})
    else:
        console().print(say(f"set {len(rows)} counts", f"已设置 {len(rows)} 条"))
    short = [row for row in rows if row[2] < 0]
    if short:
        tell_short(short)
        raise typer.Exit(ExitCode.BAD)


def _counts(
    warehouse: str | None, sku: str | None, on_hand: int | None, safety: int | None, file: str | None
) -> dict[str, dict[str, Count]]:
    """What to set, by warehouse and SKU."""
    from workers.inventory.records import Count

    if file is not None:
        if (warehouse, sku, on_hand, safety) != (None,) * 4:
            fail(Text("give --file alone, or one SKU by options", "--file 不能与其他选项同时使用"), ExitCode.USAGE)
        from ops.cli.count_files import read_counts

        return read_counts(file)
    if warehouse is None or not sku or (on_hand is None and safety is None):
        fail(
            Text(
                "say what was counted: --warehouse, --sku and --on-hand (or --safety), or --file",
                "请说明盘点内容：--warehouse、--sku 和 --on-hand（或 --safety），或使用 --file",
            ),
            ExitCode.USAGE,
        )
    return {a_slug(warehouse, "--warehouse"): {sku: Count(on_hand=on_hand, safety=safety)}}


def tell_short(short: Iterable[tuple[str, str, int]]) -> None:
    """Name what is promised but not there: warehouse, SKU, available to promise, which is below zero."""
    for warehouse_id, sku, available in short:
        note(
            Text(
                f"{sku} in {warehouse_id}: {-available} more promised than counted, safety stock included; "
                "count again, or bring stock in",
                f"仓库 {warehouse_id} 的 {sku}：承诺（含安全库存）比盘点多 {-available} 件；请复盘或补货",
            )
        )


# -- audit and rebuild ---------------------------------------------------------------------------------------------

app.command("audit", help=stock_audit.HELP, epilog=stock_audit.EPILOG)(stock_audit.audit)
app.command("rebuild", help=stock_rebuild.HELP, epilog=stock_rebuild.EPILOG)(stock_rebuild.rebuild)
app.command("epoch", help=stock_epoch.HELP, epilog=stock_epoch.EPILOG)(stock_epoch.epoch)

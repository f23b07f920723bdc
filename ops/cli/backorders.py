"""`orderfleet backorders`: which orders wait for stock, and for what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.inputs import a_slug
from ops.cli.output import ExitCode, a_table, add_row, epilog, note, print_json, print_table, say, settings
from schemas.text import Text

if TYPE_CHECKING:
    from workers.inventory.waiting import Waiting

EXITS: Final = (ExitCode.OK, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say("Orders that wait for stock.", "待货订单。"),
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """Keeps `list` a subcommand while it is the only one."""


@app.command(
    "list",
    help=say(
        "List the orders that wait for stock, the oldest first: how long, for what, from where. They go "
        "on by themselves when one of these warehouses has all of it. An order without a warehouse has waited longer "
        "than its message is kept: have its shop polled again.",
        "列出待货订单，最早的在前：等了多久、缺什么、可从哪些仓发。其中一个仓库货齐后会自动继续。"
        "没有仓库的订单，等待时间已超过消息保留期：请重新拉取该店铺。",
    ),
    epilog=epilog(
        [
            ("orderfleet backorders list", Text("the oldest 50", "最早的 50 单")),
            (
                "orderfleet backorders list --sku NUT-BOX-500 --limit 0",
                Text("all that need one SKU", "缺某 SKU 的全部"),
            ),
            (
                "orderfleet backorders list --limit 0 --json | jq -r .order_uid",
                Text("one JSON object a line", "每行一个 JSON"),
            ),
        ],
        EXITS,
    ),
)
def list_(
    sku: Annotated[
        str | None, typer.Option("--sku", "-s", metavar="SKU", help=say("Only orders that need it.", "只看缺它的。"))
    ] = None,
    warehouse: Annotated[
        str | None,
        typer.Option("--warehouse", "-w", metavar="ID", help=say("Only orders it may ship.", "只看可从该仓发的。")),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help=say("At most so many; 0: all.", "条数上限；0 为全部。"))
    ] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """Who waits for what."""
    from ops.cli.servers import ask_ledger
    from workers.admin.backorders import waiting_orders

    if warehouse is not None:
        a_slug(warehouse, "--warehouse")
    entries, waiting = ask_ledger(
        settings(), lambda ledger: waiting_orders(ledger, sku=sku, warehouse_id=warehouse, limit=limit)
    )
    if as_json:
        for entry in entries:
            print_json(_as_json(entry))
        return
    _print(entries, datetime.now(UTC))
    note(Text(f"{waiting} orders wait in all", f"共有 {waiting} 单待货"))


def _as_json(entry: Waiting) -> dict[str, Any]:
    return {
        "order_uid": entry.order_uid,
        "revision": entry.revision,
        "placed_at": _placed(entry),
        "needs": entry.needs,
        "warehouses": entry.warehouses,
        "gave_up": entry.gave_up,
        "source": entry.source,
    }


def _placed(entry: Waiting) -> datetime:
    return datetime.fromtimestamp(entry.placed_at_ms / 1000, UTC)


def _print(entries: list[Waiting], now: datetime) -> None:
    table = a_table(
        Text("Orders that wait for stock", "待货订单"),
        [
            (Text("order", "订单"), False),
            (Text("age", "已等待"), True),
            (Text("needs", "需要"), False),
            (Text("may come from", "可发仓库"), False),
        ],
    )
    for entry in entries:
        age = str(now.replace(microsecond=0) - _placed(entry).replace(microsecond=0))
        needs = ", ".join(f"{units} x {sku}" for sku, units in entry.needs.items())
        gave_up = [say(f"{warehouse} (gave it back)", f"{warehouse}（曾退回）") for warehouse in entry.gave_up]
        places = ", ".join((*entry.warehouses, *gave_up)) or say("nowhere: poll its shop again", "无：请重新拉取店铺")
        add_row(table, entry.order_uid, age, needs, places)
    print_table(table)

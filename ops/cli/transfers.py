"""`orderfleet stock transfer`: the steps of moving units to another warehouse, and what was asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.inputs import a_moment, a_slug
from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    console,
    epilog,
    fail,
    print_json,
    print_table,
    say,
    settings,
    tell,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.plan import TransferRequest
    from workers.admin.scan import Found
    from workers.admin.transfers import Requested
    from workers.inventory.operations.transfer import Transfer, TransferOutcome
    from workers.inventory.records import Quantities

EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say(
        "Move units between warehouses: reserve and send where they are, receive where they go. Each happens once: "
        "asked for again, it does nothing. When they are received, the orders that await them go on by themselves.",
        "仓间调拨：在调出仓预留、发出，在调入仓收货。每一步只生效一次，重复执行没有影响。收货后，等待的订单自动继续。",
    ),
    no_args_is_help=True,
)

Id = Annotated[
    str,
    typer.Argument(
        metavar="TRANSFER", help=say("Its id, as in stock transfer list.", "调拨编号，见 stock transfer list。")
    ),
]
Units = Annotated[
    list[str], typer.Argument(metavar="SKU=UNITS...", help=say("What moves; one or more.", "调拨内容，可多项。"))
]
From = Annotated[str, typer.Option("--from", metavar="WAREHOUSE", help=say("The warehouse that gives.", "调出仓。"))]
To = Annotated[str, typer.Option("--to", metavar="WAREHOUSE", help=say("The warehouse that gets.", "调入仓。"))]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help=say("When it happened: a time, or 30m, 6h ago. Default: now.", "发生时间，默认现在。"),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]

_ID: Final = "taobao:main:1@000001/beijing"


def _epilog(step: str, side: str, what: Text) -> str:
    return epilog([(f"orderfleet stock transfer {step} {_ID} NUT-BOX-500=20 {side}", what)], EXITS)


@app.command(
    help=say("Set units aside where they are: nobody else is promised them.", "在调出仓预留：不再对外销售。"),
    epilog=_epilog("reserve", "--from hangzhou", Text("first", "第一步")),
)
def reserve(transfer: Id, units: Units, giver: From, at: At = None, as_json: AsJson = False) -> None:
    """In the giving warehouse."""
    _take("reserve", giver, transfer, units, at, as_json)


@app.command(
    help=say("They have left: on-hand units go down there.", "货已发出：调出仓在库减少。"),
    epilog=_epilog("send", "--from hangzhou", Text("then", "第二步")),
)
def send(transfer: Id, units: Units, giver: From, at: At = None, as_json: AsJson = False) -> None:
    """In the giving warehouse."""
    _take("send", giver, transfer, units, at, as_json)


@app.command(
    help=say(
        "They have come: on-hand units go up there, and waiting orders go on.", "货已到：调入仓在库增加，待货订单继续。"
    ),
    epilog=_epilog("receive", "--to beijing", Text("at last", "最后一步")),
)
def receive(transfer: Id, units: Units, getter: To, at: At = None, as_json: AsJson = False) -> None:
    """In the getting warehouse."""
    _take("receive", getter, transfer, units, at, as_json)


@app.command(
    help=say("Give reserved units back; what was sent cannot be cancelled.", "取消预留；已发出的不能取消。"),
    epilog=_epilog("cancel", "--from hangzhou", Text("instead of send", "代替发出")),
)
def cancel(transfer: Id, units: Units, giver: From, at: At = None, as_json: AsJson = False) -> None:
    """In the giving warehouse."""
    _take("cancel", giver, transfer, units, at, as_json)


def _take(action: str, warehouse: str, transfer_id: str, units: list[str], at: str | None, as_json: bool) -> None:
    from ops.cli.servers import ask_ledger, fail_with
    from workers.admin.errors import InvalidRequest
    from workers.admin.transfers import checked_transfer_id
    from workers.inventory.operations.transfer import Transfer, TransferAction, TransferOutcome

    a_slug(warehouse, "--to" if action == "receive" else "--from")
    at_ms = int((a_moment(at, "--at").timestamp() if at else time.time()) * 1000)
    try:
        step = Transfer(warehouse, checked_transfer_id(transfer_id), TransferAction(action), at_ms, _units(units))
    except InvalidRequest as error:
        fail_with(error)
    [(outcome, available)] = ask_ledger(settings(), lambda ledger: ledger.stock.transfer([step]), writes=True)
    if as_json:
        print_json({"transfer_id": transfer_id, "warehouse_id": warehouse, "outcome": outcome, "available": available})
    bad = outcome in (TransferOutcome.INSUFFICIENT, TransferOutcome.REFUSED)
    text = _outcome(outcome, step, available)
    if bad:
        fail(text)
    if not as_json:
        console().print(tell(text), markup=False)


def _units(words: list[str]) -> dict[str, int]:
    from workers.admin.transfers import MOST_UNITS

    units: dict[str, int] = {}
    for word in words:
        sku, _, number = word.rpartition("=")
        good = sku and number.isascii() and number.isdigit() and len(number) <= 8 and 0 < int(number) <= MOST_UNITS
        if not good:
            fail(
                Text(
                    f"{word}: write SKU=UNITS, such as NUT-BOX-500=20; units are 1 to {MOST_UNITS}",
                    f"{word}：请写 SKU=数量，例如 NUT-BOX-500=20；数量为 1 到 {MOST_UNITS}",
                ),
                ExitCode.USAGE,
            )
        units[sku] = units.get(sku, 0) + int(number)
    return units


_DONE: Final = {
    "reserve": Text("reserved", "已预留"),
    "send": Text("sent", "已发出"),
    "receive": Text("received", "已收货"),
    "cancel": Text("cancelled", "已取消"),
}


def _outcome(outcome: TransferOutcome, step: Transfer, available: Quantities) -> Text:
    from workers.inventory.operations.transfer import TransferOutcome

    what, done = f"{step.transfer_id} in {step.warehouse_id}", _DONE[step.action]
    where_zh = f"调拨 {step.transfer_id}（仓库 {step.warehouse_id}）"
    if outcome is TransferOutcome.DONE:
        return Text(f"{done.en}: {what}", f"{done.zh}：{where_zh}")
    if outcome is TransferOutcome.ALREADY:
        return Text(f"{what} was {done.en} before; nothing was changed", f"{where_zh}此前{done.zh}，本次没有修改")
    if outcome is TransferOutcome.INSUFFICIENT:
        short = ", ".join(
            f"{sku}: {available[sku]} of {wanted}" for sku, wanted in step.quantities.items() if available[sku] < wanted
        )
        return Text(
            f"{step.warehouse_id} cannot spare it ({short}); nothing was reserved. Ask for fewer, or another warehouse",
            f"仓库 {step.warehouse_id} 可售不足（{short}），没有预留；请减少数量或换仓",
        )
    return Text(
        f"{what} cannot be {done.en} now: the order is reserve, then send or cancel where the units are, and receive "
        "where they go, each once",
        f"{where_zh}现在不能执行该步骤：顺序是在调出仓预留，然后发出或取消；在调入仓收货；每步一次",
    )


# -- list ----------------------------------------------------------------------------------------------------------


@app.command(
    "list",
    help=say(
        "List the transfers that orders asked for, oldest first, from transfers.requested.",
        "列出订单申请的调拨（来自 transfers.requested），最早的在前。",
    ),
    epilog=epilog(
        [
            ("orderfleet stock transfer list", Text("all that are kept", "保留期内的全部")),
            ("orderfleet stock transfer list --since 2d --json", Text("for machines", "供程序读取")),
        ],
        EXITS,
    ),
)
def list_(
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help=say("Only since then: a time, or 6h, 2d.", "只看此后的。")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What was asked for; a repeat is told once."""
    start = a_moment(since, "--since") if since else None
    requests = _requests(start)
    if as_json:
        for found, request in requests:
            print_json(_as_json(found, request))
        return
    table = a_table(
        Text("Transfers asked for", "调拨申请"),
        [
            (Text("transfer", "调拨编号"), False),
            (Text("asked at", "申请时间"), False),
            (Text("from", "调出仓"), False),
            (Text("to", "调入仓"), False),
            (Text("units", "内容"), False),
        ],
    )
    for found, request in requests:
        units = " ".join(f"{sku}={count}" for sku, count in request.quantities.items())
        giver = request.from_warehouse or say("any", "待定")
        add_row(table, request.transfer_id, moment(found.at), giver, request.to_warehouse, units)
    print_table(table)


def _requests(start: datetime | None) -> list[Requested]:
    from ops.cli.servers import fail_kafka_away
    from workers.admin.scan import Topics
    from workers.admin.transfers import requested_transfers
    from workers.runtime.errors import TransientError

    known = settings()
    try:
        with Topics(known.cluster) as topics:
            return requested_transfers(topics, start)
    except TransientError as error:
        fail_kafka_away(known, error)


def _as_json(found: Found, request: TransferRequest) -> dict[str, Any]:
    return {
        "transfer_id": request.transfer_id,
        "asked_at": found.at,
        "order_uid": request.order_uid,
        "from_warehouse": request.from_warehouse,
        "to_warehouse": request.to_warehouse,
        "quantities": request.quantities,
    }

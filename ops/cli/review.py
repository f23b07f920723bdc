"""`orderfleet review`: what a person decides about an order, written as an event and answered."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ops.cli.deciding import correction_of, decide
from ops.cli.inputs import a_slug
from ops.cli.output import ExitCode, epilog, say
from schemas.text import Text

EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY, ExitCode.REFUSED)

app = typer.Typer(
    help=say(
        "Decide about an order that waits for a person, or stop one that is on its way. Each decision is an event with "
        "a name and a reason; it is applied once, or refused with a reason.",
        "处理等待人工的订单，或叫停正在执行的订单。每次操作都记名并写明原因；只生效一次，或说明原因后拒绝。",
    ),
    no_args_is_help=True,
)

Order = Annotated[str, typer.Argument(metavar="ORDER", help=say("Order uid.", "订单 uid。"))]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help=say("Why; it is kept for ever.", "原因；永久保存。"))]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help=say("Who decides.", "操作人，默认当前系统用户。"))]
Seen = Annotated[
    str | None,
    typer.Option(
        "--seen",
        metavar="REVISION",
        help=say(
            "The revision that you looked at; refused when the order is another by now. Default: what it is now.",
            "你查看时的订单版本；若订单已变化则拒绝。默认取当前版本。",
        ),
    ),
]
Wait = Annotated[
    float,
    typer.Option("--wait", min=0, metavar="SECONDS", help=say("Wait so long for the answer.", "等待结果的秒数。")),
]
AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]

_UID: Final = "taobao:main:2700000000000000001"


def _epilog(command: str, what: Text) -> str:
    return epilog([(f"orderfleet review {command}", what)], EXITS)


@app.command(
    help=say(
        "Let it ship: as suggested, or from a named warehouse. Ends a hold and a cancellation by hand, too. Without "
        "stock it waits for some.",
        "放行：按建议发货，或指定仓库；同时解除人工暂停与人工取消。缺货则待货。",
    ),
    epilog=_epilog(f'release {_UID} --to hangzhou --why "buyer agreed"', Text("from a named warehouse", "指定仓库")),
)
def release(
    order: Order,
    why: Why,
    to: Annotated[
        str | None, typer.Option("--to", metavar="WAREHOUSE", help=say("From this warehouse.", "指定发货仓。"))
    ] = None,
    by: By = None,
    seen: Seen = None,
    wait: Wait = 15.0,
    as_json: AsJson = False,
) -> None:
    """Settles all that asks for a person now."""
    from schemas.decision import DecisionKind

    warehouse = a_slug(to, "--to") if to else None
    decide(DecisionKind.RELEASE, order, why, by, seen, wait, as_json, warehouse_id=warehouse)


@app.command(
    help=say(
        "Decide it anew by today's rules and catalogue; what was released before asks again.",
        "按当前规则与商品目录重新决策；此前的放行不再有效。",
    ),
    epilog=_epilog(f'redecide {_UID} --why "SKU added"', Text("after a rule or the catalogue changed", "规则更新后")),
)
def redecide(
    order: Order, why: Why, by: By = None, seen: Seen = None, wait: Wait = 15.0, as_json: AsJson = False
) -> None:
    """Whatever it is by now."""
    from schemas.decision import DecisionKind

    decide(DecisionKind.REDECIDE, order, why, by, seen, wait, as_json)


@app.command(
    help=say(
        "Do not ship until it is released. A warehouse that was told is told to stop; the stock stays with the order.",
        "暂停发货，直到放行。已通知的仓库会收到停止指令；库存保留。",
    ),
    epilog=_epilog(f'hold {_UID} --why "buyer moves"', Text("whatever it is by now", "无论当前状态")),
)
def hold(order: Order, why: Why, by: By = None, seen: Seen = None, wait: Wait = 15.0, as_json: AsJson = False) -> None:
    """Whatever it is by now."""
    from schemas.decision import DecisionKind

    decide(DecisionKind.HOLD, order, why, by, seen, wait, as_json)


@app.command(
    help=say(
        "Do not ship at all, whatever the platform says later: a warehouse that was told is told to stop, and the "
        "stock goes back once it has. Refund the buyer in the shop. `release` takes it back.",
        "不再发货（无论平台之后如何更新）：已通知的仓库会收到停止指令，确认后释放库存。请在店铺退款。"
        "可用 release 恢复。",
    ),
    epilog=_epilog(f'cancel {_UID} --why "cannot be had any more"', Text("and gives its stock back", "并释放库存")),
)
def cancel(
    order: Order, why: Why, by: By = None, seen: Seen = None, wait: Wait = 15.0, as_json: AsJson = False
) -> None:
    """Of the revision that was seen."""
    from schemas.decision import DecisionKind

    decide(DecisionKind.CANCEL, order, why, by, seen, wait, as_json)


@app.command(
    help=say("Let it go in several parcels when no warehouse has all of it.", "允许拆成多个包裹发货。"),
    epilog=_epilog(f'split {_UID} --why "buyer agreed"', Text("when one has not all of it", "单仓不齐时")),
)
def split(order: Order, why: Why, by: By = None, seen: Seen = None, wait: Wait = 15.0, as_json: AsJson = False) -> None:
    """Of the revision that was seen."""
    from schemas.decision import DecisionKind

    decide(DecisionKind.SPLIT, order, why, by, seen, wait, as_json)


@app.command(
    help=say("Settle some of its reasons only; the others still ask.", "只消除其中几项原因，其余仍待处理。"),
    epilog=_epilog(f'settle {_UID} gift-missing --why "sent apart"', Text("one reason", "一项原因")),
)
def settle(
    order: Order,
    codes: Annotated[list[str], typer.Argument(metavar="CODE...", help=say("Reasons.", "原因代码。"))],
    why: Why,
    by: By = None,
    seen: Seen = None,
    wait: Wait = 15.0,
    as_json: AsJson = False,
) -> None:
    """Of the revision that was seen."""
    from schemas.decision import DecisionKind

    decide(DecisionKind.SETTLE_FLAG, order, why, by, seen, wait, as_json, codes=codes)


@app.command(
    help=say("Write something down about it; nothing else changes.", "添加备注，不做其他修改。"),
    epilog=_epilog(f'note {_UID} --why "called the buyer"', Text("kept with the order", "随订单保存")),
)
def note(order: Order, why: Why, by: By = None, wait: Wait = 15.0, as_json: AsJson = False) -> None:
    """Words."""
    from schemas.decision import DecisionKind

    decide(DecisionKind.NOTE, order, why, by, None, wait, as_json)


@app.command(
    help=say(
        "Correct lines or the receiver; it is decided anew then. The correction outlives later changes of the "
        "platform, unless the platform changes the very thing: then the order comes back with correction-overtaken.",
        "更正商品行或收货信息，然后重新决策。更正在平台后续更新后仍然有效；若平台改了同一内容，"
        "订单以 correction-overtaken 回到人工。",
    ),
    epilog=epilog(
        [
            (f'orderfleet review correct {_UID} --sku 1=NUT-BOX-500 --why "wrong code"', Text("another SKU", "改 SKU")),
            (f'orderfleet review correct {_UID} --quantity 1=0 --why "sold out"', Text("drop a line", "去掉一行")),
            (
                f"orderfleet review correct {_UID} --receiver - --why moved < receiver.json",
                Text("the receiver: a JSON object with any of province, city, district, town, street, name, phone, "
                     "postcode; not on the command line, which others can read", "收货信息：JSON 对象"),
            ),
        ],
        EXITS,
    ),
)  # fmt: skip
def correct(
    order: Order,
    why: Why,
    sku: Annotated[
        list[str] | None, typer.Option("--sku", metavar="LINE=SKU", help=say("Pick this instead.", "改发该 SKU。"))
    ] = None,
    quantity: Annotated[
        list[str] | None,
        typer.Option(
            "--quantity", metavar="LINE=UNITS", help=say("Ship so many; 0: none.", "发货数量，0 为去掉该行。")
        ),
    ] = None,
    gift: Annotated[
        list[str] | None, typer.Option("--gift", metavar="SKU=UNITS", help=say("Add a gift.", "加赠品。"))
    ] = None,
    receiver: Annotated[
        str | None,
        typer.Option("--receiver", metavar="FILE", help=say("JSON; - is stdin.", "JSON 文件，- 为标准输入。")),
    ] = None,
    by: By = None,
    seen: Seen = None,
    wait: Wait = 15.0,
    as_json: AsJson = False,
) -> None:
    """Of the revision that was seen."""
    from schemas.decision import DecisionKind

    correction = correction_of(sku or [], quantity or [], gift or [], receiver)
    decide(DecisionKind.CORRECT, order, why, by, seen, wait, as_json, correction=correction)

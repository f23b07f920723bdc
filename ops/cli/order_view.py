"""An order for people: no personal data."""

from __future__ import annotations

from collections.abc import Iterator

from ops.cli.output import a_table, add_row, console, money, print_table, say
from schemas.order import Line, Order
from schemas.text import Text, moment


def print_order(order: Order) -> None:
    """A few lines and a table on stdout."""
    out = console()
    out.print(order.uid, style="bold", markup=False)
    for label, value in _facts(order):
        if value:
            out.print(f"  {label}: {value}", markup=False)
    table = a_table(
        Text("", ""),
        [
            (Text("line", "行号"), False),
            (Text("SKU", "SKU"), False),
            (Text("units", "数量"), True),
            (Text("kind", "类型"), False),
            (Text("status", "状态"), False),
            (Text("paid", "实付"), True),
            (Text("title", "名称"), False),
        ],
    )
    for line in order.lines:
        add_row(table, *_row(line, order.currency))
    print_table(table)


def _facts(order: Order) -> Iterator[tuple[str, str]]:
    receiver = order.ship_to
    yield say("status", "状态"), f"{order.status}, {order.payment}"
    yield say("on hold because", "挂起原因"), ", ".join(order.holds)
    yield say("placed", "下单"), moment(order.placed_at)
    yield say("paid", "付款"), moment(order.paid_at)
    yield say("pay by", "付款截止"), moment(order.pay_deadline)
    yield say("ship by", "发货截止"), moment(order.ship_by)
    yield say("changed", "更新"), moment(order.modified_at)
    yield (
        say("to", "收货地"),
        f"{' '.join(filter(None, (receiver.country, receiver.province, receiver.city)))} ({receiver.privacy})",
    )
    yield say("money", "金额"), money(order.totals.paid, order.currency)
    if order.presale:
        yield (
            say("presale", "预售"),
            say("final part paid", "尾款已付") if order.presale.final_paid else say("final part open", "尾款未付"),
        )
    yield say("promised gifts", "文字赠品"), ", ".join(f"{g.name} x{g.quantity}" for g in order.promised_gifts)
    yield say("related orders", "关联订单"), ", ".join(f"{r.relation} {r.platform_order_id}" for r in order.related)
    yield say("marks", "标记"), ", ".join(order.marks)
    yield say("template", "解读模板"), order.source.template


def _row(line: Line, currency: str) -> tuple[str, ...]:
    kind = f"{line.kind} -> {', '.join(line.bound_to)}" if line.bound_to else str(line.kind)
    refund = "" if line.refund == "none" else f", {say('refund', '退款')} {line.refund}"
    cells = (line.line_id, line.sku or "-", str(line.quantity), kind, f"{line.status}{refund}")
    return (*cells, money(line.paid, currency), line.title)

"""`orderfleet explain`: where an order is, and why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ops.cli.inputs import a_moment
from ops.cli.output import ExitCode, epilog, fail, note, print_json, say, say_error, settings
from schemas.text import Text

if TYPE_CHECKING:
    from workers.admin.evidence import Evidence
    from workers.runtime.settings import Settings

HELP: Final = say(
    "Tell where an order is and why: its stock, the decision and the rules behind it, what the warehouse was told, "
    "dead letters, backorders and transfers. Changes nothing.\n\n"
    "ORDER is an order uid, CHANNEL:SHOP:PLATFORM-ORDER-ID, or the platform's order id alone (slower: every decision "
    "is looked through). Exits 1 when nobody has heard of the order, 3 when Redis or Kafka does not answer; what the "
    "other one knows is told all the same.",
    "说明订单在哪里、为什么：库存、决策及其规则、发货指令、死信、待货与调拨。不做任何修改。\n\n"
    "ORDER 是订单 uid（渠道:店铺:平台订单号），或只写平台订单号（较慢，会查遍所有决策）。"
    "查无此单时退出码为 1；Redis 或 Kafka 没有应答时为 3，仍会显示另一方已知的内容。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet explain taobao:main:2700000000000000001", Text("by uid", "按 uid")),
        ("orderfleet explain 2700000000000000001 --since 2d", Text("by the platform's id", "按平台订单号")),
        ("orderfleet explain jd:main:1 --json | jq .verdict", Text("for machines", "供程序读取")),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


def explain(
    order: Annotated[
        str, typer.Argument(metavar="ORDER", help=say("Order uid or platform order id.", "订单 uid 或平台订单号。"))
    ],
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help=say(
                "Only messages since then: 2026-11-11T00:00:00+08:00, or 6h, 2d.",
                "只看此后的消息：2026-11-11T00:00:00+08:00，或 6h、2d。",
            ),
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """Gather, judge, tell."""
    from ops.cli.evidence_view import print_evidence
    from workers.admin.evidence_document import as_document

    known = settings()
    start = a_moment(since, "--since") if since else None
    evidence = _gathered(known, uid_of(known, order.strip(), start), start)
    if evidence.is_empty and not evidence.away:
        fail(_not_found(evidence))
    if not evidence.is_empty:
        if as_json:
            print_json(as_document(evidence))
        else:
            print_evidence(evidence)
    for trouble in evidence.away:
        say_error(trouble)
    if evidence.away:
        raise typer.Exit(ExitCode.AWAY)


def _gathered(known: Settings, uid: str, since: datetime | None) -> Evidence:
    import asyncio

    from ops.cli.servers import fail_with
    from workers.admin.errors import InvalidRequest
    from workers.admin.evidence import Evidence, gather_from_ledger, gather_from_topics

    evidence = Evidence(uid)
    try:
        asyncio.run(gather_from_ledger(known, evidence))
    except InvalidRequest as error:
        fail_with(error)
    gather_from_topics(known, evidence, since)
    return evidence


def uid_of(known: Settings, order: str, since: datetime | None) -> str:
    """The uid that is meant: it stands there, or is found by the platform's order id. Ends the command without one."""
    from ops.cli.servers import fail_with
    from workers.admin.errors import InvalidRequest
    from workers.admin.evidence import named_uid

    try:
        uid = named_uid(order)
    except InvalidRequest as error:
        fail_with(error)
    return _find_uid(known, order, since) if uid is None else order


def _find_uid(known: Settings, platform_order_id: str, since: datetime | None) -> str:
    from ops.cli.output import error_console
    from ops.cli.servers import fail_kafka_away
    from workers.admin.evidence import uids_of
    from workers.admin.scan import Topics
    from workers.runtime.errors import TransientError

    if not platform_order_id:
        fail(Text("name an order", "请写订单号"), ExitCode.USAGE)
    looking = say(f"looking for {platform_order_id} ...", f"正在查找 {platform_order_id} ……")
    try:
        with error_console().status(looking), Topics(known.cluster) as topics:
            uids = uids_of(topics, platform_order_id, since)
    except TransientError as error:
        fail_kafka_away(known, error)
    if not uids:
        fail(_no_such_id(platform_order_id))
    if len(uids) > 1:
        several = ", ".join(uids)
        fail(
            Text(
                f"{len(uids)} orders have the id {platform_order_id}; say which one: {several}",
                f"有 {len(uids)} 个订单的平台订单号是 {platform_order_id}，请指明：{several}",
            ),
            ExitCode.USAGE,
        )
    note(Text(f"this is {uids[0]}", f"即 {uids[0]}"))
    return uids[0]


def _no_such_id(platform_order_id: str) -> Text:
    return Text(
        f"no order with the platform id {platform_order_id} in orders.planned, orders.quarantined or the raw topics; "
        "check the id (not the buyer's payment number), --since, and that the shop is polled; or write the uid: "
        "CHANNEL:SHOP:ID",
        f"orders.planned、orders.quarantined 和原始主题中都没有平台订单号 {platform_order_id}；"
        "请检查订单号（不是支付单号）、--since，以及该店铺是否在拉取；或直接写 uid：渠道:店铺:订单号",
    )


def _not_found(evidence: Evidence) -> Text:
    places = ", ".join(evidence.looked_in)
    return Text(
        f"nobody has heard of {evidence.order_uid}; looked in {places}. Check the spelling and the shop id, that the "
        "shop is polled, and that the order is not older than what the topics keep",
        f"没有 {evidence.order_uid} 的任何记录；已查找：{places}。请检查拼写和店铺编号、该店铺是否在拉取，"
        "以及订单是否已超出主题保留时间",
    )

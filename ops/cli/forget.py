"""`orderfleet forget`: erase what is held of the person behind one order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ops.cli.explain import uid_of
from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    console,
    epilog,
    note,
    print_json,
    print_table,
    say,
    settings,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.admin.erasure import Erased, Kept

HELP: Final = say(
    "Erase the personal data of one order: receiver, remarks, parcel numbers. What Redis holds is emptied at once. "
    "Kafka gives up single records only when a topic's retention ends: which topics still hold some, and until when, "
    "is said exactly; until then no command shows them or puts them back.\n\n"
    "ORDER is an order uid, CHANNEL:SHOP:PLATFORM-ORDER-ID, or the platform's order id alone. An order that may still "
    "be shipped is refused without --force: nobody could deliver it. If the shop sends the order again, it comes with "
    "its data: erase it there first.",
    "抹去一个订单的个人信息：收件人、留言、运单号。Redis 中的内容立即清空。"
    "Kafka 只能在主题保留期结束时删除单条记录：会准确列出哪些主题仍有记录、到何时为止；"
    "在此之前任何命令都不会显示或重放。\n\n"
    "ORDER 是订单 uid（渠道:店铺:平台订单号），或只写平台订单号。"
    "仍可能发货的订单需加 --force，否则拒绝：抹去后无法投递。"
    "若店铺再次推送该订单，信息会随之回来：请先在店铺抹去。",
)
EPILOG: Final = epilog(
    [
        (
            "orderfleet forget taobao:main:2700000000000000001 --dry-run",
            Text("what is held, and until when", "查看保存了什么、到何时"),
        ),
        ("orderfleet forget taobao:main:2700000000000000001", Text("do it, after a question", "确认后执行")),
        ("orderfleet forget shopify:eu:5100000000001 --yes --json", Text("for machines", "供程序使用")),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


def forget(
    order: Annotated[
        str, typer.Argument(metavar="ORDER", help=say("Order uid or platform order id.", "订单 uid 或平台订单号。"))
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=say("Show what is held, erase nothing.", "只查看，不抹去。"))
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help=say("Even if it may still be shipped.", "即使仍可能发货。"))
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=say("Do not ask.", "不再询问。"))] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """Look, ask, erase, tell what stays."""
    from ops.cli.servers import ask_redis, check_redis_address, fail_kafka_away, fail_with
    from workers.admin.erasure import Erasure, check_erasure, kept_records, state_in_redis
    from workers.admin.errors import OperatorError
    from workers.admin.scan import Topics
    from workers.runtime.errors import TransientError

    known = settings()
    check_redis_address(known)
    uid = uid_of(known, order.strip(), None)
    try:
        with Topics(known.cluster) as topics:
            kept = kept_records(topics, uid)
    except TransientError as error:
        fail_kafka_away(known, error)
    state = ask_redis(known, lambda redis: state_in_redis(redis, uid))
    try:
        check_erasure(uid, kept, state, force=force or dry_run)
    except OperatorError as error:
        fail_with(error)
    if not dry_run and not yes:
        _confirm(uid)
    now = datetime.now(UTC)
    erased = None if dry_run else ask_redis(known, lambda redis: Erasure(redis).erase(uid, now))
    _tell(uid, kept, erased, at_work=state.may_still_ship, as_json=as_json)


def _confirm(uid: str) -> None:
    question = say(
        f"Erase the personal data of {uid}? It cannot be undone.", f"抹去 {uid} 的个人信息？此操作不可撤销。"
    )
    if not typer.confirm(question, err=True):
        raise typer.Exit(ExitCode.USAGE)


# -- telling -------------------------------------------------------------------------------------------------------


def _tell(uid: str, kept: list[Kept], erased: Erased | None, *, at_work: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "order_uid": uid,
                "erased": erased is not None,
                "may_still_ship": at_work,
                "redis": None if erased is None else erased._asdict(),
                "kept": [each._asdict() for each in kept],
                "kept_until": _last(kept),
            }
        )
        return
    if erased is not None:
        values = sum(erased)
        console().print(
            say(
                f"{uid}: erased; {values} values in Redis were emptied, and no command shows what is left",
                f"{uid}：已抹去；Redis 中清空 {values} 项，任何命令都不再显示剩余内容",
            ),
            markup=False,
        )
    _print_kept(kept)
    note(
        Text(
            "not in orderfleet: the shop, the warehouses that were told, backups of Kafka and Redis, files that people "
            "saved. After a rebuild of Redis erase the order again",
            "不在 orderfleet 内：店铺、已下发的仓库、Kafka 与 Redis 的备份、人工保存的文件。"
            "重建 Redis 后请再次抹去该订单",
        )
    )


def _last(kept: list[Kept]) -> datetime | None:
    return max((each.until for each in kept if each.until is not None), default=None)


def _print_kept(kept: list[Kept]) -> None:
    if not kept:
        console().print(say("no topic holds a record of it", "没有主题仍保存其记录"))
        return
    table = a_table(
        Text("Records that Kafka gives up later", "Kafka 稍后删除的记录"),
        [
            (Text("topic", "主题"), False),
            (Text("records", "记录数"), True),
            (Text("until, and until the segment ends", "直到（及所在分段结束）"), False),
        ],
    )
    for each in kept:
        add_row(table, each.topic, str(each.records), moment(each.until))
    print_table(table)

"""`orderfleet notices`: what stands and who was told of it, and a test message."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    epilog,
    fail,
    language,
    note,
    print_json,
    print_table,
    say,
    settings,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.admin.notices import MatterRow, Unreached

LIST_EXITS: Final = (ExitCode.OK, ExitCode.USAGE, ExitCode.AWAY)
DEED_EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)
TEST_EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE)

_LOOK: Final = Text("as `orderfleet notices list` names it", "名称见 orderfleet notices list")

AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]

app = typer.Typer(
    help=say("What people are told of by mail and chat.", "通过邮件和聊天发出的通知。"),
    no_args_is_help=True,
)


@app.command(
    "list",
    help=say(
        "List the matters that stand, the worst first: since when, how often, and who was told when. "
        "Below them, whom notices do not reach.",
        "列出未结事项，最严重的在前：始于何时、多少次、何时通知了谁。其后是无法送达的收件人。",
    ),
    epilog=epilog(
        [
            ("orderfleet notices list", Text("what stands", "未结事项")),
            ("orderfleet notices list --past", Text("what is over", "已结束的事项")),
            ("orderfleet notices list --minimum critical --scope 'shop:jd/*'", Text("some of it", "筛选")),
            ("orderfleet notices list --json | jq -r .key", Text("one JSON object a line", "每行一个 JSON")),
        ],
        LIST_EXITS,
    ),
)
def list_(
    past: Annotated[bool, typer.Option("--past", help=say("What is over instead.", "改为列出已结束的事项。"))] = False,
    minimum: Annotated[
        str, typer.Option("--minimum", metavar="SEVERITY", help=say("info, warning or critical.", "最低级别。"))
    ] = "info",
    scope: Annotated[
        str, typer.Option("--scope", metavar="SCOPE", help=say("Of this scope; * is anything.", "范围，* 为任意。"))
    ] = "*",
    as_json: AsJson = False,
) -> None:
    """What stands, or is over."""
    from fnmatch import fnmatchcase

    from ops.cli.servers import ask_redis
    from schemas.notice import NoticeSeverity
    from workers.admin.notices import past_matters, standing_matters

    if minimum not in tuple(NoticeSeverity):
        fail(Text("--minimum is info, warning or critical", "--minimum 应为 info、warning 或 critical"), ExitCode.USAGE)
    now_ms = int(time.time() * 1000)
    unreached: list[Unreached] = []
    if past:
        found = ask_redis(settings(), lambda redis: past_matters(redis, now_ms))
    else:
        found, unreached = ask_redis(settings(), lambda redis: standing_matters(redis, now_ms))
    least = NoticeSeverity(minimum).rank
    matters = [one for one in found if one.severity.rank >= least and fnmatchcase(one.scope, scope)]
    if as_json:
        for one in matters:
            print_json(_as_json(one))
        for troubled in unreached:
            print_json({"unreached": troubled.recipient, "tries": troubled.tries, "why": troubled.why})
        return
    _print(matters, unreached, past)


def _as_json(matter: MatterRow) -> dict[str, Any]:
    return {
        "key": matter.key,
        "severity": matter.severity,
        "scope": matter.scope,
        "since": matter.since,
        "count": matter.count,
        "code": matter.explanation.code,
        "args": matter.explanation.args,
        "told": matter.told,
        "over_at": matter.over_at,
        "taken_by": matter.taken_by,
        "snoozed_until": matter.snoozed_until,
        "runbook": matter.runbook,
    }


def _print(matters: list[MatterRow], unreached: list[Unreached], past: bool) -> None:
    from schemas.codes import render

    table = a_table(
        Text("Matters that are over", "已结束的事项") if past else Text("Matters that stand", "未结事项"),
        [
            (Text("severity", "级别"), False),
            (Text("key", "键"), False),
            (Text("since", "始于"), False),
            (Text("times", "次数"), True),
            (Text("what", "事项"), False),
            (Text("told", "已通知"), False),
        ],
    )
    for one in matters:
        told = ", ".join(f"{name} {moment(at)}" for name, at in one.told.items()) or say("nobody", "无人")
        what = f"{render(one.explanation, language())} [{one.scope}]{_cared_for(one)}"
        add_row(table, one.severity.value, one.key, moment(one.since), str(one.count), what, told)
    print_table(table)
    for who in unreached:
        again = moment(who.again_at)
        note(
            Text(
                f"{who.recipient} is not reached ({who.why}, {who.tries} tries); tried again at {again}",
                f"无法送达 {who.recipient}（{who.why}，已试 {who.tries} 次）；将于 {again} 重试",
            )
        )


def _cared_for(matter: MatterRow) -> str:
    found = []
    if matter.taken_by:
        found.append(say(f"looked after by {matter.taken_by}", f"由 {matter.taken_by} 处理中"))
    if matter.snoozed_until is not None:
        until = moment(matter.snoozed_until)
        found.append(say(f"snoozed until {until}", f"暂停提醒到 {until}"))
    if matter.over_at is not None:
        found.append(say(f"over at {moment(matter.over_at)}", f"结束于 {moment(matter.over_at)}"))
    return "".join(f"; {each}" for each in found)


# -- looking after -------------------------------------------------------------------------------------------------

Key = Annotated[str, typer.Argument(metavar="KEY", help=say("As `notices list` tells it.", "见 notices list。"))]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help=say("Why; it is kept for ever.", "原因；永久保存。"))]


@app.command(
    "take",
    help=say(
        "Say that you look after a matter: reminders name you for as long as it stands. Needs PostgreSQL.",
        "声明由您处理某事项：在其结束前，提醒中会写明您的名字。需要 PostgreSQL。",
    ),
    epilog=epilog([('orderfleet notices take warehouse-silent/hangzhou --why "calling them"', _LOOK)], DEED_EXITS),
)
def take(key: Key, why: Why) -> None:
    """Somebody looks after it."""
    from ops.cli.desk import at_desk

    with at_desk() as (desk, actor):
        desk.notices.take(actor, key, why)
    note(Text(f"you look after {key}", f"{key} 已由您处理"))


@app.command(
    "snooze",
    help=say(
        "Have nobody told of a matter for a while, unless it becomes worse; that it is over is told. Needs PostgreSQL.",
        "在一段时间内不再提醒某事项，除非变得更严重；结束时仍会通知。需要 PostgreSQL。",
    ),
    epilog=epilog(
        [
            ('orderfleet notices snooze redis-memory/redis --for 2h --why "more memory comes at noon"', _LOOK),
            (
                'orderfleet notices snooze redis-memory/redis --for 0s --why "not yet"',
                Text("no longer", "取消"),
            ),
        ],
        DEED_EXITS,
    ),
)
def snooze(
    key: Key,
    span: Annotated[
        str, typer.Option("--for", metavar="SPAN", help=say("30m, 6h, 7d; 0s: no longer.", "30m、6h、7d；0s 为取消。"))
    ],
    why: Why,
) -> None:
    """Nobody is told for a while."""
    from datetime import UTC, datetime

    from ops.cli.desk import at_desk
    from ops.cli.inputs import a_moment

    now = datetime.now(UTC)
    seconds = (now - a_moment(span, "--for", now)).total_seconds()
    with at_desk() as (desk, actor):
        until = desk.notices.snooze(actor, key, seconds, why).snoozed_until
    ends = moment(until)
    note(
        Text(f"nobody is told of {key} until {ends}", f"{ends} 之前不再提醒 {key}")
        if until
        else Text(f"{key} is told of again", f"恢复提醒 {key}")
    )


# -- what was sent -------------------------------------------------------------------------------------------------


@app.command(
    "sent",
    help=say(
        "List the last messages, the newest first: to whom, about what, and why one did not arrive.",
        "列出最近发送的消息，最新的在前：发给谁、关于什么、为何未送达。",
    ),
    epilog=epilog(
        [
            ("orderfleet notices sent", Text("the last fifty", "最近 50 条")),
            ("orderfleet notices sent --failed --json", Text("what did not arrive", "未送达的")),
        ],
        LIST_EXITS,
    ),
)
def sent(
    failed: Annotated[bool, typer.Option("--failed", help=say("Only those.", "只看未送达的。"))] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help=say("0: all.", "0 为全部。"))] = 50,
    as_json: AsJson = False,
) -> None:
    """What was sent to whom."""
    from ops.cli.servers import ask_redis
    from workers.admin.notices import sent_messages

    found = [one for one in ask_redis(settings(), sent_messages) if one.why or not failed]
    shown = found[:limit] if limit else found
    if as_json:
        for one in shown:
            print_json(one)
        return
    table = a_table(
        Text("Messages", "消息"),
        [
            (Text("at", "时间"), False),
            (Text("recipient", "收件人"), False),
            (Text("what", "类型"), False),
            (Text("matters", "事项数"), True),
            (Text("which", "事项"), False),
            (Text("did not arrive", "未送达原因"), False),
        ],
    )
    for one in shown:
        add_row(table, moment(one.at), one.recipient, one.telling, str(one.matters), ", ".join(one.keys), one.why)
    print_table(table)


@app.command(
    "retry",
    help=say(
        "Try a recipient that is not reached again at once. Needs PostgreSQL.",
        "立即重试无法送达的收件人。需要 PostgreSQL。",
    ),
    epilog=epilog([('orderfleet notices retry ops --why "the password is mended"', _LOOK)], DEED_EXITS),
)
def retry(
    recipient: Annotated[str, typer.Argument(metavar="RECIPIENT", help=say("Its name in the file.", "文件中的名称。"))],
    why: Why,
) -> None:
    """One that is not reached."""
    from ops.cli.desk import at_desk

    with at_desk() as (desk, actor):
        desk.notices.retry(actor, recipient, why)
    note(Text(f"{recipient} is tried at once", f"将立即重试 {recipient}"))


@app.command(
    "test",
    help=say(
        "Send one test message to a recipient of the file, whatever the hour.",
        "立即向文件中的一个收件人发送一条测试消息。",
    ),
    epilog=epilog([("orderfleet notices test ops", Text("does it arrive?", "能否收到？"))], TEST_EXITS),
)
def test(
    recipient: Annotated[str, typer.Argument(metavar="RECIPIENT", help=say("Its name in the file.", "文件中的名称。"))],
) -> None:
    """Whether a recipient is reached."""
    from ops.cli.servers import fail_with
    from workers.admin.errors import OperatorError
    from workers.admin.notices import send_test

    try:
        asyncio.run(send_test(settings(), recipient, int(time.time() * 1000)))
    except OperatorError as error:
        fail_with(error)
    note(Text(f"sent to {recipient}", f"已发送给 {recipient}"))

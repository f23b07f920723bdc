"""`orderfleet notices`: what stands and who was told of it, and a test message."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.output import ExitCode, a_table, add_row, epilog, language, note, print_json, print_table, say, settings
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.admin.notices import StandingMatter, Unreached

LIST_EXITS: Final = (ExitCode.OK, ExitCode.USAGE, ExitCode.AWAY)
TEST_EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE)

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
            ("orderfleet notices list --json | jq -r .key", Text("one JSON object a line", "每行一个 JSON")),
        ],
        LIST_EXITS,
    ),
)
def list_(
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """What stands."""
    from ops.cli.servers import ask_redis
    from workers.admin.notices import standing_matters

    matters, unreached = ask_redis(settings(), lambda redis: standing_matters(redis, int(time.time() * 1000)))
    if as_json:
        for one in matters:
            print_json(_as_json(one))
        for troubled in unreached:
            print_json({"unreached": troubled.recipient, "tries": troubled.tries, "why": troubled.why})
        return
    _print(matters, unreached)


def _as_json(matter: StandingMatter) -> dict[str, Any]:
    return {
        "key": matter.key,
        "severity": matter.severity,
        "scope": matter.scope,
        "since": matter.since,
        "count": matter.count,
        "code": matter.explanation.code,
        "args": matter.explanation.args,
        "told": matter.told,
    }


def _print(matters: list[StandingMatter], unreached: list[Unreached]) -> None:
    from schemas.codes import render

    table = a_table(
        Text("Matters that stand", "未结事项"),
        [
            (Text("severity", "级别"), False),
            (Text("since", "始于"), False),
            (Text("times", "次数"), True),
            (Text("what", "事项"), False),
            (Text("told", "已通知"), False),
        ],
    )
    for one in matters:
        told = ", ".join(f"{name} {moment(at)}" for name, at in one.told.items()) or say("nobody yet", "尚未通知")
        what = f"{render(one.explanation, language())} [{one.scope}]"
        add_row(table, one.severity.value, moment(one.since), str(one.count), what, told)
    print_table(table)
    for who in unreached:
        again = moment(who.again_at)
        note(
            Text(
                f"{who.recipient} is not reached ({who.why}, {who.tries} tries); tried again at {again}",
                f"无法送达 {who.recipient}（{who.why}，已试 {who.tries} 次）；将于 {again} 重试",
            )
        )


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

"""`orderfleet book`: how the order book is, its tables, and making it again from Kafka."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    console,
    epilog,
    error_console,
    fail,
    print_json,
    print_table,
    say,
    settings,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.book.status import BookStatus
    from workers.runtime.settings import Settings

T = TypeVar("T")

EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say(
        "The order book in PostgreSQL: what is known of every order, for people to search. Nothing decides by it.",
        "PostgreSQL 中的订单台账：供人查询的每个订单的全部情况；任何决策都不依赖它。",
    ),
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]


@app.command(
    help=say(
        "How the book is: orders by stage, and how many records wait. Exits 1 when there is no book.",
        "台账状态：各阶段订单数及待写入的记录数。没有台账时退出码为 1。",
    ),
    epilog=epilog(
        [
            ("orderfleet book status", Text("how far it is", "当前进度")),
            ("orderfleet book status --json | jq .behind", Text("records that wait", "待写入记录数")),
        ],
        EXITS,
    ),
)
def status(as_json: AsJson = False) -> None:
    """As it is now."""
    from workers.admin.book import book_status

    found = ask_book(book_status)
    if as_json:
        print_json({**_as_json(found), "behind": found.behind})
    else:
        _print(found)
    if not found.version:
        fail(Text("there is no book yet: orderfleet book migrate", "尚无订单台账：请执行 orderfleet book migrate"))


def _as_json(found: BookStatus) -> dict[str, object]:
    from msgspec import to_builtins

    plain: dict[str, object] = to_builtins(found)
    return plain


def _print(found: BookStatus) -> None:
    stages = a_table(
        Text("Orders by stage", "各阶段订单"), [(Text("stage", "阶段"), False), (Text("orders", "订单数"), True)]
    )
    for stage, count in found.stages.items():
        add_row(stages, stage, f"{count:,}")
    print_table(stages)
    topics = a_table(
        Text("Read from Kafka", "读取进度"),
        [(Text("topic", "主题"), False), (Text("read", "已读"), True), (Text("waiting", "等待"), True)],
    )
    for topic in found.topics:
        add_row(topics, topic.topic, f"{topic.read:,}", f"{topic.behind:,}")
    print_table(topics)
    written = say("never", "从未") if found.written_at is None else moment(found.written_at)
    console().print(
        say(
            f"{found.orders:,} orders; {found.behind:,} records wait; written last: {written}; "
            f"{found.writers} writing now; {found.dead_letters:,} dead letters; {found.skipped:,} records left out; "
            f"tables of version {found.version} of {found.newest_version}",
            f"订单 {found.orders:,} 个；等待 {found.behind:,} 条；最近写入：{written}；"
            f"正在写入的进程 {found.writers} 个；死信 {found.dead_letters:,} 条；跳过 {found.skipped:,} 条；"
            f"表结构版本 {found.version}/{found.newest_version}",
        ),
        markup=False,
    )


@app.command(
    help=say(
        "Make the book's tables, or bring them to this version. The stage book does so by itself when it starts.",
        "创建台账的表或升级到当前版本。book 环节启动时会自动执行。",
    ),
    epilog=epilog([("orderfleet book migrate", Text("safe to run again", "可重复执行"))], EXITS),
)
def migrate(as_json: AsJson = False) -> None:
    """Whatever is missing."""
    from workers.admin.book import migrate_book

    steps = ask_book(migrate_book)
    if as_json:
        print_json({"applied": steps})
    else:
        done = ", ".join(map(str, steps)) or say("none was missing", "无需变更")
        console().print(say(f"steps applied: {done}", f"已执行步骤：{done}"), markup=False)


@app.command(
    help=say(
        "Make the book again from Kafka, beside the one that people go on reading, and replace that at the end. It "
        "reaches back as far as the topics do: 30 days for most. Workers go on meanwhile.",
        "从 Kafka 重建台账：重建期间可继续查询原台账，完成后一次替换。只能追溯到主题保留的范围，多数为 30 天。"
        "工作进程无需停止。",
    ),
    epilog=epilog(
        [
            ("orderfleet book rebuild", Text("asks before it replaces what is there", "替换前会询问")),
            ("orderfleet book rebuild --yes --json", Text("from a script", "用于脚本")),
        ],
        EXITS,
    ),
)
def rebuild(
    yes: Annotated[bool, typer.Option("--yes", help=say("Do not ask.", "不询问。"))] = False,
    as_json: AsJson = False,
) -> None:
    """Read everything, then replace."""
    from workers.admin.book import rebuild_book

    if not yes:
        question = say(
            "Orders older than what the topics keep will be gone from the book. Go on?",
            "早于主题保留期的订单将从台账中消失。是否继续？",
        )
        if not typer.confirm(question, err=True):
            raise typer.Exit(ExitCode.BAD)
    done = ask_book(lambda known: rebuild_book(known, _show))
    if as_json:
        from msgspec import to_builtins

        print_json(to_builtins(done))
        return
    console().print(
        say(
            f"{done.records:,} records read in {done.seconds:.0f} s: {done.orders:,} orders (before: "
            f"{done.orders_before:,}), {done.skipped:,} records left out",
            f"用时 {done.seconds:.0f} 秒，读取 {done.records:,} 条：订单 {done.orders:,} 个"
            f"（原 {done.orders_before:,} 个），跳过 {done.skipped:,} 条",
        ),
        markup=False,
    )


def _show(read: int, total: int) -> None:
    share = 100 * read // max(1, total)
    error_console().print(
        say(f"{read:,} of about {total:,} records, {share} %", f"已读 {read:,} / 约 {total:,} 条，{share} %"),
        markup=False,
    )


def ask_book(question: Callable[[Settings], T]) -> T:
    """What the book answers. Ends the command when there is none, or a server is away."""
    from ops.cli.servers import fail_kafka_away, fail_with
    from workers.admin.errors import OperatorError
    from workers.runtime.errors import Misconfigured, TransientError

    known = settings()
    try:
        return question(known)
    except OperatorError as error:
        fail_with(error)
    except TransientError as error:
        if str(error).startswith("Kafka"):
            fail_kafka_away(known, error)
        advice = error.advice or Text("", "")
        code = ExitCode.USAGE if isinstance(error, Misconfigured) else ExitCode.AWAY
        fail(Text(f"{error}; {advice.en}", f"PostgreSQL 不可用（{error.code}）；{advice.zh}"), code)

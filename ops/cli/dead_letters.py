"""`orderfleet dead-letters`: what could not be processed, why, and trying it again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.output import (
    ExitCode,
    epilog,
    fail,
    note,
    print_json,
    say,
    settings,
)
from schemas.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from workers.admin.scan import Topics
    from workers.runtime.settings import Settings

ALL_EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say(
        "Messages that could not be processed: list them, see them, try them again.",
        "无法处理的消息（死信）：查看、取出、重试。",
    ),
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]
Reason = Annotated[
    str | None,
    typer.Option(
        "--reason",
        "-r",
        metavar="CODE",
        help=say("Only this reason: unknown-status, ...", "只看该原因，例如 unknown-status。"),
    ),
]
Channel = Annotated[
    str | None, typer.Option("--channel", "-c", metavar="NAME", help=say("Only this channel.", "只看该渠道。"))
]


# -- list ----------------------------------------------------------------------------------------------------------


@app.command(
    "list",
    help=say(
        "List dead letters, the newest first: which message, why, and whether it was tried again. "
        "Payloads are not shown.",
        "列出死信，最新的在前：哪条消息、什么原因、是否重试过。不显示报文内容。",
    ),
    epilog=epilog(
        [
            ("orderfleet dead-letters list", Text("the newest fifty", "最新五十条")),
            (
                "orderfleet dead-letters list --reason unknown-status --channel taobao",
                Text("of one kind", "某一类"),
            ),
            (
                "orderfleet dead-letters list --limit 0 --json | jq -r .reason | sort | uniq -c",
                Text("how many of each reason", "按原因统计数量"),
            ),
        ],
        ALL_EXITS,
    ),
)
def list_letters(
    reason: Reason = None,
    channel: Channel = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help=say("At most so many; 0: all.", "最多显示条数；0 为全部。"))
    ] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest ones."""
    from ops.cli.letter_view import as_json_document, print_letters, sum_up
    from workers.admin.dead_letters import Filter, Summaries

    known = settings()
    _check_channel(channel)
    with _reading(known) as topics:
        summaries = Summaries(topics, Filter(reason=reason, channel=channel), limit)
    retried = _retried(known, [each.letter_id for each in summaries.newest])
    if as_json:
        for each in summaries.newest:
            print_json(as_json_document(each, retried))
        return
    print_letters(summaries.newest, retried)
    sum_up(len(summaries.newest), summaries.total)


def _retried(known: Settings, letter_ids: list[str]) -> dict[str, float] | None:
    """When each was put back; None when Redis, which remembers it, is away."""
    import asyncio

    from redis.exceptions import RedisError

    from ops.cli.servers import redis_client
    from workers.admin.dead_letters import Retried
    from workers.runtime.errors import TransientError

    async def asked() -> dict[str, float]:
        async with redis_client(known) as redis:
            return await Retried(redis).when(letter_ids)

    try:
        return asyncio.run(asked())
    except (TransientError, RedisError):
        note(Text("Redis does not answer: which were tried again is not shown", "Redis 没有应答：无法显示是否重试过"))
        return None


# -- payload -------------------------------------------------------------------------------------------------------


@app.command(
    help=say(
        "Write the original bytes of one message to stdout. They may hold personal data: keep them to yourself.",
        "把一条消息的原始内容写到标准输出。内容可能含个人信息，请妥善保管。",
    ),
    epilog=epilog(
        [
            (
                "orderfleet dead-letters payload orders.raw.taobao/3/120 > order.json",
                Text("into a file", "存为文件"),
            ),
            (
                "orderfleet dead-letters payload orders.raw.taobao/3/120 | orderfleet parse taobao -",
                Text("what this version makes of it", "用当前版本解读"),
            ),
        ],
        ALL_EXITS,
    ),
)
def payload(
    letter: Annotated[str, typer.Argument(metavar="LETTER", help=say("From the list.", "列表中的编号。"))],
) -> None:
    """Untouched."""
    from ops.cli.letter_view import problem_of
    from ops.cli.servers import ask_redis, check_redis_address, fail_with
    from workers.admin.dead_letters import Original, find_letter
    from workers.admin.erasure import Erasure
    from workers.admin.errors import NotFound

    known = settings()
    check_redis_address(known)
    with _reading(known) as topics:
        try:
            found = find_letter(topics, letter)
        except NotFound as error:
            fail_with(error)
        ask_redis(known, lambda redis: Erasure(redis).refuse_erased(found.key))
        original = Original.of(found, topics)
    try:
        body = original.payload
    except ValueError:
        fail(Text(f"{letter} is damaged", f"死信 {letter} 已损坏"))
    if len(body) < found.payload_bytes:
        note(
            Text(
                f"the topic does not keep the message any more; these are the first {len(body):,} of "
                f"{found.payload_bytes:,} bytes",
                f"主题已不再保留该消息；以下为前 {len(body):,} 字节，共 {found.payload_bytes:,} 字节",
            )
        )
    if not body:
        fail(
            Text(f"{letter} holds no payload: {problem_of(found)}", f"死信 {letter} 不含原始内容：{problem_of(found)}")
        )
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()


# -- retry ---------------------------------------------------------------------------------------------------------


@app.command(
    help=say(
        "Put original messages back where they came from, to be processed again: same bytes, same key. One that was "
        "put back before is left out, and so is one that failed nine times, unless it is named with --id. Processing "
        "a message twice does no harm.",
        "把原始消息放回原主题重新处理：内容和键都不变。已放回过的不会重复放回；失败满九次的须用 --id 指定。"
        "同一消息处理两次不会产生副作用。",
    ),
    epilog=epilog(
        [
            (
                "orderfleet dead-letters retry --reason unknown-status --dry-run",
                Text("see what would be put back", "先看看会放回哪些"),
            ),
            (
                "orderfleet dead-letters retry --reason unknown-status --channel taobao",
                Text("after an update that knows the status", "升级支持该状态后重试"),
            ),
            ("orderfleet dead-letters retry --id orders.raw.taobao/3/120", Text("one letter", "重试一条")),
            ("orderfleet dead-letters retry --all", Text("everything", "全部重试")),
        ],
        ALL_EXITS,
    ),
)
def retry(
    reason: Reason = None,
    channel: Channel = None,
    letter: Annotated[
        str | None, typer.Option("--id", metavar="LETTER", help=say("This one, from the list.", "列表中的编号。"))
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=say("Every letter.", "所有死信。"))] = False,
    again: Annotated[
        bool, typer.Option("--again", help=say("Also those put back before.", "已放回过的也再放回。"))
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("Change nothing.", "不做任何修改。"))] = False,
    as_json: AsJson = False,
) -> None:
    """Those that are meant."""
    import asyncio

    from redis.exceptions import RedisError

    from ops.cli.letter_retry import end, tell_retries
    from ops.cli.servers import fail_redis_away
    from workers.admin.dead_letters import Filter
    from workers.admin.servers import redis_refused
    from workers.runtime.errors import TransientError

    _check_channel(channel)
    _check_choice([letter, reason or channel, everything])
    known = settings()
    wanted = Filter(letter_id=letter, reason=reason, channel=channel)
    with _reading(known) as topics:
        try:
            counts = asyncio.run(tell_retries(known, topics, wanted, again=again, dry_run=dry_run, as_json=as_json))
        except RedisError as error:
            fail(redis_refused(known, error), ExitCode.AWAY)
        except TransientError as error:
            if str(error).startswith("Redis"):
                fail_redis_away(known, error)
            raise
    end(counts, wanted, as_json)


def _check_choice(given: list[Any]) -> None:
    if sum(bool(each) for each in given) != 1:
        fail(
            Text(
                "say which: --id LETTER, or --reason CODE and --channel NAME, or --all",
                "请指明重试哪些：--id 编号，或 --reason 原因 与 --channel 渠道，或 --all",
            ),
            ExitCode.USAGE,
        )


# -- shared --------------------------------------------------------------------------------------------------------


def _check_channel(channel: str | None) -> None:
    from channel_adapters.registry import CHANNELS

    if channel is not None and channel not in CHANNELS:
        names = ", ".join(CHANNELS)
        fail(Text(f"no channel {channel}; there are {names}", f"没有渠道 {channel}，可用：{names}"), ExitCode.USAGE)


def _reading(known: Settings) -> AbstractContextManager[Topics]:
    """The topics; ends the command when Kafka is away at any time."""
    from contextlib import contextmanager

    from ops.cli.servers import fail_kafka_away
    from workers.admin.scan import Topics
    from workers.runtime.errors import TransientError

    @contextmanager
    def opened() -> Iterator[Topics]:
        try:
            with Topics(known.cluster) as topics:
                yield topics
        except TransientError as error:
            fail_kafka_away(known, error)

    return opened()

"""`orderfleet stock rebuild`: an emptied Redis made again from Kafka, to the identical state."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, NoReturn

import typer

from ops.cli.output import ExitCode, console, epilog, fail, note, print_json, say, say_error, settings, tell
from schemas.text import Text

if TYPE_CHECKING:
    from workers.inventory.report import Finding
    from workers.rebuild.backup import Backup
    from workers.rebuild.errors import RebuildError
    from workers.rebuild.ledger_rebuild import Comparison, Rebuilt
    from workers.rebuild.rebuild import Differences, LostOrder
    from workers.runtime.settings import Settings

HELP: Final = say(
    "Make the stock ledger in Redis again from Kafka: counters, reservations, transfers, deadlines and the orders' "
    "pointers, identical to what they were. Refuses while workers write, and when Redis still holds stock unless "
    "--replace is given. Orders whose last change never came to Kafka are named; --requeue lets the fleet decide them "
    "again. Exits 1 when it refuses, and with --dry-run when something differs.",
    "从 Kafka 重建 Redis 中的库存账本：计数、占用、调拨、到期列表和订单指针，与原状态完全一致。"
    "工作进程仍在写入时拒绝执行；Redis 中仍有库存数据时，除非使用 --replace，也拒绝执行。"
    "最后一次变更未到达 Kafka 的订单会被列出；--requeue 让系统重新处理这些订单。"
    "拒绝执行时退出码为 1；--dry-run 发现差异时退出码也为 1。",
)
EPILOG: Final = epilog(
    [
        (
            "orderfleet stock rebuild",
            Text("after Redis was emptied, workers stopped", "Redis 被清空后，先停止工作进程"),
        ),
        (
            "orderfleet stock rebuild --dry-run",
            Text("compare every key with what it should be; write nothing", "逐键比较，不写入"),
        ),
        (
            "orderfleet stock rebuild --replace --requeue",
            Text("repair a damaged Redis; writes a backup file first", "修复受损的 Redis；会先写出备份文件"),
        ),
        (
            "orderfleet stock rebuild --from stock-backup-20261111T040000Z.jsonl --replace",
            Text("put back what a backup file holds", "恢复备份文件的内容"),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)

_NAMED: Final = 20


Replace = Annotated[
    bool,
    typer.Option(
        "--replace", help=say("Redis holds stock: back it up, then replace it.", "Redis 中已有数据：备份后替换。")
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help=say("Compare with Redis; write nothing.", "只与 Redis 比较，不写入。"))
]
Requeue = Annotated[
    bool,
    typer.Option(
        "--requeue",
        help=say("Put orders whose last change was lost back on orders.planned.", "将丢失变更的订单放回队列重新处理。"),
    ),
]
AcceptGaps = Annotated[
    bool,
    typer.Option(
        "--accept-gaps",
        help=say(
            "Events are missing: take what there is. On-hand must be counted anew.",
            "事件有缺失：按现有事件重建。之后必须重新盘点在库数量。",
        ),
    ),
]
Source = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help=say("A backup file instead of Kafka.", "使用备份文件而不是 Kafka。"),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]


def rebuild(
    replace: Replace = False,
    dry_run: DryRun = False,
    requeue: Requeue = False,
    accept_gaps: AcceptGaps = False,
    source: Source = None,
    as_json: AsJson = False,
) -> None:
    """Check, read, write, tell."""
    import asyncio
    import gc

    from redis.exceptions import RedisError

    from ops.cli.servers import fail_away
    from workers.admin.servers import redis_refused
    from workers.rebuild.errors import RebuildError
    from workers.runtime.errors import TransientError

    if dry_run and (replace or requeue or source):
        fail(Text("give --dry-run alone: it writes nothing", "--dry-run 不写入任何内容，请单独使用"), ExitCode.USAGE)
    known = settings()
    gc.disable()  # millions of records are kept to the end: to look through them again and again finds no garbage
    try:
        code = asyncio.run(_run(known, _Wishes(replace, dry_run, requeue, accept_gaps, source, as_json)))
    except RebuildError as error:
        fail_rebuild(error)
    except TransientError as error:
        fail_away(known, error)
    except RedisError as error:
        fail(redis_refused(known, error), ExitCode.AWAY)
    finally:
        gc.enable()
    raise typer.Exit(code)


class _Wishes(NamedTuple):
    """The options."""

    replace: bool
    dry_run: bool
    requeue: bool
    accept_gaps: bool
    source: Path | None
    as_json: bool


async def _run(known: Settings, wishes: _Wishes) -> int:
    from ops.cli.servers import redis_client
    from workers.rebuild.ledger_rebuild import compare_ledger, rebuild_ledger, restore_ledger

    async with redis_client(known) as redis:
        kafka, told, folder = known.cluster, RebuildProgress(), Path.cwd()
        if wishes.dry_run:
            return _tell_differences(await compare_ledger(kafka, redis, told), wishes.as_json)
        if wishes.source is not None:
            keys = await restore_ledger(kafka, redis, told, folder, wishes.source, replace=wishes.replace)
            _tell_restored(keys, wishes.as_json)
        else:
            rebuilt = await rebuild_ledger(
                kafka,
                redis,
                told,
                folder,
                replace=wishes.replace,
                accept_gaps=wishes.accept_gaps,
                requeue=wishes.requeue,
            )
            _tell_done(rebuilt, wishes)
        return ExitCode.OK


def fail_rebuild(error: RebuildError) -> NoReturn:
    """End the command: nothing was changed."""
    from workers.rebuild.errors import BackupUnwritable, NotABackup, WritersAtWork

    if isinstance(error, WritersAtWork):
        for sign in error.signs:
            say_error(sign)
        note(Text("nothing was changed", "没有做任何修改"))
        raise typer.Exit(ExitCode.BAD)
    fail(error.text, ExitCode.USAGE if isinstance(error, (BackupUnwritable, NotABackup)) else ExitCode.BAD)


# -- telling -------------------------------------------------------------------------------------------------------


class RebuildProgress:
    """Tells on stderr what happens while it happens."""

    def read(self, topic: str, records: int) -> None:
        """How far it is."""
        note(Text(f"{topic}: {records} records read", f"{topic}：已读取 {records} 条"))

    def found_gap(self, finding: Finding) -> None:
        """What the events do not tell."""
        say_error(finding.message)

    def backed_up(self, backup: Backup) -> None:
        """Where the backup is."""
        keys, path = backup.keys, backup.path
        note(Text(f"{keys} keys backed up to {path}", f"已备份 {keys} 个键到 {path}"))


def _tell_restored(keys: int, as_json: bool) -> None:
    if as_json:
        print_json({"keys": keys})
    else:
        console().print(say(f"{keys} keys restored", f"已恢复 {keys} 个键"))


def _tell_differences(compared: Comparison, as_json: bool) -> int:
    events, found = compared
    if as_json:
        print_json({"same": found.is_none, "events": events, "differences": found})
    elif found.is_none:
        console().print(
            f"[green]{say('identical', '完全一致')}[/]: "
            + say(f"Redis holds to the byte what {events} events tell", f"Redis 与 {events} 条事件逐字节一致")
        )
    else:
        _print_differences(found)
    return ExitCode.OK if found.is_none else ExitCode.BAD


def _print_differences(found: Differences) -> None:
    kinds: Sequence[tuple[Text, dict[str, int]]] = (
        (Text("missing in Redis", "Redis 中缺少"), found.missing),
        (Text("not what the events tell", "与事件不一致"), found.other),
        (Text("told of by no event", "没有对应事件"), found.surplus),
    )
    for what, counts in kinds:
        for family, count in sorted(counts.items()):
            console().print(f"{tell(what)}: {family}: {count}", markup=False)
    for key in found.sample:
        console().print(f"  {key}", markup=False)


def _tell_done(rebuilt: Rebuilt, wishes: _Wishes) -> None:
    keys, events, seconds, reading = rebuilt.keys, rebuilt.events, rebuilt.seconds, rebuilt.reading_seconds
    if wishes.as_json:
        print_json(
            {
                "keys": keys,
                "events": events,
                "seconds": round(seconds, 2),
                "reading_seconds": round(reading, 2),
                "events_per_second": round(events / seconds),
                "unreadable": rebuilt.unreadable,
                "backup": str(rebuilt.backup) if rebuilt.backup else None,
                "lost_orders": rebuilt.lost,
                "requeued": wishes.requeue,
            }
        )
        return
    console().print(
        say(
            f"{keys} keys made again from {events} events in {seconds:.1f} s ({events / seconds:,.0f} events/s; "
            f"{reading:.1f} s of it reading). Check: orderfleet stock audit; then start the workers",
            f"已根据 {events} 条事件重建 {keys} 个键，用时 {seconds:.1f} 秒（{events / seconds:,.0f} 条/秒，"
            f"其中读取 {reading:.1f} 秒）。请运行 orderfleet stock audit 检查，然后启动工作进程",
        ),
        markup=False,
    )
    _tell_lost(rebuilt.lost, wishes.requeue)


def _tell_lost(lost: list[LostOrder], requeued: bool) -> None:
    if not lost:
        return
    say_error(
        Text(
            f"{len(lost)} orders were decided, and their last change of stock never came to Kafka:",
            f"有 {len(lost)} 个订单已处理，但其最后一次库存变更没有到达 Kafka：",
        )
    )
    for order in lost[:_NAMED]:
        console().print(f"  {order.order_uid} {order.revision}", markup=False)
    if len(lost) > _NAMED:
        note(
            Text(
                f"and {len(lost) - _NAMED} more; --json lists all",
                f"以及另外 {len(lost) - _NAMED} 个；--json 可列出全部",
            )
        )
    note(_what_next(requeued))


def _what_next(requeued: bool) -> Text:
    if requeued:
        return Text(
            "they are back on orders.planned and take their stock again when the workers start",
            "这些订单已放回 orders.planned，工作进程启动后会重新占用库存",
        )
    return Text(
        "run orderfleet stock rebuild --replace --requeue to let the fleet decide them again before workers start",
        "请在启动工作进程前运行 orderfleet stock rebuild --replace --requeue，让系统重新处理这些订单",
    )

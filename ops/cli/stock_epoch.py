"""`orderfleet stock epoch`: whether Redis is the one that Kafka tells of, and what to do when it was emptied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ops.cli.output import ExitCode, console, epilog, fail, note, print_json, say, settings
from ops.cli.stock_rebuild import RebuildProgress, fail_rebuild
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.rebuild.epoch import EpochStatus
    from workers.runtime.settings import Settings

HELP: Final = say(
    "Show which epoch of the stock Kafka knows and which one Redis has. They differ when Redis was emptied, or is "
    "another one; then workers hold still. orderfleet stock rebuild brings the stock back; --declare-new gives it up: "
    "nothing is in stock until it is counted. Exits 1 when they differ.",
    "显示 Kafka 和 Redis 中的库存纪元编号。二者不一致说明 Redis 被清空或连错了库，此时工作进程会停止处理。"
    "orderfleet stock rebuild 可恢复库存；--declare-new 则放弃原有库存：重新盘点之前没有任何库存。不一致时退出码为 1。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet stock epoch", Text("is this the right Redis, with its stock?", "Redis 是否正确、库存是否还在")),
        (
            "orderfleet stock epoch --declare-new",
            Text("workers stopped: begin with no stock at all", "停止工作进程后：从零库存重新开始"),
        ),
        (
            "orderfleet stock epoch --adopt",
            Text(
                "Redis came back from a copy without the id: it holds the stock",
                "Redis 由备份恢复但缺少编号：确认其中库存有效",
            ),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


def epoch(
    declare_new: Annotated[
        bool,
        typer.Option("--declare-new", help=say("Give the old stock up and begin anew.", "放弃原有库存，重新开始。")),
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt", help=say("This Redis holds the stock: give it the id.", "确认该 Redis 持有库存，写入编号。")
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """Look, or settle it."""
    import asyncio

    from ops.cli.servers import fail_away
    from workers.rebuild.errors import RebuildError
    from workers.runtime.errors import TransientError

    if declare_new and adopt:
        fail(Text("give --declare-new or --adopt, not both", "--declare-new 与 --adopt 不能同时使用"), ExitCode.USAGE)
    known = settings()
    try:
        code = asyncio.run(_run(known, declare_new=declare_new, adopt=adopt, as_json=as_json))
    except RebuildError as error:
        fail_rebuild(error)
    except TransientError as error:
        fail_away(known, error)
    raise typer.Exit(code)


async def _run(known: Settings, *, declare_new: bool, adopt: bool, as_json: bool) -> int:
    from ops.cli.servers import redis_client
    from workers.rebuild import epoch

    async with redis_client(known) as redis:
        if declare_new:
            _tell_anew(await epoch.declare_new(known.cluster, redis, Path.cwd(), RebuildProgress().backed_up))
        elif adopt:
            await epoch.adopt(known.cluster, redis)
            note(Text("check it now: orderfleet stock audit", "请立即核对：orderfleet stock audit"))
        return _tell(await epoch.epoch_status(known.cluster, redis), as_json)


def _tell_anew(warehouses: list[str]) -> None:
    if warehouses:
        names = ", ".join(warehouses)
        note(Text(f"nothing is in stock now in {names}: count it all", f"{names} 现在没有任何库存：请全部重新盘点"))


def _tell(status: EpochStatus, as_json: bool) -> int:
    known, found, same, fresh = status.known.epoch, status.found, status.is_same, status.is_fresh
    if as_json:
        print_json({"kafka": known, "redis": found or None, "same": same, "fresh": fresh})
    else:
        since = f", {moment(known.at)}, {known.reason}" if known else ""
        console().print(f"Kafka: {status.wanted or '-'}{since}\nRedis: {found or '-'}", markup=False)
    if status.advice is not None:
        note(status.advice)
    return ExitCode.OK if same or fresh else ExitCode.BAD

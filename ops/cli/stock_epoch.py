"""`orderfleet stock epoch`: whether Redis is the one that Kafka tells of, and what to do when it was emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ops.cli.output import ExitCode, console, epilog, fail, note, print_json, say, settings
from schemas.text import Text, moment

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from workers.inventory.epoch import Known
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

    from ops.cli.servers import fail_kafka_away, fail_redis_away
    from workers.runtime.errors import TransientError

    if declare_new and adopt:
        fail(Text("give --declare-new or --adopt, not both", "--declare-new 与 --adopt 不能同时使用"), ExitCode.USAGE)
    known = settings()
    try:
        code = asyncio.run(_run(known, declare_new=declare_new, adopt=adopt, as_json=as_json))
    except TransientError as error:
        if str(error).startswith("Redis"):
            fail_redis_away(known, error)
        fail_kafka_away(known, error)
    raise typer.Exit(code)


async def _run(known: Settings, *, declare_new: bool, adopt: bool, as_json: bool) -> int:
    from ops.cli.servers import redis_client
    from workers.inventory.epoch import EpochLog, read_epoch

    async with redis_client(known) as redis:
        if declare_new:
            await _declare_new(known, redis)
        elif adopt:
            await _adopt(known, redis)
        return _tell(await EpochLog(known.cluster).read(), await read_epoch(redis), as_json)


def _tell(known: Known, found: str, as_json: bool) -> int:
    wanted = known.epoch.epoch_id if known.epoch else ""
    same = bool(found) and found == wanted
    fresh = not wanted and not known.has_events
    if as_json:
        print_json({"kafka": known.epoch, "redis": found or None, "same": same, "fresh": fresh})
    else:
        since = f", {moment(known.epoch.at)}, {known.epoch.reason}" if known.epoch else ""
        console().print(f"Kafka: {wanted or '-'}{since}\nRedis: {found or '-'}", markup=False)
    if not same and not fresh:
        _tell_difference(found, known)
    return ExitCode.OK if same or fresh else ExitCode.BAD


def _tell_difference(found: str, known: Known) -> None:
    from workers.runtime.redis.epoch import EpochLost

    if known.epoch is None and found:
        note(Text("Kafka learns of it when the first worker starts", "首个工作进程启动后，Kafka 会记录该编号"))
        return
    advice = EpochLost.of(found).advice
    assert advice is not None
    note(advice)


async def _declare_new(known: Settings, redis: Redis) -> None:
    from ops.cli.stock_rebuild import clear, ledger_size, refuse_unless_quiet
    from workers.rebuild.rebuild import begin_anew

    await refuse_unless_quiet(known, redis)
    if await ledger_size(redis):
        await clear(redis, outboxes=True)
    warehouses = await begin_anew(known.cluster, redis)
    if warehouses:
        names = ", ".join(warehouses)
        note(Text(f"nothing is in stock now in {names}: count it all", f"{names} 现在没有任何库存：请全部重新盘点"))


async def _adopt(known: Settings, redis: Redis) -> None:
    from ops.cli.stock_rebuild import ledger_size
    from workers.inventory.epoch import carry_epoch

    if not await ledger_size(redis):
        fail(
            Text(
                "this Redis holds no stock: orderfleet stock rebuild brings it back",
                "该 Redis 中没有库存数据：请用 orderfleet stock rebuild 恢复",
            )
        )
    await carry_epoch(redis, known.cluster)
    note(Text("check it now: orderfleet stock audit", "请立即核对：orderfleet stock audit"))

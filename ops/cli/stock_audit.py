"""`orderfleet stock audit`: the proof that counters, reservations and inventory events tell one story."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    console,
    epilog,
    fail,
    note,
    print_json,
    print_table,
    say,
    settings,
    tell,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.admin.audit_watch import AuditWatch
    from workers.inventory.report import AuditReport, Finding
    from workers.rebuild.stock_audit import RunAudit
    from workers.runtime.settings import Settings

HELP: Final = say(
    "Prove on the live system that every counter equals the sum of its reservations and what the inventory events add "
    "up to, that every reservation is what its events say, and that no order holds stock twice. Changes nothing. "
    "Exits 1 when there is a finding. With --watch it goes on until it is told to leave, and exports metrics on "
    "ORDERFLEET_METRICS_PORT.",
    "在运行中的系统上核对：每个计数等于其占用记录之和，也等于库存事件的累计；每条占用与其事件一致；没有订单重复占用。"
    "不做任何修改。有发现时退出码为 1。使用 --watch 时持续运行，并在 ORDERFLEET_METRICS_PORT 上输出指标。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet stock audit", Text("findings, what they mean, what to do", "发现的问题、含义与处理办法")),
        ("orderfleet stock audit --json", Text("one JSON document", "一个 JSON 文档")),
        (
            "orderfleet stock audit --no-replay",
            Text("Redis alone, when Kafka is away", "只核对 Redis（Kafka 不可用时）"),
        ),
        (
            "ORDERFLEET_METRICS_PORT=9105 orderfleet stock audit --watch 60",
            Text("every minute, with metrics for Prometheus", "每分钟一次，并输出 Prometheus 指标"),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]


def audit(
    as_json: AsJson = False,
    no_replay: Annotated[
        bool, typer.Option("--no-replay", help=say("Leave Kafka and the events out.", "不读取 Kafka 和库存事件。"))
    ] = False,
    watch: Annotated[
        float | None,
        typer.Option(
            "--watch",
            min=1,
            metavar="SECONDS",
            help=say("Go on, with a pause of so long between two audits.", "持续运行，两次核对之间的间隔秒数。"),
        ),
    ] = None,
) -> None:
    """Compare, tell, and exit 1 on any finding."""
    import asyncio

    from redis.exceptions import RedisError

    from ops.cli.servers import fail_kafka_away, fail_redis_away
    from workers.admin.servers import redis_refused
    from workers.runtime.errors import TransientError

    known = settings()
    try:
        if watch is None:
            report = asyncio.run(_once(known, no_replay))
        else:
            asyncio.run(_watch(known, no_replay, watch, as_json))
            return
    except TransientError as error:
        if str(error).startswith("Redis"):
            fail_redis_away(known, error)
        note(Text("--no-replay audits Redis alone", "--no-replay 可只核对 Redis"))
        fail_kafka_away(known, error)
    except RedisError as error:
        fail(redis_refused(known, error), ExitCode.AWAY)
    if as_json:
        print_json(_report_as_json(report))
    else:
        _print_report(report)
    if report.findings:
        raise typer.Exit(ExitCode.BAD)


# -- auditing ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _auditor(known: Settings, no_replay: bool) -> AsyncIterator[RunAudit]:
    from ops.cli.servers import redis_client
    from workers.rebuild.stock_audit import opened_audit

    async with redis_client(known) as redis, opened_audit(redis, None if no_replay else known.cluster) as run:
        yield run


async def _once(known: Settings, no_replay: bool) -> AuditReport:
    async with _auditor(known, no_replay) as run:
        return await run()


async def _watch(known: Settings, no_replay: bool, pause: float, as_json: bool) -> None:
    """Until told to leave. A server that is away is waited for."""
    import asyncio
    import signal

    from ops.cli.worker import serve_metrics
    from workers.admin.audit_watch import opened_audit_watch

    port = serve_metrics(known.metrics_host, known.metrics_port)
    if as_json:
        print_json({"ready": True, "metrics_port": port})
    leave = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave.set)
    async with opened_audit_watch(known, with_kafka=not no_replay) as watching:
        while not leave.is_set():
            await _watch_connected(known, no_replay, watching, pause, as_json, leave)


async def _watch_connected(
    known: Settings, no_replay: bool, watching: AuditWatch, pause: float, as_json: bool, leave: Any
) -> None:
    """Audit after audit, until a server goes away or it is told to leave."""
    import asyncio
    from contextlib import suppress

    from workers.runtime.errors import TransientError

    try:
        async with _auditor(known, no_replay) as run:
            while not leave.is_set():
                _tell_round(await watching.round(run), as_json)
                with suppress(TimeoutError):
                    await asyncio.wait_for(leave.wait(), pause)
    except TransientError as error:
        note(Text(f"no audit: {error}; trying again", f"无法核对：{error}；将重试"))
        await watching.failed()
        with suppress(TimeoutError):
            await asyncio.wait_for(leave.wait(), min(pause, 5))


# -- telling -------------------------------------------------------------------------------------------------------


def _tell_round(report: AuditReport, as_json: bool) -> None:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    if as_json:
        print_json({"at": now, **_report_as_json(report)})
        return
    console().print(moment(now), markup=False)
    _print_report(report)


def _report_as_json(report: AuditReport) -> dict[str, Any]:
    return {
        "clean": report.is_clean,
        "warehouses": report.warehouses,
        "skus": report.skus,
        "reservations": report.reservations,
        "events": report.events,
        "lag": report.lag,
        "findings": [_finding_as_json(finding) for finding in report.findings],
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "error": finding.is_error,
        "warehouse_id": finding.warehouse_id,
        "sku": finding.sku,
        "order_uid": finding.order_uid,
        "message": finding.message.en,
        "message_zh": finding.message.zh,
    }


def _print_report(report: AuditReport) -> None:
    from workers.admin.audit_advice import ADVICE

    looked_at = _looked_at(report)
    if not report.findings:
        console().print(f"[green]{say('clean', '账实一致')}[/]: {looked_at}")
        return
    table = a_table(
        Text(f"{len(report.findings)} findings in {looked_at}", f"{looked_at}，发现 {len(report.findings)} 个问题"),
        [(Text("finding", "问题"), False), (Text("what", "内容"), False)],
    )
    for finding in report.findings:
        add_row(table, finding.kind, tell(finding.message), style="red" if finding.is_error else "yellow")
    print_table(table)
    for kind in dict.fromkeys(finding.kind for finding in report.findings):
        console().print(f"{kind}: {tell(ADVICE[kind])}", markup=False)


def _looked_at(report: AuditReport) -> str:
    counted = say(
        f"{report.warehouses} warehouses, {report.skus} SKUs, {report.reservations} reservations",
        f"{report.warehouses} 个仓库、{report.skus} 个 SKU、{report.reservations} 条占用",
    )
    if report.events is None:
        return counted + say(" (without the events)", "（未核对事件）")
    return counted + say(f", {report.events} events", f"、{report.events} 条事件")

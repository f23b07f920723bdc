"""`orderfleet doctor`: whether Redis and Kafka are set up so that nothing can be lost, and what to do where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

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
    say_error,
    settings,
    tell,
)
from schemas.text import Text

if TYPE_CHECKING:
    from workers.admin.facts import Facts
    from workers.admin.findings import Finding
    from workers.runtime.settings import Settings

HELP: Final = say(
    "Look at Redis and Kafka: durability, memory, versions, retention, copies, clocks, and whether Redis holds the "
    "stock that Kafka tells of. Says of each finding what to do. Exits 1 when a worker would refuse to start: with "
    "ORDERFLEET_STRICT=true at any finding.",
    "检查 Redis 和 Kafka：持久化、内存、版本、保留时间、副本、时钟，以及 Redis 是否持有 Kafka 所记录的库存。"
    "每个问题都给出处理办法。工作进程会拒绝启动时退出码为 1；ORDERFLEET_STRICT=true 时任何问题都会拒绝。",
)
EPILOG: Final = epilog(
    [
        (
            "orderfleet doctor",
            Text("before the first order, and after a change of a server", "上线前及服务器变更后"),
        ),
        (
            "ORDERFLEET_STRICT=true orderfleet doctor --json",
            Text("as a check in a deployment", "在部署流程中检查"),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """Ask, judge, tell."""
    import asyncio

    from workers.admin.checks import findings_of, refuses
    from workers.admin.preflight import wanted_of

    known = settings()
    facts, lost = asyncio.run(_look(known))
    found = [*lost, *findings_of(facts, wanted_of(known))]
    refused = refuses(found, strict=known.strict)
    if as_json:
        rows = [_as_json(one) for one in found]
        print_json({"ok": not (refused or facts.away), "strict": known.strict, "findings": rows, "facts": facts})
    else:
        _print(known, facts, found)
    if facts.away:
        raise typer.Exit(ExitCode.AWAY)
    if refused:
        raise typer.Exit(ExitCode.BAD)


def _as_json(one: Finding) -> dict[str, Any]:
    texts = {"problem": one.problem._asdict(), "advice": one.advice._asdict()}
    return {"code": one.code, "server": one.server, "severity": one.severity, **texts}


async def _look(known: Settings) -> tuple[Facts, list[Finding]]:
    from ops.cli.servers import redis_client
    from workers.admin.facts import gather_facts
    from workers.admin.redis_checks import epoch_finding
    from workers.inventory.epoch import EpochLog, read_epoch

    async with redis_client(known) as redis:
        facts = await gather_facts(redis, known.cluster)
        if facts.redis is None or facts.kafka is None or facts.redis.mode != "standalone":
            return facts, []
        told = await EpochLog(known.cluster).read()
        lost = epoch_finding(told.epoch.epoch_id if told.epoch else "", await read_epoch(redis), told.has_events)
        return facts, [lost] if lost else []


def _print(known: Settings, facts: Facts, found: list[Finding]) -> None:
    if found:
        title = Text("Findings", "检查结果")
        headings = Text("code", "代码"), Text("server", "服务器"), Text("finding", "问题"), Text("what to do", "怎么办")
        table = a_table(title, [(heading, False) for heading in headings])
        for one in found:
            style = "red" if one.severity.value == "refuses" else "yellow"
            add_row(table, one.code, one.server, tell(one.problem), tell(one.advice), style=style)
        print_table(table)
    for server, how in facts.away.items():
        say_error(Text(f"{server} does not answer: {how}", f"{server} 没有应答：{how}"))
    if not found and not facts.away:
        console().print(f"[green]{say('all is well', '一切正常')}[/]")
    elif found and not known.strict:
        note(
            Text(
                "workers start all the same, except at what is red; ORDERFLEET_STRICT=true makes them refuse",
                "除红色项外，工作进程仍会启动；设置 ORDERFLEET_STRICT=true 可使其拒绝启动",
            )
        )

"""The command line of the fault suite."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from ops.cli.output import ExitCode, a_table, add_row, epilog, fail, print_table, say, settings
from ops.testbed.torture.faults import FaultKind, Kafka
from ops.testbed.torture.plan import Size
from ops.testbed.torture.round import RoundReport
from ops.testbed.torture.run import Outcome, Run, torture
from schemas.text import Text

HELP = say(
    "Put the fleet under random faults while orders come in, and prove after each round that no order is lost or "
    "doubled and no unit oversold. All of a round follows from its seed.",
    "在随机故障下持续进单，每轮结束后核对：不丢单、不重复、不超卖。一轮的全部内容由种子决定。",
)
EPILOG = epilog(
    [
        ("python -m ops.testbed.torture", Text("ten rounds on the embedded broker", "内置消息队列上跑十轮")),
        (
            "python -m ops.testbed.torture --kafka apache --rounds 100",
            Text("Apache Kafka, one broker", "单节点 Apache Kafka"),
        ),
        ("python -m ops.testbed.torture --kafka apache3 --seed 7", Text("three brokers", "三节点")),
        (
            "python -m ops.testbed.torture --redis /usr/bin/redis-server --only 'Redis full' --seconds 40 --lasting 20",
            Text("a Redis 7 that is full for 20 s", "Redis 7 内存写满 20 秒"),
        ),
        (
            "python -m ops.testbed.torture --only 'Redis kill -9' --only 'worker kill -9'",
            Text("only these faults", "只用这些故障"),
        ),
        ("make torture ROUNDS=200 KAFKA=apache SEED=1", Text("the same with make", "用 make 运行")),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE),
)

KAFKA = say(
    "embedded (no broker restarts: it is in memory), apache (one node), apache3 (three nodes); apache needs java, mvn.",
    "embedded（内存型，不能重启）、apache（单节点）、apache3（三节点）；apache 需要 java 与 mvn。",
)
SEED = say("The first round's seed; each next round has the next.", "第一轮的种子，逐轮加一。")
ONLY = say("Only faults of this kind; may be given several times.", "只使用这类故障，可多次给出。")
FAULTS = say("Faults in one round.", "每轮故障数。")
ORDERS = say("Orders in one round.", "每轮订单数。")
SECONDS = say("How long input comes in, in seconds.", "每轮进单秒数。")
LASTING = say(
    "How long each fault lasts, in seconds; by default as its kind does.", "每个故障持续秒数；默认取决于类型。"
)
REDIS = say(
    "Another redis-server or valkey-server than the embedded one.", "用其他 redis-server 或 valkey-server 代替内置的。"
)
ROUNDS = say("How many rounds.", "轮数。")
LOGS = say(
    "Keep all logs in this empty folder; else only of a run that fails.", "日志目录（须为空）；不填则仅在失败时保留。"
)
JSON = say("Write the result here as JSON.", "结果以 JSON 写入此文件。")

DEFAULT = Size()

app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)


@app.command(help=HELP, epilog=EPILOG)
def command(
    kafka: Annotated[Kafka, typer.Option(help=KAFKA)] = Kafka.EMBEDDED,
    rounds: Annotated[int, typer.Option(min=1, help=ROUNDS)] = 10,
    seed: Annotated[int, typer.Option(min=0, help=SEED)] = 1,
    orders: Annotated[int, typer.Option(min=1, max=100_000, help=ORDERS)] = DEFAULT.orders,
    faults: Annotated[int, typer.Option(min=0, max=50, help=FAULTS)] = DEFAULT.faults,
    seconds: Annotated[float, typer.Option(min=0.5, max=3600, help=SECONDS)] = DEFAULT.seconds,
    only: Annotated[list[FaultKind] | None, typer.Option(help=ONLY)] = None,
    lasting: Annotated[float | None, typer.Option(min=0, max=600, help=LASTING)] = None,
    redis: Annotated[str | None, typer.Option(metavar="PROGRAM", help=REDIS)] = None,
    logs: Annotated[Path | None, typer.Option(help=LOGS)] = None,
    json: Annotated[Path | None, typer.Option(help=JSON)] = None,
) -> None:
    """The command."""
    signal.signal(signal.SIGTERM, _interrupted)
    run = Run(kafka, rounds, seed, Size(orders, faults, seconds, lasting), tuple(only or ()), redis)
    folder = Path(tempfile.mkdtemp(prefix="orderfleet-torture-")) if logs is None else logs
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):  # a stock ledger of an earlier run may lie there, and would be loaded
        fail(Text(f"{folder} is not empty; name another folder", f"{folder} 不是空目录，请换一个"), ExitCode.USAGE)
    try:
        run.faults()
        outcome = torture(run, settings(), folder, lambda report: _show(run, report))
    except KeyboardInterrupt:
        fail(Text(f"stopped; the logs are in {folder}", f"已停止，日志在 {folder}"), 130)
    except (RuntimeError, ValueError) as error:
        fail(Text(str(error), str(error)), ExitCode.BAD)
    _print(run, outcome)
    if json is not None:
        json.write_bytes(orjson.dumps(_as_json(outcome), option=orjson.OPT_INDENT_2))
    if outcome.totals.clean and logs is None:
        shutil.rmtree(folder)
    elif not outcome.totals.clean:
        typer.echo(say(f"the logs are kept in {folder}", f"日志保留在 {folder}"))
    raise typer.Exit(ExitCode.OK if outcome.totals.clean else ExitCode.BAD)


def _interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command."""
    app(prog_name="python -m ops.testbed.torture")


# -- while it runs --------------------------------------------------------------------------------------------------


def _show(run: Run, report: RoundReport) -> None:
    faults = ", ".join(f"{kind}" if count == 1 else f"{count} x {kind}" for kind, count in report.faults.items())
    slowest = max((outage.recovered or 0.0 for outage in report.outages), default=0.0)
    verdict = say("ok", "通过") if report.clean else say("WRONG", "有误")
    typer.echo(
        say(
            f"seed {report.seed}: {verdict}  {report.seconds:.1f} s  {report.orders} orders, "
            f"{report.places['routed']} routed  slowest recovery {slowest:.1f} s  [{faults}]",
            f"种子 {report.seed}：{verdict}  {report.seconds:.1f} 秒  {report.orders} 单，"
            f"派仓 {report.places['routed']}  最慢恢复 {slowest:.1f} 秒  [{faults}]",
        )
    )
    for kind, found in report.findings.items():
        typer.echo(f"  ! {kind}: {len(found)}")
        for one in found[:10]:
            typer.echo(f"      {one}")
    if not report.clean:
        again = _again(run, report.seed)
        typer.echo(say(f"  the same round again: {again}", f"  重跑这一轮：{again}"))


def _again(run: Run, seed: int) -> str:
    size = run.size
    only = "".join(f" --only '{kind}'" for kind in run.kinds)
    return (
        f"python -m ops.testbed.torture --kafka {run.kafka} --rounds 1 --seed {seed} "
        f"--orders {size.orders} --faults {size.faults} --seconds {size.seconds:g}{only}{_others(run)}"
    )


def _others(run: Run) -> str:
    lasting = "" if run.size.lasting is None else f" --lasting {run.size.lasting:g}"
    return lasting + (f" --redis {run.redis}" if run.redis else "")


# -- at the end -----------------------------------------------------------------------------------------------------


def _print(run: Run, outcome: Outcome) -> None:
    totals = outcome.totals
    faults = a_table(
        Text(f"Faults ({run.kafka})", f"故障（{run.kafka}）"),
        [(Text("kind", "种类"), False), (Text("times", "次数"), True)],
    )
    for kind, count in totals.faults.most_common():
        add_row(faults, kind, f"{count:,}")
    recoveries = a_table(
        Text("From the return to the first routed order, seconds", "恢复到首个派仓订单，秒"),
        [
            (Text("what was away", "中断对象"), False),
            (Text("times", "次数"), True),
            (Text("median", "中位数"), True),
            (Text("worst", "最慢"), True),
            (Text("nothing left to route", "已无待派订单"), True),
        ],
    )
    for what, one in totals.recoveries().items():
        add_row(recoveries, what, f"{one.count}", f"{one.median:.1f}", f"{one.worst:.1f}", f"{one.unseen}")
    places = a_table(
        Text("Where the orders ended", "订单去向"), [(Text("place", "去处"), False), (Text("orders", "订单"), True)]
    )
    for place, count in totals.places.most_common():
        add_row(places, place, f"{count:,}")
    for table in (faults, recoveries, places):
        print_table(table)
    for line in _summary(outcome):
        typer.echo(line)


def _summary(outcome: Outcome) -> list[str]:
    totals, found = outcome.totals, outcome.totals.findings
    answers = ", ".join(f"{count:,} {kind}" for kind, count in sorted(outcome.answers.items()))
    lines = [
        say(
            f"{totals.rounds} rounds in {totals.seconds:.0f} s: {totals.orders:,} orders; "
            f"{totals.records:,} records in ({totals.repeated:,} repeats, {totals.reordered:,} orders out of order), "
            f"{outcome.repeats:,} repeated messages out, {outcome.letters:,} dead letters, "
            f"all stock counters looked at {outcome.looks:,} times",
            f"{totals.rounds} 轮，{totals.seconds:.0f} 秒：{totals.orders:,} 单，输入 {totals.records:,} 条"
            f"（重复 {totals.repeated:,} 条，乱序 {totals.reordered:,} 单），输出重复 {outcome.repeats:,} 条，"
            f"死信 {outcome.letters:,} 条，"
            f"库存巡检 {outcome.looks:,} 次",
        ),
        say(f"waited for: {_waited(totals.waited, 's')}", f"等待：{_waited(totals.waited, '秒')}"),
        say(f"warehouses answered: {answers or 'nothing'}", f"仓库应答：{answers or '无'}"),
        say(
            f"lost {found['lost']}  oversold {found['oversold']}  double {found['double'] + found['misheld']}  "
            f"unanswered {found['unanswered']}  audit findings {found['audit']}  "
            f"lost stock events {found['missing events']}",
            f"丢单 {found['lost']}  超卖 {found['oversold']}  重复 {found['double'] + found['misheld']}  "
            f"未应答 {found['unanswered']}  核对不符 {found['audit']}  库存事件缺失 {found['missing events']}",
        ),
        say(
            f"slowest worker took {outcome.slowest_leave:.1f} s to leave; processes that ended by themselves: "
            f"{outcome.revived or 'none'}",
            f"进程退出最慢 {outcome.slowest_leave:.1f} 秒；自行结束的进程：{outcome.revived or '无'}",
        ),
    ]
    if totals.kafka is Kafka.EMBEDDED:
        lines.append(
            say(
                "The embedded broker keeps everything in memory, so it was not restarted: use --kafka apache for that.",
                "内置消息队列只在内存中，未做重启；请用 --kafka apache。",
            )
        )
    lines += [f"  ! {kind}: {count}" for kind, count in found.items()]
    lines += [f"  ! seed {report.seed}: {', '.join(report.findings)}" for report in totals.failed]
    lines.append(
        say("Nothing was found.", "没有发现问题。")
        if totals.clean
        else say("Something is wrong: see above.", "发现问题，见上。")
    )
    return lines


def _waited(seconds: Mapping[str, float], unit: str) -> str:
    longest = sorted(seconds.items(), key=lambda item: -item[1])
    return ", ".join(f"{what} {spent:.0f} {unit}" for what, spent in longest if spent >= 0.5)


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return outcome.totals.as_json(
        repeated_output=outcome.repeats,
        dead_letters=outcome.letters,
        answers=outcome.answers,
        stock_looks=outcome.looks,
        slowest_leave_seconds=round(outcome.slowest_leave, 2),
        revived=outcome.revived,
    )

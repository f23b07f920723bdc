"""`orderfleet demo`: the whole fleet on this machine, on simulated platforms, with its books checked at the end."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.output import ExitCode, a_table, console, epilog, fail, print_json, print_table, say, settings
from schemas.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from ops.testbed.demo.run import Report, View

HELP = say(
    "Run everything on this machine, on simulated platforms: broker, Redis, PostgreSQL, six shops, pollers, workers, "
    "sweeper, console. Ends by itself; exit code 0 means that every order is accounted for exactly once and the stock "
    "adds up.",
    "在本机运行整套系统（模拟平台）：消息队列、Redis、PostgreSQL、六个店铺、拉单、工作进程、超时释放、操作台。"
    "自动结束；退出码 0 表示每单恰好有一个去处且库存账实相符。",
)
EPILOG = epilog(
    [
        ("orderfleet demo", Text("5,000 orders, about a minute", "5000 单，约一分钟")),
        ("orderfleet demo --orders 50000", Text("more of them", "更多订单")),
        ("orderfleet demo --keep", Text("stay, to work in the console", "持续运行，试用操作台")),
        ("orderfleet demo --kill", Text("kill -9 one worker in the middle", "中途强杀一个工作进程")),
        ("orderfleet demo --seed 7 --json", Text("another run, as JSON", "换一个随机种子，输出 JSON")),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE),
)
_MB = 1 << 20
NOT_HERE = Text(
    "the demo is not in this image, which holds only what runs in production. Run it from a checkout: make demo",
    "本镜像只包含生产运行所需的内容，不含演示。请在源码目录中运行：make demo",
)

KEEP = say(
    "Stay until Ctrl-C, with orders trickling in: to work in the console.",
    "一直运行到 Ctrl-C，持续产生订单：用于试用操作台。",
)
_MANY, _TRICKLE = 1_000_000, 4.0
SECONDS = say("Place orders for at most so long; 0: no limit.", "最长下单秒数，0 为不限。")
KILL = say("kill -9 one worker in the middle.", "中途强杀一个工作进程。")
APART = say("Every stage in a process of its own.", "每个环节单独一个进程。")
FAULTS = say("Share of platform calls that fail.", "平台接口失败的比例。")

_TOPIC = (Text("topic", "主题"), False)
_MESSAGES = (Text("messages", "消息"), True)
_ORDERS = (Text("orders", "订单"), True)
_PROCESS = (Text("process", "进程"), False)
_WAREHOUSE = (Text("warehouse", "仓库"), False)
_PLACE = (Text("place", "去处"), False)
_MEMORY = [_PROCESS, *((text, True) for text in (Text("early", "前期"), Text("most", "最高"), Text("end", "结束")))]


def demo(
    orders: Annotated[int, typer.Option(min=1, help=say("Orders to place.", "下单总数。"))] = 5000,
    seconds: Annotated[float, typer.Option(min=0, help=SECONDS)] = 0,
    rate: Annotated[float, typer.Option(min=0, help=say("Orders a second; 0: chosen.", "每秒单数，0 为自动。"))] = 0,
    seed: Annotated[int, typer.Option(help=say("The same seed, the same orders.", "相同种子产生相同订单。"))] = 11,
    workers: Annotated[int, typer.Option(min=2, max=16, help=say("Worker processes.", "工作进程数。"))] = 2,
    kill: Annotated[bool, typer.Option(help=KILL)] = False,
    apart: Annotated[bool, typer.Option(help=APART)] = False,
    faults: Annotated[float, typer.Option(min=0, max=0.5, help=FAULTS)] = 0.005,
    keep: Annotated[bool, typer.Option(help=KEEP)] = False,
    json: Annotated[bool, typer.Option("--json", help=say("The summary as JSON.", "以 JSON 输出结果。"))] = False,
) -> None:
    """The command."""
    import shutil
    import tempfile
    from pathlib import Path

    try:
        from ops.testbed.demo.run import Demo, Plan, load_rules
    except ModuleNotFoundError as error:
        if error.name != "ops.testbed":
            raise
        fail(NOT_HERE, ExitCode.USAGE)

    _end_on_signals()
    if keep:
        orders, rate = max(orders, _MANY), rate or _TRICKLE
    pace = rate or min(150.0, max(50.0, orders / 30))
    if seconds:
        orders = min(orders, max(1, int(pace * seconds)))
    plan = Plan(
        orders,
        pace,
        seed,
        workers,
        partitions=8,
        hold_seconds=600.0 if keep else 15.0,
        kill=kill,
        apart=apart,
        faults=faults,
        keep=keep,
    )
    rules = load_rules(settings())
    folder = Path(tempfile.mkdtemp(prefix="orderfleet-demo-"))
    try:
        with _screen(json) as show:
            report = Demo(plan, folder).run(rules, 60 if keep else max(60, orders // 10), show)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        fail(Text("stopped; nothing is left running", "已停止，没有留下任何进程"), 130)
    except RuntimeError as error:
        fail(Text(f"{error}; all logs are in {folder}", f"{error}；全部日志在 {folder}"), ExitCode.BAD)
    if report.clean:
        shutil.rmtree(folder, ignore_errors=True)
    if json:
        print_json(_as_json(report) | ({} if report.clean else {"logs": str(folder)}))
    else:
        _print(report)
        _print_kept(report, folder)
    raise typer.Exit(ExitCode.OK if report.clean else ExitCode.BAD)


def _end_on_signals() -> None:
    """End everything on SIGTERM, and on SIGINT even where a shell has had it ignored, as of jobs in the background."""
    import signal

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)


# -- while it runs --------------------------------------------------------------------------------------------------


def _screen(json: bool) -> Any:
    if json:
        return nullcontext(lambda _view: None)
    if console().is_terminal:
        return _Live()
    return nullcontext(_Lines())


class _Live:
    """A table that is drawn anew twice a second."""

    def __enter__(self) -> Any:
        from rich.live import Live

        self._live = Live(console=console(), auto_refresh=False, transient=True)
        self._live.start()
        return lambda view: self._live.update(_picture(view), refresh=True)

    def __exit__(self, *_: object) -> None:
        self._live.stop()


class _Lines:
    """One line every few seconds, for a log."""

    def __init__(self) -> None:
        self._last = -1.0
        self._told = False

    def __call__(self, view: View) -> None:
        import time

        if view.console is not None and not self._told:
            self._told = True
            typer.echo(_console_line(view))
        if view.phase == "orders" and time.monotonic() - self._last < 3:
            return
        self._last = time.monotonic()
        typer.echo(_line(view))


def _console_line(view: View) -> str:
    """How people come into the console of this run."""
    access = view.console
    assert access is not None
    return say(
        f"The console: {access.url}   user {access.user}   password {access.password}",
        f"操作台：{access.url}   用户 {access.user}   密码 {access.password}",
    )


def _line(view: View) -> str:
    if view.phase == "servers":
        return say("starting broker and Redis ...", "启动消息队列与 Redis ……")
    if view.phase == "workers":
        return say("starting workers, sweeper, shops and pollers ...", "启动工作进程、超时释放、店铺与拉单 ……")
    planned, routed = view.messages.get("orders.planned", 0), sum(view.routed.values())
    shipped = view.answers.get("shipped", 0)
    review, expired = view.messages.get("orders.review", 0), view.stock_events.get("expired", 0)
    placed = str(view.placed) if view.target == _MANY else f"{view.placed}/{view.target}"
    return say(
        f"placed {placed}  planned {planned}  routed {routed}  shipped {shipped}  review {review}  "
        f"expired {expired}  gifts {view.gift_units}  lag {view.backlog}",
        f"已下单 {placed}  已决策 {planned}  已下发 {routed}  已发货 {shipped}  待审 {review}  "
        f"超时释放 {expired}  赠品 {view.gift_units}  积压 {view.backlog}",
    )


def _picture(view: View) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar

    if view.phase != "orders":
        return _line(view)
    stages = a_table(Text("Messages by topic", "各主题消息数"), [_TOPIC, _MESSAGES])
    for topic, count in sorted(view.messages.items()):
        stages.add_row(topic, f"{count:,}")
    houses = a_table(Text("Routed", "下发"), [_WAREHOUSE, _ORDERS])
    for warehouse, count in sorted(view.routed.items()):
        houses.add_row(warehouse, f"{count:,}")
    fleet = a_table(Text("Processes", "进程"), [(Text("process", "进程"), False), (Text("memory", "内存"), True)])
    for name, resident in view.memory.items():
        fleet.add_row(name, f"{resident / _MB:.0f} MB")
    console = [_console_line(view)] if view.console is not None else []
    return Group(
        *console, _line(view), ProgressBar(total=view.target, completed=view.placed, width=60), stages, houses, fleet
    )


# -- at the end -----------------------------------------------------------------------------------------------------


def _print(report: Report) -> None:
    verdict, books = report.verdict, report.books
    places = a_table(Text("Where the orders ended", "订单去向"), [_PLACE, _ORDERS])
    for place, count in verdict.places.most_common():
        places.add_row(place, f"{count:,}")
    channels = a_table(Text("Channels", "渠道"), [(Text("channel", "渠道"), False), (Text("orders", "订单"), True)])
    for channel, count in sorted(report.by_channel.items()):
        channels.add_row(channel, f"{count:,}")
    houses = a_table(Text("Warehouses", "仓库"), [_WAREHOUSE, _ORDERS])
    for warehouse, count in sorted(books.routed.items()):
        houses.add_row(warehouse, f"{count:,}")
    memory = a_table(Text("Memory, MB", "内存，MB"), _MEMORY)
    for name, (early, most, end) in _memory(report).items():
        memory.add_row(name, f"{early:.0f}", f"{most:.0f}", f"{end:.0f}")
    for table in (places, channels, houses, memory):
        print_table(table)
    for line in _findings(report):
        typer.echo(line)


def _memory(report: Report) -> dict[str, tuple[float, float, float]]:
    """Early is after a quarter of the run: what was loaded once is loaded by then."""
    figures = {}
    for name, samples in report.memory.items():
        seen = [sample / _MB for sample in samples if sample]
        if seen:
            figures[name] = (seen[len(seen) // 4], max(seen), seen[-1])
    return figures


def _findings(report: Report) -> list[str]:
    verdict, books, audit = report.verdict, report.books, report.audit
    lines = [
        say(
            f"{verdict.generated:,} orders in {report.seconds:.0f} s; {books.gift_units:,} gift units; "
            f"{books.repeats:,} repeated messages dropped; {report.restarts} restarts",
            f"共 {verdict.generated:,} 单，用时 {report.seconds:.0f} 秒；赠品 {books.gift_units:,} 件；"
            f"丢弃重复消息 {books.repeats:,} 条；重启 {report.restarts} 次",
        ),
        say(
            f"lost {len(verdict.lost)}  misplaced {len(verdict.misplaced)}  double {len(verdict.doubled)}  "
            f"unknown {len(verdict.unknown)}  oversold {len(report.oversold)}  "
            f"lost stock events {report.missing_events}",
            f"丢单 {len(verdict.lost)}  错放 {len(verdict.misplaced)}  重复 {len(verdict.doubled)}  "
            f"来历不明 {len(verdict.unknown)}  超卖 {len(report.oversold)}  库存事件缺失 {report.missing_events}",
        ),
        say(
            f"warehouses: shipped {books.answers['shipped']:,}  short {books.answers['short']}  "
            f"rejected {books.answers['rejected']}  cancelled {books.answers['cancelled']}  "
            f"cancelled too late {books.answers['cancelled-too-late']}  unanswered {report.unanswered}",
            f"仓库应答：发货 {books.answers['shipped']:,}  缺货 {books.answers['short']}  "
            f"拒绝 {books.answers['rejected']}  已取消 {books.answers['cancelled']}  "
            f"取消过晚 {books.answers['cancelled-too-late']}  未应答 {report.unanswered}",
        ),
        say(
            f"stock audit: {audit.warehouses} warehouses, {audit.skus} SKUs, {audit.reservations} reservations, "
            f"{len(audit.findings)} findings",
            f"库存核对：{audit.warehouses} 个仓库，{audit.skus} 个 SKU，{audit.reservations} 条占用记录，"
            f"{len(audit.findings)} 处不符",
        ),
    ]
    lines.append(
        say(
            f"order book: {report.in_book:,} orders, {len(report.book_disagrees)} in another stage than the books say",
            f"订单台账：{report.in_book:,} 单，其中 {len(report.book_disagrees)} 单的阶段与账目不符",
        )
    )
    lines.append(_ways_out(report))
    lines += [f"  ! {one}" for one in (*report.book_disagrees[:10], *report.ways_out.without[:10])]
    lines += [f"  ! {one}" for one in (*verdict.lost, *verdict.misplaced, *verdict.doubled, *verdict.unknown)[:20]]
    lines += [f"  ! {finding.warehouse_id}: {say(*finding.message)}" for finding in audit.findings[:10]]
    lines.append(
        say("Every order is accounted for, exactly once.", "每一单都有且只有一个去处。")
        if report.clean
        else say("The books do not balance.", "账目不平。")
    )
    return lines


def _ways_out(report: Report) -> str:
    """What a person could do with each order that waits for one."""
    ways = report.ways_out
    can = ", ".join(f"{kind} {orders}" for kind, orders in ways.can.items()) or "-"
    return say(
        f"in review: {ways.in_review:,}; a person could {can}; without a way out: {len(ways.without)}",
        f"等待人工：{ways.in_review:,} 单；可执行：{can}；没有出路：{len(ways.without)}",
    )


def _print_kept(report: Report, folder: Path) -> None:
    """Where to look when something is wrong."""
    if report.clean:
        return
    typer.echo(say(f"All logs are in {folder}", f"全部日志在 {folder}"))
    if report.history is not None:
        typer.echo(
            say(f"What the topics say of these orders: {report.history}", f"这些订单的消息经过：{report.history}")
        )


def _as_json(report: Report) -> dict[str, Any]:
    verdict = report.verdict
    return {
        "clean": report.clean,
        "orders": verdict.generated,
        "seconds": round(report.seconds, 1),
        "places": dict(verdict.places),
        "channels": report.by_channel,
        "warehouses": dict(report.books.routed),
        "lost": verdict.lost,
        "misplaced": verdict.misplaced,
        "double": verdict.doubled,
        "unknown": verdict.unknown,
        "oversold": report.oversold,
        "missing_events": report.missing_events,
        "answers": dict(report.books.answers),
        "unanswered": report.unanswered,
        "in_book": report.in_book,
        "book_disagrees": report.book_disagrees,
        "in_review": report.ways_out.in_review,
        "ways_out": report.ways_out.can,
        "without_a_way_out": report.ways_out.without,
        "audit_findings": len(report.audit.findings),
        "repeats": report.books.repeats,
        "restarts": report.restarts,
        "memory_mb": {name: [round(figure) for figure in figures] for name, figures in _memory(report).items()},
    }

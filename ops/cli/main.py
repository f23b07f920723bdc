"""`orderfleet`: every operator action is a subcommand with help, examples, JSON for machines, and exit codes.

The modules mounted here import what is heavy inside their commands, so that `--help` answers at once.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ops.cli import (
    alerts,
    api,
    backorders,
    book,
    console,
    dead_letters,
    demo,
    doctor,
    explain,
    figures,
    forget,
    notices,
    orders,
    parse,
    poll,
    receive,
    review,
    review_desk,
    review_list,
    review_show,
    rules,
    stock,
    stock_import,
    stock_template,
    tokens,
    topics,
    users,
    worker,
)
from ops.cli.output import ExitCode, epilog, language, say, say_error
from schemas.text import Text

HELP_OPTIONS: Final = frozenset(("-h", "--help"))

app = typer.Typer(
    name="orderfleet",
    help=say(
        "Order hub for sellers on many channels: normalize, tag, route and reserve orders exactly once.",
        "多渠道卖家的订单中枢：归一、打标、分仓、锁库存，每单只生效一次。",
    ),
    epilog=epilog(
        [
            ("orderfleet demo", Text("the whole fleet on this machine, on simulated platforms", "在本机演示整个流程")),
            (
                "orderfleet parse taobao page.json",
                Text("the orders that a platform's answer means", "平台报文里的订单是什么意思"),
            ),
            (
                "orderfleet explain taobao:main:2700000000000000001",
                Text("where an order is, and why", "订单在哪里、为什么"),
            ),
            ("ORDERFLEET_LANG=zh orderfleet --help", Text("the same in Chinese", "用中文显示")),
        ],
        tuple(code for code in ExitCode if code is not ExitCode.BUG),
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": sorted(HELP_OPTIONS, key=len)},
)

# The commands, in the order of --help: one line each.
READING = say("Read and try (no server needed)", "解读与试算（不需要服务器）")
OPERATING = say("Look and act (Redis, Kafka, PostgreSQL)", "查看与操作（Redis、Kafka、PostgreSQL）")
RUNNING = say("Run", "运行")

app.command("demo", rich_help_panel=RUNNING, epilog=demo.EPILOG, help=demo.HELP)(demo.demo)
app.command("worker", rich_help_panel=RUNNING, epilog=worker.EPILOG, help=worker.HELP)(worker.worker)
app.command("poll", rich_help_panel=RUNNING, epilog=poll.EPILOG, help=poll.HELP)(poll.poll)
app.command("receive", rich_help_panel=RUNNING, epilog=receive.EPILOG, help=receive.HELP)(receive.receive)
app.command("api", rich_help_panel=RUNNING, epilog=api.EPILOG, help=api.HELP)(api.api)
app.command("console", rich_help_panel=RUNNING, epilog=console.EPILOG, help=console.HELP)(console.console)
app.command("alerts", rich_help_panel=RUNNING, epilog=alerts.EPILOG, help=alerts.HELP)(alerts.alerts)
app.command("parse", rich_help_panel=READING, epilog=parse.EPILOG, help=parse.HELP)(parse.parse)
app.add_typer(rules.app, name="rules", rich_help_panel=READING)
app.command("doctor", rich_help_panel=OPERATING, epilog=doctor.EPILOG, help=doctor.HELP)(doctor.doctor)
app.command("explain", rich_help_panel=OPERATING, epilog=explain.EPILOG, help=explain.HELP)(explain.explain)
app.command("forget", rich_help_panel=OPERATING, epilog=forget.EPILOG, help=forget.HELP)(forget.forget)
stock.app.command("import", epilog=stock_import.EPILOG, help=stock_import.HELP)(stock_import.stock_import)
stock.app.command("template", epilog=stock_template.EPILOG, help=stock_template.HELP)(stock_template.template)
app.add_typer(stock.app, name="stock", rich_help_panel=OPERATING)
review.app.command("list", epilog=review_list.EPILOG, help=review_list.HELP)(review_list.list_)
app.add_typer(orders.app, name="orders", rich_help_panel=OPERATING)
review.app.command("show", epilog=review_show.EPILOG, help=review_show.HELP)(review_show.show)
review.app.command("bulk", epilog=review_desk.BULK_EPILOG, help=review_desk.BULK_HELP)(review_desk.bulk)
review.app.command("offers", epilog=review_desk.OFFERS_EPILOG, help=review_desk.OFFERS_HELP)(review_desk.offers)
app.add_typer(review.app, name="review", rich_help_panel=OPERATING)
app.add_typer(figures.app, name="figures", rich_help_panel=OPERATING)
app.add_typer(backorders.app, name="backorders", rich_help_panel=OPERATING)
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel=OPERATING)
app.add_typer(notices.app, name="notices", rich_help_panel=OPERATING)
app.add_typer(book.app, name="book", rich_help_panel=OPERATING)
app.add_typer(topics.app, name="topics", rich_help_panel=OPERATING)
app.add_typer(users.app, name="users", rich_help_panel=OPERATING)
app.add_typer(tokens.app, name="tokens", rich_help_panel=OPERATING)


def version() -> str:
    """The version of this code, whether it is installed or run from its source."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("orderfleet")
    except PackageNotFoundError:
        import tomllib

        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"orderfleet {version()}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help=say("Print the version.", "显示版本号。")
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """The entry point. No way out of it shows a traceback, unless ORDERFLEET_LOG_LEVEL is DEBUG."""
    _say_what_the_terminal_cannot()
    _log_to_stderr()
    try:
        if language() == "zh" and HELP_OPTIONS.intersection(sys.argv):
            _fold_help()
        app(prog_name="orderfleet")
    except Exception as error:
        if os.environ.get("ORDERFLEET_LOG_LEVEL") == "DEBUG":
            raise
        _report_bug(error)
        sys.exit(ExitCode.BUG)


def _say_what_the_terminal_cannot() -> None:
    """A character that the terminal's encoding lacks (GBK, ASCII) becomes a question mark, and ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _fold_help() -> None:
    """Let help in Chinese go on in the next line.

    Help stands in the cells of tables, where rich cuts what is too long a word; a Chinese sentence is one word to it.
    """
    from rich.text import Text as Styled
    from typer import rich_utils

    highlight: Any = rich_utils.highlighter

    def highlight_and_fold(text: str | Styled) -> Any:
        highlighted = highlight(text)
        if isinstance(text, Styled):  # what explains; names of options come as plain strings
            highlighted.overflow = "fold"
        return highlighted

    highlighter: Any = highlight_and_fold
    rich_utils.highlighter = highlighter  # all texts of the help go through it


def _log_to_stderr() -> None:
    """Every line with its time, in UTC: what several workers say is read side by side."""
    lines = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    lines.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(lines)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _report_bug(error: Exception) -> None:
    """Names the kind and the place only: an exception's own words may quote an order."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__}, {Path(last.filename).name}:{last.lineno}"
    say_error(
        Text(
            f"this is a mistake in orderfleet itself ({place}). "
            "Report it with this line; ORDERFLEET_LOG_LEVEL=DEBUG shows the details, which may hold personal data",
            f"这是 orderfleet 自身的程序错误（{place}）。请连同本行一起报告；"
            "设置 ORDERFLEET_LOG_LEVEL=DEBUG 可查看细节（可能含个人信息）",
        )
    )

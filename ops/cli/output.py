"""What every command shares: the language it speaks, how it prints, and how it ends.

Answers go to stdout, everything about them to stderr. With `--json` stdout holds JSON and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, get_args

import typer

from schemas.text import Language, Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from workers.runtime.settings import Settings

LANGUAGE_VARIABLE: Final = "ORDERFLEET_LANG"


class ExitCode(IntEnum):
    """How a command ends. Scripts may rely on it."""

    OK = 0
    BAD = 1  # what was asked about is bad, refused or not there
    USAGE = 2  # the command line, a file name or a setting is wrong
    AWAY = 3  # a server does not answer
    REFUSED = 4  # a decision was taken in, and is not applied
    BUG = 70  # our own mistake


EXITS: Final = {
    ExitCode.OK: Text("all is well", "一切正常"),
    ExitCode.BAD: Text(
        "what you asked about is bad, refused or was not found", "被检查的对象有问题、被拒绝，或没有找到"
    ),
    ExitCode.REFUSED: Text("what you decided is not applied; the code says why", "操作未生效，代码说明原因"),
    ExitCode.USAGE: Text("wrong usage: an option, a file name or a setting", "用法错误：选项、文件名或配置有误"),
    ExitCode.AWAY: Text(
        "Redis or Kafka does not answer, or cannot work now", "Redis 或 Kafka 没有应答，或暂时无法工作"
    ),
}


# -- language ------------------------------------------------------------------------------------------------------


@cache
def language() -> Language:
    """The language of the terminal: ORDERFLEET_LANG, else what the settings say, else English."""
    word = os.environ.get(LANGUAGE_VARIABLE)
    if word is None and Path(".env").exists():  # settings cost a quarter of a second: not for every --help
        try:
            word = settings().lang
        except typer.Exit as error:
            raise SystemExit(error.exit_code) from None
    if not word:
        return "en"
    for known in get_args(Language):
        if word == known:
            return known  # type: ignore[no-any-return]
    say_error(
        Text(
            f"the environment variable {LANGUAGE_VARIABLE} is not usable: write en or zh",
            f"环境变量 {LANGUAGE_VARIABLE} 不可用：请写 en 或 zh",
        ),
        "en",
    )
    raise SystemExit(ExitCode.USAGE)


def say(en: str, zh: str) -> str:
    """One message in the language of the terminal."""
    return tell(Text(en, zh))


def tell(text: Text) -> str:
    """The message in the language of the terminal."""
    return text.tell(language())


# -- printing ------------------------------------------------------------------------------------------------------


def console() -> Console:
    """The terminal, for answers. Looks up stdout anew, so that a redirected stdout is honoured."""
    from rich.console import Console

    return Console(soft_wrap=True, highlight=False)


def error_console() -> Console:
    """The terminal, for everything about an answer: refusals, hints, progress."""
    from rich.console import Console

    return Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any, *, pretty: bool = False) -> None:
    """One JSON value on stdout: one line, or indented for people. Records and datetimes are written as on the wire."""
    import orjson

    option = orjson.OPT_UTC_Z | (orjson.OPT_INDENT_2 if pretty else 0)
    typer.echo(orjson.dumps(value, option=option))


def print_table(table: Table) -> None:
    """A table that keeps all its text when stdout is not a terminal."""
    from rich.console import Console

    screen = Console(highlight=False)
    if not screen.is_terminal:
        screen = Console(highlight=False, width=400)
    screen.print(table)


def a_table(title: Text, columns: Sequence[tuple[Text, bool]]) -> Table:
    """An empty table. Each column has a heading and whether it holds numbers."""
    from rich import box
    from rich.table import Table

    table = Table(title=tell(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, is_number in columns:
        table.add_column(tell(heading), justify="right" if is_number else "left", overflow="fold")
    return table


def money(minor_units: int, currency: str) -> str:
    """An amount for people: 12800, CNY -> `128.00 CNY`."""
    from channel_adapters.reading import currency_digits

    digits = currency_digits(currency, "currency")
    sign, amount = "-" if minor_units < 0 else "", abs(minor_units)
    if not digits:
        return f"{sign}{amount} {currency}"
    return f"{sign}{amount // 10**digits}.{amount % 10**digits:0{digits}d} {currency}"


def add_row(table: Table, *cells: str, style: str | None = None) -> None:
    """A row whose cells are shown as they are: a title such as "[new] mug" is no markup."""
    from rich.text import Text as Styled

    table.add_row(*(Styled(cell) for cell in cells), style=style)


# -- ending --------------------------------------------------------------------------------------------------------


def fail(text: Text, code: ExitCode | int = ExitCode.BAD) -> NoReturn:
    """Say on stderr what happened and what to do, and end the command."""
    say_error(text)
    raise typer.Exit(code)


def say_error(text: Text, spoken: Language | None = None) -> None:
    """One line on stderr: what is wrong and what to do. Goes on."""
    from rich.text import Text as Styled

    tongue = spoken or language()
    head = Text("error: ", "错误：").tell(tongue)
    error_console().print(Styled.assemble((head, "bold red"), text.tell(tongue)))


def note(text: Text) -> None:
    """A remark on stderr, for the reader of the answer."""
    error_console().print(tell(text), markup=False, style="dim")


def settings() -> Settings:
    """The settings; when a variable is bad, ends the command and names it. Secrets are never quoted."""
    from pydantic import ValidationError

    from workers.runtime.settings import load_settings

    try:
        return load_settings()
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    for detail in found:
        name = "__".join(str(part) for part in detail["loc"]).upper()
        why = detail["msg"].removeprefix("Value error, ")
        one = Text(f"the setting ORDERFLEET_{name} is", f"配置项 ORDERFLEET_{name}")
        which = one if name else Text("the settings are", "配置")  # it takes several to be wrong
        say_error(
            Text(
                f"{which.en} not usable: {why}; set it in the environment or in .env",
                f"{which.zh} 不可用：{why}；请在环境变量或 .env 文件中修改",
            ),
            "zh" if os.environ.get(LANGUAGE_VARIABLE) == "zh" else "en",
        )
    raise typer.Exit(ExitCode.USAGE)


# -- help ----------------------------------------------------------------------------------------------------------


def epilog(
    examples: Iterable[tuple[str, Text]],
    exits: Iterable[ExitCode] = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE),
) -> str:
    """The end of a command's help: examples, and what its exit codes mean."""
    from rich.markup import escape

    rows = [f"[bold]{say('Examples', '示例')}[/]"]
    for command, what in examples:
        rows += [f"  [cyan]{escape(command)}[/]", f"      [dim]{escape(tell(what))}[/]"]
    rows += ["", f"[bold]{say('Exit codes', '退出码')}[/]"]
    rows += [f"  {int(code)}  {tell(EXITS[code])}" for code in exits]
    return "\n".join(rows)

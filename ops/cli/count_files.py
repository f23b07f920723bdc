"""A file of stock counts from the command line: read whole, or refused with every row that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import typer

from ops.cli.inputs import read_input, shown
from ops.cli.output import ExitCode, say_error
from schemas.text import Text
from workers.inventory.records import Count
from workers.inventory.stocktake.counts import RowProblem, read_count_file

_MOST_TOLD: Final = 100


def read_counts(name: str) -> dict[str, dict[str, Count]]:
    """Counts by warehouse and SKU. Tells every bad row on stderr and ends the command when there is one."""
    file = read_count_file(read_input(name), name, datetime.now(UTC), whole=False)
    if file.problems:
        tell_problems(name, file.problems)
        raise typer.Exit(ExitCode.USAGE)
    return file.by_warehouse()


def tell_problems(name: str, problems: Sequence[RowProblem]) -> None:
    """Each on a line of stderr, with the file's name."""
    for problem in problems[:_MOST_TOLD]:
        text, gap = problem.tell(), ", " if problem.row else " "
        say_error(Text(f"{shown(name)}{gap}{text.en}", f"{shown(name)}：{text.zh}"))
    more = len(problems) - _MOST_TOLD
    if more > 0:
        say_error(Text(f"{shown(name)}: and {more} more", f"{shown(name)}：另有 {more} 处"))

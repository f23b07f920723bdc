"""Whether a command line that a file shows would be understood by `orderfleet`. Runs nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import typer.main

from ops.cli.main import app


def complaint(arguments: Sequence[str]) -> str:
    """Why `orderfleet ARGUMENTS` is no command; "" when it is one."""
    command: Any = typer.main.get_command(app)
    words = list(arguments)
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return f"no subcommand {words[:1]} of {command.name}"
        command = command.commands[words.pop(0)]
    try:
        command.make_context(command.name, words)
    except Exception as error:
        return str(error) or type(error).__name__
    return ""


def shown_in(page: str) -> Iterator[list[str]]:
    """The arguments of every `orderfleet ...` in the code blocks of a Markdown page."""
    for block in re.findall(r"^```\w*\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if found := re.search(r"(?:^|\s)orderfleet (.*)", line):
                yield _arguments(found[1])


def _arguments(text: str) -> list[str]:
    words = shlex.split(text, comments=True)
    ends = [place for place, word in enumerate(words) if word in ("|", ">", "&&")]
    return words[: ends[0]] if ends else words

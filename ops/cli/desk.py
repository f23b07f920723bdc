"""The desk from a terminal: opening it, who is sitting there, and how its refusals end a command."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from ops.cli.output import ExitCode, fail, settings
from schemas.text import Text

if TYPE_CHECKING:
    from workers.admin.desk.access import Actor
    from workers.admin.desk.desk import Desk


@contextmanager
def at_desk() -> Iterator[tuple[Desk, Actor]]:
    """The desk, and whoever is at this terminal. Ends the command when a deed is refused or a server is away."""
    from workers.admin.desk.access import at_terminal
    from workers.admin.desk.asking import ServerAway
    from workers.admin.desk.desk import opened_desk
    from workers.admin.errors import OperatorError
    from workers.runtime.errors import TransientError

    try:
        with opened_desk(settings(), role="cli", connections=2) as desk:
            yield desk, at_terminal(login())
    except (OperatorError, TransientError, ServerAway) as error:
        fail_as(error)


def login() -> str:
    """The name of who uses this terminal, as far as this machine knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def fail_as(error: Exception) -> NoReturn:
    """End the command as the error says."""
    from workers.admin.desk.asking import ServerAway
    from workers.admin.errors import InvalidRequest, OperatorError
    from workers.runtime.errors import Misconfigured, TransientError

    if isinstance(error, ServerAway):
        fail(error.text, ExitCode.AWAY)
    if isinstance(error, OperatorError):
        fail(_with(error.text, error.advice), ExitCode.USAGE if isinstance(error, InvalidRequest) else ExitCode.BAD)
    assert isinstance(error, TransientError)
    code = ExitCode.USAGE if isinstance(error, Misconfigured) else ExitCode.AWAY
    fail(_with(Text(str(error), f"PostgreSQL 没有应答（{error.code}）"), error.advice), code)


def _with(text: Text, advice: Text | None) -> Text:
    return text if advice is None else Text(f"{text.en}; {advice.en}", f"{text.zh}；{advice.zh}")

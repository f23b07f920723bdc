"""The errors a stage may raise, sorted by what the runtime does next.

    StageError
    ├── TransientError    something we depend on is away: retry in place, then stop with the message not acknowledged
    │   └── Misconfigured it answers, and no retry helps until a person acts: stop at once, nothing acknowledged
    ├── RecordsRefused    Kafka never takes these records, all others are stored: dead-letter what they were made of
    └── PermanentError    this message can never be processed: dead-letter it and go on

Anything else that is raised is a bug: the message is dead-lettered with its traceback, and an alert fires.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping, Sequence
from typing import Final

from schemas.codes import LetterProblem
from schemas.dead_letter import Failure
from schemas.text import Text


class StageError(Exception):
    """Root of what a stage may raise on purpose."""


class TransientError(StageError):
    """Redis, Kafka or another service is away or overloaded.

    `code`: the service's own first word for it, "" where it has none. `advice`: what to do, for people.
    """

    code: str = ""
    advice: Text | None = None


class Misconfigured(TransientError):
    """A service answers and will not work with us as it or we are set up: a password, a right, a kind of server."""


class RecordsRefused(StageError):
    """Kafka answers, and says no to some of the records that were to be sent. All others of them are stored.

    `why`: what it said, in a word, by the place of the record in what was to be sent.
    """

    def __init__(self, why: Mapping[int, str]) -> None:
        super().__init__(f"Kafka refused {len(why)} records: {', '.join(sorted(set(why.values())))}")
        self.why = why


class PermanentError(StageError):
    """A message that no retry can help. `reason` is a code for metrics and for finding letters of one kind."""

    def __init__(self, reason: str, failures: Sequence[Failure]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.failures = tuple(failures)

    def __str__(self) -> str:
        told = (f"{each.attempt}: {each.where}: {each.tell('en')}" for each in self.failures)
        return f"{self.reason}: {'; '.join(told)}"


def bug(stage: str, error: BaseException) -> PermanentError:
    """What a letter says of a bug: the exception's type and where it was raised. Its words could quote an order."""
    told = LetterProblem.BUG(error=type(error).__name__)
    return PermanentError("bug", [Failure(attempt=stage, where=path_of(error), explanation=told)])


def path_of(error: BaseException) -> str:
    """The last few lines that an exception passed: `decide.py:12 read > money.py:80 fen`."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames)


_ENDS: Final = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)


def ends_the_process(error: BaseException) -> bool:
    """Whether it is not about what was at work, but asks the work to end. All else is a bug with one message.

    A panic of a library written in Rust is a BaseException, too, and is none of these.
    """
    return isinstance(error, _ENDS)


def is_closed(error: RuntimeError) -> bool:
    """Whether uvloop raised it, as it does for a write to a transport that was closed. asyncio raises nothing there."""
    return "the handler is closed" in str(error)

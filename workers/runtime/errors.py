"""The errors a stage may raise, sorted by what the runtime does next.

    StageError
    ├── TransientError    something we depend on is away: retry in place, then stop with the message not acknowledged
    │   └── Misconfigured it answers, and no retry helps until a person acts: stop at once, nothing acknowledged
    └── PermanentError    this message can never be processed: dead-letter it and go on

Anything else that is raised is a bug: the message is dead-lettered with its traceback, and an alert fires.
"""

from __future__ import annotations

from collections.abc import Sequence

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


class PermanentError(StageError):
    """A message that no retry can help. `reason` is a code for metrics and for finding letters of one kind."""

    def __init__(self, reason: str, failures: Sequence[Failure]) -> None:
        super().__init__(f"{reason}: " + "; ".join(f"{f.attempt}: {f.where}: {f.problem}" for f in failures))
        self.reason = reason
        self.failures = tuple(failures)


def is_closed(error: RuntimeError) -> bool:
    """Whether uvloop raised it, as it does for a write to a transport that was closed. asyncio raises nothing there."""
    return "the handler is closed" in str(error)

"""Why what an operator asked for is not done. The command line makes an exit code of the kind, an API a status.

    OperatorError
    ├── InvalidRequest   the question itself is none: an id, a name, a file or a setting is wrong
    ├── NotFound         there is nothing of that name
    ├── Rejected         it cannot or must not be done now
    └── NotAllowed       it can be done, and not by whoever asks
        └── Unknown      we do not know who asks

A server that is away is none of these: see workers/runtime/errors.py.
"""

from __future__ import annotations

from typing import ClassVar

from schemas.text import Text, TextError


class OperatorError(TextError):
    """Root of what this package raises on purpose.

    `code`: for programs, one word for one reason. `advice`: what to do, where `text` does not say it already.
    """

    usual: ClassVar[str] = "refused"

    def __init__(self, text: Text, code: str = "", advice: Text | None = None) -> None:
        super().__init__(text)
        self.code = code or self.usual
        self.advice = advice


class InvalidRequest(OperatorError):
    """What was asked for is no question that can be answered."""

    usual = "invalid-request"


class NotFound(OperatorError):
    """What was asked about is not there."""

    usual = "not-found"


class Rejected(OperatorError):
    """It cannot or must not be done as things stand."""

    usual = "rejected"


class NotAllowed(OperatorError):
    """It can be done, but not by whoever asks."""

    usual = "not-allowed"


class Unknown(NotAllowed):
    """It is not known who asks."""

    usual = "unknown-caller"

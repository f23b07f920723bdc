"""Why what an operator asked for is not done. The command line makes an exit code of the kind, an API a status.

    OperatorError
    ├── InvalidRequest   the question itself is none: an id, a name, a file or a setting is wrong
    ├── NotFound         there is nothing of that name
    └── Rejected         it cannot or must not be done now

A server that is away is none of these: see workers/runtime/errors.py.
"""

from __future__ import annotations

from schemas.text import TextError


class OperatorError(TextError):
    """Root of what this package raises on purpose."""


class InvalidRequest(OperatorError):
    """What was asked for is no question that can be answered."""


class NotFound(OperatorError):
    """What was asked about is not there."""


class Rejected(OperatorError):
    """It cannot or must not be done as things stand."""

"""What may be told of a message in a log, a letter or an error: names and keys that are codes, never what people typed.

A shop's plugin may put a name or a phone into any field. What looks like a code is told, and counted when it does not.
For a platform's word for a status see `channel_adapters.reading.word_shown`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_MANY_DIGITS: Final = re.compile(r"[0-9]{7}")
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}(\[[0-9]+\])?|[0-9]{1,9}")
_KEY: Final = re.compile(r"[A-Za-z0-9:_.#/+=-]*")


def path(parts: Iterable[object]) -> str:
    """Where in a message something is: names of fields and places in lists; `*` for what is neither."""
    told = (str(part) for part in parts)
    return ".".join(part if _FIELD.fullmatch(part) and not _MANY_DIGITS.search(part) else "*" for part in told)


def key(text: str) -> str:
    """An id as it is, where it is made of what ids are made of; of anything else the length."""
    return text if is_key(text) and len(text) <= 300 else f"({len(text):,} characters)"


def is_key(text: str) -> bool:
    """Whether a key or a header is made of what ids are made of: no blanks, no letters beyond ASCII, no @."""
    return _KEY.fullmatch(text) is not None

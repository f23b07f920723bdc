"""What may be told of a message in a log, a letter or an error: words that are codes, never what people typed.

A platform's word for a status is told, as nobody can act on it otherwise; but a shop's plugin may put a name or a phone
into any field. A word is told when it looks like a code, and counted when it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}|-?[0-9]{1,6}")
_MANY_DIGITS: Final = re.compile(r"[0-9]{7}")
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}(\[[0-9]+\])?|[0-9]{1,9}")
_KEY: Final = re.compile(r"[A-Za-z0-9:_.#/+=-]*")


def word(value: object) -> str:
    """A code as it is, in quotes; of anything else its kind and length."""
    text = str(value)
    if _CODE.fullmatch(text) and not _MANY_DIGITS.search(text):
        return f"'{text}'"
    return f"({type(value).__name__}, {len(text):,} characters)"


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

"""What the head of a request says before anybody has parsed it: only enough to tell whose turn it is. Pure."""

from __future__ import annotations

import re
from typing import Final

_METHOD: Final = b"POST "
_MOST_BYTES: Final = 64 << 10
_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_UNTOLD: Final = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


def head_end(early: bytearray, known: int) -> int | None:
    """Where the head ends in the bytes so far, of which the first `known` were looked at before. None: not yet."""
    end = early.find(_END, max(0, known - len(_END)))
    return None if end < 0 else end + len(_END)


def is_odd(early: bytearray) -> bool:
    """Whether it can be no push, or has so long a head that it will be refused: not worth waiting for the rest."""
    return len(early) > _MOST_BYTES or not early.startswith(_METHOD[: len(early)])


def size_told(early: bytearray, end: int) -> int | None:
    """Bytes of the body as the head says; None when it does not. How much is taken is for others to decide."""
    if _UNTOLD.search(early, 0, end):
        return None
    length = _LENGTH.search(early, 0, end)
    return int(length[1]) if length else 0

"""Pages by cursor: where a page ended, as a word that callers hand back and do not read. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from schemas.text import Text
from workers.admin.errors import InvalidRequest

T = TypeVar("T")

MOST: Final = 200
"""On one page."""

_LONGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list. `next`: what to ask for to go on; None: this was the last page."""

    items: list[T]
    next: str | None


def cut(found: Sequence[T], limit: int, key: Callable[[T], Any]) -> Page[T]:
    """A page of what was found; one more than `limit` was asked for, to know whether there is more."""
    items = list(found[:limit])
    return Page(items=items, next=to_cursor(key(items[-1])) if len(found) > limit else None)


def to_cursor(key: Any) -> str:
    """The word for a place in a list: the key of the last item, times in RFC 3339."""
    text = json.dumps(key, default=_as_text, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _as_text(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def from_cursor(cursor: str | None, *shape: type) -> list[Any] | None:
    """The key again, whose parts are of these types; None without a cursor. Raises InvalidRequest."""
    if cursor is None:
        return None
    try:
        if len(cursor) > _LONGEST:
            raise ValueError
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        parts = key if isinstance(key, list) else [key]
        if len(parts) != len(shape):
            raise ValueError
        return [_part(part, kind) for part, kind in zip(parts, shape, strict=True)]
    except (ValueError, RecursionError, binascii.Error):
        raise InvalidRequest(
            Text(
                "this cursor is none of ours: begin again without it, and hand `next` back as it is",
                "游标无效：请去掉它重新开始，并原样传回 next",
            ),
            "bad-cursor",
        ) from None


def _part(part: Any, kind: type) -> Any:
    if kind is datetime and isinstance(part, str):
        return datetime.fromisoformat(part)
    if type(part) is not kind or (type(part) is int and abs(part) >= 1 << 62) or (type(part) is str and "\0" in part):
        raise ValueError
    return part


def checked_limit(limit: int) -> int:
    """How many are asked for. Raises InvalidRequest."""
    if not 1 <= limit <= MOST:
        raise InvalidRequest(
            Text(f"limit is 1 to {MOST}; go on with the cursor", f"limit 为 1 到 {MOST}；更多请用游标翻页"), "bad-limit"
        )
    return limit

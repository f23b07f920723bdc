"""The platform's own labels, for rules to match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from channel_adapters.douyin.wire import Tag


def to_marks(groups: Sequence[Sequence[Tag] | None], promises: str | None) -> tuple[str, ...]:
    """The keys of all tags, then what `promise_info` promises."""
    if not promises and not any(groups):
        return ()
    keys = [tag.key for tags in groups for tag in tags or () if tag.key]
    return (*keys, *_promise_marks(promises)) if promises else tuple(keys)


def _promise_marks(promises: str) -> Iterator[str]:
    """`promise_info` is JSON in a text; it only labels the order, so that one we cannot read labels nothing."""
    try:
        told = orjson.loads(promises)
    except orjson.JSONDecodeError:
        return
    if isinstance(told, dict):
        for name, value in told.items():
            if value is True:
                yield name
            elif isinstance(value, (str, int)) and value:
                yield f"{name}={value}"

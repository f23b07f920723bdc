"""Identifiers: how they are spelled and how one is made from another."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

SLUG = re.compile(r"[a-z0-9-]+")

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,63}$")]
"""Channel names, shop ids and warehouse ids: safe in topic names, Redis keys and metric labels."""


class OrderUid(NamedTuple):
    """The three parts of an order uid. The platform's id may itself hold a colon; the first two parts never do."""

    channel: str
    shop_id: str
    platform_order_id: str

    @classmethod
    def parse(cls, uid: str) -> OrderUid:
        """Take a uid apart. Raises ValueError when it is not `<channel>:<shop>:<platform order id>`."""
        parts = uid.split(":", 2)
        if len(parts) != 3 or not all(parts) or not (SLUG.fullmatch(parts[0]) and SLUG.fullmatch(parts[1])):
            raise ValueError(f"not an order uid: {uid!r}; write <channel>:<shop>:<platform order id>")
        return cls(*parts)


def order_uid(channel: str, shop_id: str, platform_order_id: str) -> str:
    """The partition key of the whole order path: everything about one order happens in order."""
    return f"{channel}:{shop_id}:{platform_order_id}"

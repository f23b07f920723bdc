"""Conditions on the table orders, as SQL of our own with gaps for the values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Condition = tuple[str, list[Any]]


def of_shops(shops: Sequence[str]) -> Condition:
    """Orders `o` of any of these, each `channel:shop`; of none where there is none."""
    pairs = [shop.partition(":")[::2] for shop in shops]
    if not pairs:
        return "false", []
    if len(pairs) == 1:
        return "o.channel = %s AND o.shop_id = %s", list(pairs[0])
    return f"(o.channel, o.shop_id) IN ({', '.join(['(%s, %s)'] * len(pairs))})", [
        value for one in pairs for value in one
    ]


def together(conditions: Sequence[Condition]) -> Condition:
    """All of them."""
    text = " AND ".join(f"({text})" for text, _ in conditions) or "true"
    return text, [value for _, values in conditions for value in values]


def seen_shops(wanted: Sequence[str], seen: Sequence[str] | None) -> list[str] | None:
    """Those that are looked for and may be seen; None: all."""
    if seen is None:
        return sorted(set(wanted)) if wanted else None
    return sorted(set(wanted) & set(seen)) if wanted else sorted(set(seen))

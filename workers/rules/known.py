"""What a condition may name, and readers that several parts of the file share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from schemas.ids import SLUG
from workers.rules import condition as c
from workers.rules.catalogue import Catalogue
from workers.rules.condition import Condition, LineTest
from workers.rules.document import Node


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the file and the catalogue declare. None: anything goes."""

    regions: Mapping[str, tuple[str, ...]]
    tags: Collection[str] = ()
    catalogue: Catalogue | None = None
    channels: Collection[str] | None = None
    utc_offset: timedelta = field(default=c.BEIJING)


ConditionReader = Callable[[Node, Known], Condition | None]
LineReader = Callable[[Node, Known], LineTest | None]


def read_channels(node: Node, channels: Collection[str] | None) -> tuple[str, ...]:
    """Channel names, checked against those that exist when they are known."""
    if channels is None:
        return read_slugs(node)
    return node.choices(channels, "a channel", "渠道")


def read_slugs(node: Node) -> tuple[str, ...]:
    names = node.texts()
    for name in names:
        if not SLUG.fullmatch(name):
            node.problem(
                f"{name} should be small letters, digits and hyphens only", f"{name} 只能由小写字母、数字和短横线组成"
            )
    return tuple(name for name in names if SLUG.fullmatch(name))

"""A ruleset: the seller's warehouses, regions, keyword rules and routing rules, immutable once loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zlib import crc32

from schemas.plan import OnShort
from workers.rules.catalogue import Catalogue
from workers.rules.condition import Condition
from workers.rules.tagging import Tagging


class Until(StrEnum):
    """What a deferred order waits for."""

    FINAL_PAYMENT = "final-payment"
    SHIP_NOT_BEFORE = "ship-not-before"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Defer:
    """Wait: for the final payment, for the platform's ship date, or until `time`."""

    until: Until
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse that rules may name. `regions` is for people: rules decide, not this list."""

    warehouse_id: str
    title: str = ""
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)  # itself and no other: rules are keys of remembered decisions
class Rule:
    """When `holds`, do what is set: at most one of assign, force, defer and hold; on_short and tags go with any."""

    rule_id: str
    priority: int
    holds: Condition
    action: str  # as written: "assign: hangzhou"
    assign: tuple[str, ...] = ()
    force: str = ""
    defer: Defer | None = None
    hold: str = ""
    on_short: OnShort | None = None
    add_tags: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """All rules in the order in which they are asked: by priority number, then by their place in the file."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    warehouses: Mapping[str, Warehouse]
    tagging: Tagging
    regions: Mapping[str, tuple[str, ...]]
    description: str = ""
    digest: str = ""
    auto_percent: int = 100

    @property
    def label(self) -> str:
        """`name@version`: what every decision records."""
        return f"{self.name}@{self.version}"

    def lets_through(self, order_uid: str) -> bool:
        """Whether this order is in the share that goes to a warehouse without a person's consent.

        A stable hash decides: the same order always falls the same way, and raising the share only adds orders.
        """
        return self.auto_percent >= 100 or crc32(order_uid.encode()) % 100 < self.auto_percent


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What tag and route decide by, taken together so that a reload changes both at once."""

    ruleset: Ruleset
    catalogue: Catalogue

"""What the seller sells: category, storage and weight of every SKU, and which gift belongs to which main SKU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.order import LineKind, StorageClass


@dataclass(frozen=True, slots=True)
class Sku:
    """One thing that is sold. Weight in grams of one packed unit, list price in fen."""

    code: str
    title: str
    category: str
    storage: StorageClass = StorageClass.AMBIENT
    weight_grams: int = 0
    price_fen: int = 0
    kind: LineKind = LineKind.PURCHASE


@dataclass(frozen=True, slots=True)
class Binding:
    """For every `per` units of `main`, `quantity` units of `gift`. `channels` empty = all; `end` exclusive."""

    main: str
    gift: str
    per: int = 1
    quantity: int = 1
    channels: frozenset[str] = frozenset()
    start: datetime | None = None
    end: datetime | None = None

    def holds_for(self, channel: str, placed_at: datetime) -> bool:
        """Whether an order of this channel, placed at this time, is promised the gift."""
        if self.channels and channel not in self.channels:
            return False
        return (self.start is None or self.start <= placed_at) and (self.end is None or placed_at < self.end)

    def due(self, main_units: int) -> int:
        """How many gifts come with so many main units."""
        return main_units // self.per * self.quantity


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All SKUs and bindings, immutable. `digest` tells two contents apart."""

    skus: Mapping[str, Sku]
    bindings: tuple[Binding, ...] = ()
    digest: str = ""
    by_main: Mapping[str, tuple[Binding, ...]] = field(init=False)
    by_gift: Mapping[str, tuple[Binding, ...]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_main", _grouped(self.bindings, "main"))
        object.__setattr__(self, "by_gift", _grouped(self.bindings, "gift"))

    @property
    def categories(self) -> frozenset[str]:
        """Every category that a SKU is in."""
        return frozenset(sku.category for sku in self.skus.values())


def _grouped(bindings: tuple[Binding, ...], side: str) -> dict[str, tuple[Binding, ...]]:
    groups: dict[str, list[Binding]] = {}
    for binding in bindings:
        groups.setdefault(getattr(binding, side), []).append(binding)
    return {sku: tuple(group) for sku, group in groups.items()}

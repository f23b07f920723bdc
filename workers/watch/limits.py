"""How long is too long, and how full too full. Pure; the numbers come from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Source(StrEnum):
    """What is looked at; the keys of its matters begin with it."""

    REVIEW_WAITING = "review-waiting"
    SHIP_BY_NEAR = "ship-by-near"
    SHIP_BY_PASSED = "ship-by-passed"
    BACKORDERS_WAITING = "backorders-waiting"
    WAREHOUSE_SILENT = "warehouse-silent"
    SHOP_DRIFT = "shop-drift"
    SHOP_BEHIND = "shop-behind"
    PUSHES_LATE = "pushes-late"
    BOOK_BEHIND = "book-behind"
    BOOK_AWAY = "book-away"
    REDIS_MEMORY = "redis-memory"
    REDIS_DISK = "redis-disk"
    REDIS_FILE = "redis-file"

    def key(self, place: str) -> str:
        """The key of the matter of one shop, warehouse or server."""
        return f"{self}/{place}"

    @classmethod
    def of_key(cls, key: str) -> Source | None:
        """Whose matter it is; None for one of somebody else."""
        head, slash, _ = key.partition("/")
        return cls(head) if slash and head in set(cls) else None


DRIFT_SECONDS: Final = 3600.0
"""Messages that could not be read are counted over so long."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, but for the last four. `shops`: by channel/shop, what is another for it."""

    review_seconds: float = 14_400.0
    ship_seconds: float = 7_200.0
    backorder_seconds: float = 86_400.0
    answer_seconds: float = 1_800.0
    shop_seconds: float = 3_600.0
    push_seconds: float = 21_600.0
    book_seconds: float = 600.0
    unknown_seconds: float = 300.0
    drift_messages: int = 20
    redis_percent: int = 85
    redis_file_bytes: int = 0  # 0: however large
    silent_warehouses: frozenset[str] = frozenset()
    shops: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of_shop(self, name: str, shop: str) -> float:
        """The limit of this name for a shop (channel/shop)."""
        usual: float = getattr(self, name)
        return self.shops.get(shop, {}).get(name, usual)

    def of_book(self) -> dict[str, tuple[float, dict[str, float]]]:
        """What the order book is asked for: by source, the seconds, and those of single shops."""
        none: dict[str, float] = {}
        return {
            Source.REVIEW_WAITING: (self.review_seconds, self._by_shop("review_seconds")),
            Source.SHIP_BY_NEAR: (self.ship_seconds, self._by_shop("ship_seconds")),
            Source.SHIP_BY_PASSED: (0.0, none),
            Source.BACKORDERS_WAITING: (self.backorder_seconds, self._by_shop("backorder_seconds")),
            Source.WAREHOUSE_SILENT: (self.answer_seconds, none),
            Source.SHOP_DRIFT: (DRIFT_SECONDS, none),
        }

    def _by_shop(self, name: str) -> dict[str, float]:
        return {shop: of[name] for shop, of in self.shops.items() if name in of}

"""What the stage watch has found out. Pure. None stands for what could not be asked: unknown, and not "all is well"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from schemas.codes import Explanation
from schemas.notice import NoticeSeverity

Rows = Sequence[tuple[str, int, datetime]]
"""Of each shop (channel/shop) or warehouse: how many, and the time of the oldest."""


class BookFacts(NamedTuple):
    """`late`: by source. `behind`: since when nothing was written, and how many records wait."""

    late: Mapping[str, Rows]
    behind: tuple[datetime, int] | None


class RedisFacts(NamedTuple):
    """As Redis says of itself. `most_bytes` 0: not known. `failed`: what it could not write, "" = nothing failed."""

    used_bytes: int
    most_bytes: int
    failed: str
    file_bytes: int


class ShopReading(Protocol):
    """How far intake is with one shop. Times None: never."""

    @property
    def shop(self) -> str:
        """channel/shop."""
        ...

    @property
    def read_to(self) -> datetime | None:
        """Up to when it was polled without a gap."""
        ...

    @property
    def news_at(self) -> datetime | None:
        """When polling last found an order state that was new."""
        ...

    @property
    def pushed_at(self) -> datetime | None:
        """When its last push came."""
        ...


class Facts(NamedTuple):
    """All of one look. `no_book_since`: the book is kept and could not be asked since then."""

    book: BookFacts | None
    no_book_since: datetime | None
    redis: RedisFacts | None
    shops: Sequence[ShopReading] | None


class KnownMatter(Protocol):
    """What people know of a matter."""

    @property
    def standing(self) -> bool:
        """Whether it is not over."""
        ...

    @property
    def explanation(self) -> Explanation:
        """What it says."""
        ...

    @property
    def severity(self) -> NoticeSeverity:
        """How bad it is."""
        ...

"""What people decided about an order, as the books see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from schemas.decision import Decided, DecisionKind

STOPPED: Final = frozenset({"released", "ignored", "shipped", "wms-review"})
"""Where an order may be that a person has cancelled: it may have left before its warehouse was told."""

STOPS: Final = STOPPED | {"review"}
"""Where it may be while a person holds it."""

ANYWHERE: Final = (
    "shipped",
    "routed",
    "held",
    "expired",
    "backordered",
    "transfer-requested",
    "review",
    "wms-review",
    "deferred",
    "released",
    "ignored",
)
"""Where an order may end about which people decide: all legal places."""


@dataclass(slots=True)
class Decisions:
    """Of one order, in force and refused."""

    effective: dict[int, DecisionKind] = field(default_factory=dict)  # by number
    corrected: bool = False

    def add(self, decided: Decided) -> None:
        """Take an answer in; repeats change nothing."""
        if decided.is_done and decided.issued:
            self.effective[decided.number] = decided.kind
            self.corrected = self.corrected or decided.kind is DecisionKind.CORRECT

    def illegal(self, place: str) -> str:
        """Why an order may not be in this place; "" when it may."""
        kinds = [kind for _, kind in sorted(self.effective.items())]
        since = kinds[max((n for n, kind in enumerate(kinds) if kind is DecisionKind.RELEASE), default=-1) + 1 :]
        if DecisionKind.CANCEL in since and place not in STOPPED:
            return f"cancelled by hand: {place}"
        if DecisionKind.HOLD in since and place not in STOPS:
            return f"held by hand: {place}"
        return ""

    @property
    def gaps(self) -> bool:
        """Whether a number is missing: a decision took effect, and nobody was told."""
        return bool(self.effective) and set(self.effective) != set(range(1, max(self.effective) + 1))

"""What an audit finds."""

from __future__ import annotations

from enum import StrEnum

from schemas.record import record
from schemas.text import Text


class FindingKind(StrEnum):
    """What an audit can find."""

    COUNTER_DRIFT = "counter-drift"
    NEGATIVE_AVAILABLE = "negative-available"
    UNKNOWN_STATE = "unknown-state"
    HOLD_WITHOUT_DEADLINE = "hold-without-deadline"
    DEADLINE_WITHOUT_HOLD = "deadline-without-hold"
    CORRUPT = "corrupt"
    HELD_TWICE = "held-twice"
    REPLAY_DRIFT = "replay-drift"
    RECORD_DRIFT = "record-drift"
    LOST_EVENT = "lost-event"
    EVENT_CONFLICT = "event-conflict"
    REDIS_BEHIND = "redis-behind"
    UNREADABLE_EVENT = "unreadable-event"


@record
class Finding:
    """One thing that is not as it must be."""

    kind: FindingKind
    warehouse_id: str
    message: Text
    sku: str = ""
    order_uid: str = ""

    @property
    def is_error(self) -> bool:
        """False for what calls for a person but breaks no rule: more promised than a count found."""
        return self.kind is not FindingKind.NEGATIVE_AVAILABLE


@record
class AuditReport:
    """What an audit looked at and what it found."""

    warehouses: int
    skus: int
    reservations: int
    findings: tuple[Finding, ...] = ()
    events: int | None = None  # that were replayed; None: they were left out
    lag: int = 0  # newest events that were not in Kafka yet

    @property
    def is_clean(self) -> bool:
        """No rule of the ledger is broken."""
        return not any(finding.is_error for finding in self.findings)

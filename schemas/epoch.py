"""Which life of the stock ledger in Redis the rest of the fleet works with."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from schemas.record import record


class EpochReason(StrEnum):
    """Why a new one began."""

    FIRST_START = "first-start"
    REBUILT = "rebuilt"
    DECLARED_NEW = "declared-new"


@record
class StockEpoch:
    """On `inventory.epochs` (compacted), keyed by the ledger. Redis holds the id of the last one, or was emptied."""

    ledger: str
    epoch_id: str
    at: datetime
    reason: EpochReason

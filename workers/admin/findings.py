"""What is found where servers are not as they should be."""

from __future__ import annotations

from enum import StrEnum

from schemas.record import record
from schemas.text import Text


class Severity(StrEnum):
    """What a worker does about it when it starts."""

    WARNS = "warns"  # with ORDERFLEET_STRICT it refuses to start
    REFUSES = "refuses"


@record
class Finding:
    """One thing that is not as it should be."""

    code: str
    server: str  # redis | kafka
    severity: Severity
    problem: Text
    advice: Text


@record
class Wanted:
    """What an installation asks of its servers. `partitions` and `replication` of its topics."""

    orders: int  # that Redis has to remember at once
    partitions: int
    replication: int

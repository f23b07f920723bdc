"""What is sent to Kafka. No client is needed to make one."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """One record to send."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]

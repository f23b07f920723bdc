"""What every long-lived Kafka client of ours is told that is built on librdkafka."""

from __future__ import annotations

from typing import Final

STEADY: Final = {"metadata.recovery.strategy": "none"}
"""Keep what is known of the brokers while none of them answers.

librdkafka 2.10 and later otherwise begins anew from the bootstrap addresses whenever no broker is connected: many times
a second while the only one restarts, and it may not deliver for minutes after that.
"""

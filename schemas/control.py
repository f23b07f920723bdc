"""Whether a shop's channel is flowing, and if not, why."""

from __future__ import annotations

from datetime import datetime

from schemas.ids import Slug
from schemas.record import record


@record
class ChannelState:
    """On `channels.control` (compacted), keyed `<channel>/<shop>`."""

    channel: Slug
    shop_id: Slug
    paused: bool
    reason: str
    at: datetime

    @property
    def key(self) -> str:
        """The record key."""
        return f"{self.channel}/{self.shop_id}"

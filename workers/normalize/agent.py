"""The normalize stage: no I/O of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from channel_adapters.contract import ChannelAdapter
from schemas.order import Order
from workers.normalize.decide import decide
from workers.runtime.stage import Delivery, EachOf


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def adapters(self) -> Mapping[str, ChannelAdapter]:
        """The formats of all channels, by channel name."""
        ...


def normalize(services: Services) -> EachOf[bytes]:
    """The agent: every raw order in, one Order out."""
    adapters = services.adapters

    def normalize_one(delivery: Delivery[bytes]) -> Sequence[Order]:
        return (decide(delivery, adapters),)

    return EachOf(normalize_one)

"""The normalize stage: no I/O of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from channel_adapters.contract import ChannelAdapter
from channel_adapters.reading import unknown_words
from schemas.order import Order
from workers.normalize.decide import Shops, decide
from workers.runtime.metrics import UNKNOWN_WORDS
from workers.runtime.stage import Delivery, EachOf


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def adapters(self) -> Mapping[str, ChannelAdapter]:
        """The formats of all channels, by channel name."""
        ...

    @property
    def shops(self) -> Shops:
        """What the owners of shops have set about reading their orders."""
        ...


def normalize(services: Services) -> EachOf[bytes]:
    """The agent: every raw order in, one Order out."""
    adapters, shops = services.adapters, services.shops

    def normalize_one(delivery: Delivery[bytes]) -> Sequence[Order]:
        order = decide(delivery, adapters, shops)
        if order.holds:
            for field, _ in unknown_words(order):
                UNKNOWN_WORDS.labels(order.channel, field).inc()
        return (order,)

    return EachOf(normalize_one)

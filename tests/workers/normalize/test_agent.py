"""The agent gives one outcome per record: an order, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from channel_adapters.contract import ChannelAdapter
from channel_adapters.registry import CHANNELS
from schemas.order import Order
from workers.normalize.agent import normalize
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery

PAYLOADS = Path(__file__).parents[2] / "channel_adapters" / "woocommerce" / "payloads"


@dataclass(frozen=True)
class Services:
    adapters: Mapping[str, ChannelAdapter]


def a_record(order_id: int, payload: bytes) -> Delivery[bytes]:
    return Delivery(
        payload,
        key=f"woocommerce:mall-1:{order_id}".encode(),
        headers=[("shop", b"mall-1"), ("received-at", b"1789920031000")],
        topic="orders.raw.woocommerce",
    )


async def test_a_bad_record_does_not_stop_the_good_ones() -> None:
    agent = normalize(Services({name: channel.adapter for name, channel in CHANNELS.items()}))
    good = (PAYLOADS / "01_simple_paid.json").read_bytes()
    first, bad, last = await agent.handle([a_record(1001, good), a_record(1002, b"{"), a_record(1001, good)])
    assert isinstance(bad, PermanentError)
    assert bad.reason == "broken-json"
    assert [failure.attempt for failure in bad.failures] == ["rest-v3"]
    assert not isinstance(first, PermanentError)
    (order,) = first
    assert isinstance(order, Order)
    assert order.uid == "woocommerce:mall-1:1001"
    assert last == first

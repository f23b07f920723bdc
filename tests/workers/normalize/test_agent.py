"""The agent gives one outcome per record: an order, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import REGISTRY

from channel_adapters.contract import ChannelAdapter
from channel_adapters.registry import CHANNELS
from channel_adapters.shop_file import ShopPolicies
from schemas.codes import HoldCode
from schemas.order import Order, OrderStatus
from workers.normalize.agent import normalize
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery, EachOf

PAYLOADS = Path(__file__).parents[2] / "channel_adapters" / "woocommerce" / "payloads"


@dataclass(frozen=True)
class Services:
    adapters: Mapping[str, ChannelAdapter]
    shops: ShopPolicies


def a_record(order_id: int, payload: bytes) -> Delivery[bytes]:
    return Delivery(
        payload,
        key=f"woocommerce:mall-1:{order_id}".encode(),
        headers=[("shop", b"mall-1"), ("received-at", b"1789920031000")],
        topic="orders.raw.woocommerce",
    )


def an_agent(shops: Path | None = None) -> EachOf[bytes]:
    adapters = {name: channel.adapter for name, channel in CHANNELS.items()}
    return normalize(Services(adapters, ShopPolicies(shops, tuple(CHANNELS), lambda: 0.0)))


async def one(agent: EachOf[bytes], payload: bytes) -> Order:
    [outcome] = await agent.handle([a_record(1001, payload)])
    assert not isinstance(outcome, PermanentError)
    [order] = outcome
    assert isinstance(order, Order)
    return order


def counted(channel: str, field: str) -> float:
    return REGISTRY.get_sample_value("orders_unknown_words_total", {"channel": channel, "field": field}) or 0.0


async def test_a_word_that_nobody_knows_is_counted_and_a_shop_can_say_what_it_means(tmp_path: Path) -> None:
    strange = (PAYLOADS / "01_simple_paid.json").read_bytes().replace(b'"processing"', b'"awaiting-shipment"')
    before = counted("woocommerce", "status")
    held = await one(an_agent(), strange)
    assert (held.status, held.holds) == (OrderStatus.ON_HOLD, (HoldCode.UNKNOWN_STATUS,))
    assert "status?=awaiting-shipment" in held.marks
    assert counted("woocommerce", "status") == before + 1
    shops = tmp_path / "shops.yaml"
    shops.write_text(
        "- {channel: woocommerce, shop_id: mall-1, base_url: 'https://x',"
        " status_words: {wc-awaiting-shipment: to-ship}}"
    )
    known = await one(an_agent(shops), strange)
    assert (known.status, known.holds) == (OrderStatus.TO_SHIP, ())
    assert counted("woocommerce", "status") == before + 1


async def test_a_bad_record_does_not_stop_the_good_ones() -> None:
    agent = an_agent()
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

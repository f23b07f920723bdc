"""The agent gives one outcome per record: an order, or why there is none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from channel_adapters.contract import ChannelAdapter
from channel_adapters.registry import CHANNELS
from channel_adapters.shop_file import ShopPolicies
from schemas.codes import HoldCode
from schemas.order import Order, OrderStatus
from workers.normalize.agent import normalize
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery, EachOf
from workers.runtime.tasks import end_tasks, look_again

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
    return normalize(Services(adapters, ShopPolicies(shops, tuple(CHANNELS))))


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


WORD = "- {channel: woocommerce, shop_id: mall-1, base_url: 'https://x', status_words: {wc-awaiting-shipment: %s}}"


class Idle:
    """Shops in a file, and a stage that reads orders with them; nobody asks for a shop while the clock moves."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.shops = ShopPolicies(file, tuple(CHANNELS))
        adapters = {name: channel.adapter for name, channel in CHANNELS.items()}
        self.agent = normalize(Services(adapters, self.shops))
        self.now = 100.0

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.25)):
            self.now += 0.25
            self.shops.look(self.now)

    async def statuses(self) -> set[OrderStatus]:
        strange = (PAYLOADS / "01_simple_paid.json").read_bytes().replace(b'"processing"', b'"awaiting-shipment"')
        burst = [a_record(1001, strange) for _ in range(100)]
        orders = [order for outcome in await self.agent.handle(burst) for order in outcome]  # type: ignore[union-attr]
        return {order.status for order in orders}


async def test_a_word_added_while_no_order_comes_counts_for_the_whole_next_burst(tmp_path: Path) -> None:
    idle = Idle(tmp_path / "shops.yaml")
    assert await idle.statuses() == {OrderStatus.ON_HOLD}
    idle.file.write_text(WORD % "to-ship")
    idle.wait(60)
    assert await idle.statuses() == {OrderStatus.TO_SHIP}
    before = idle.file.stat()
    idle.file.write_text(WORD % "on-hold")
    os.utime(idle.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    idle.wait(2)
    assert await idle.statuses() == {OrderStatus.ON_HOLD}
    idle.file.write_text(WORD % "to-ship")
    idle.wait(2)
    assert await idle.statuses() == {OrderStatus.TO_SHIP}
    idle.file.unlink()
    idle.wait(2)
    assert await idle.statuses() == {OrderStatus.ON_HOLD}


async def test_a_broken_or_half_written_file_of_shops_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    idle = Idle(tmp_path / "shops.yaml")
    idle.file.write_text(WORD % "to-ship")
    idle.wait(2)
    idle.file.write_text((WORD % "on-hold") + "\n- {app_secret: hidden")
    idle.wait(10)
    assert await idle.statuses() == {OrderStatus.TO_SHIP}
    assert caplog.text.count("stay as they were") == 1
    assert "hidden" not in caplog.text
    idle.file.write_text(WORD % "on-hold")
    idle.wait(0.5)
    assert await idle.statuses() == {OrderStatus.TO_SHIP}
    idle.wait(1)
    assert await idle.statuses() == {OrderStatus.ON_HOLD}


async def test_a_mistake_of_ours_in_reading_shops_ends_no_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("hidden")

    idle = Idle(tmp_path / "shops.yaml")
    with monkeypatch.context() as broken:
        broken.setattr("channel_adapters.shop_file.load", fail)
        idle.file.write_text(WORD % "to-ship")
        idle.wait(2)
    assert await idle.statuses() == {OrderStatus.ON_HOLD}
    assert "ZeroDivisionError" in caplog.text
    assert "hidden" not in caplog.text
    idle.file.write_text((WORD % "to-ship") + "\n")
    idle.wait(2)
    assert await idle.statuses() == {OrderStatus.TO_SHIP}


async def test_the_file_of_shops_is_looked_at_by_a_timer(tmp_path: Path) -> None:
    idle = Idle(tmp_path / "shops.yaml")
    watching = asyncio.create_task(look_again(idle.shops.look, 0.05))
    idle.file.write_text(WORD % "to-ship")
    async with asyncio.timeout(30):
        while await idle.statuses() != {OrderStatus.TO_SHIP}:  # noqa: ASYNC110  # nobody else tells
            await asyncio.sleep(0.02)
    await end_tasks([watching])
    assert watching.cancelled()


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

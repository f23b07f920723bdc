"""The Pinduoduo client against a platform that checks what it is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import SecretStr

from channel_adapters.contract import (
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    RawOrder,
    Window,
)
from channel_adapters.pinduoduo.client import make_client
from channel_adapters.pinduoduo.signature import sign
from channel_adapters.shop import ShopSettings

NOW = datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC)
WINDOW = Window(datetime.fromtimestamp(1789864200, UTC), datetime.fromtimestamp(1789866000, UTC))
SHOP = ShopSettings(
    channel="pinduoduo",
    shop_id="sample-mall",
    base_url="http://127.0.0.1:9/pinduoduo",
    app_key="exampleClientId",
    app_secret=SecretStr("exampleSecret"),
    access_token=SecretStr("exampleToken"),
    page_size=2,
)

Answer = dict[str, Any]


class Platform:
    """Holds orders, newest first, and answers as the router does."""

    def __init__(self, order_sns: Sequence[str], failure: Answer | None = None) -> None:
        self.order_sns = list(order_sns)
        self.failure = failure
        self.calls: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/pinduoduo/api/router")
        assert not request.url.query
        form = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
        self.calls.append(form)
        return httpx.Response(200, json=self.failure or self.page(int(form["page"]), int(form["page_size"])))

    def page(self, number: int, size: int) -> Answer:
        rows = [self.order(order_sn) for order_sn in self.order_sns[(number - 1) * size : number * size]]
        return {"order_sn_increment_get_response": {"order_sn_list": rows, "total_count": len(self.order_sns)}}

    def order(self, order_sn: str) -> Answer:
        return {"order_sn": order_sn, "updated_at": "2026-09-20 08:40:00", "pay_amount": 24.9}

    def pages(self) -> list[int]:
        return [int(call["page"]) for call in self.calls]


async def pull(platform: Platform, shop: ShopSettings = SHOP) -> list[RawOrder]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(platform)) as http:
        client = make_client(shop, http, lambda: NOW)
        return [raw async for page in client.orders_modified(WINDOW) for raw in page]


async def refusal(failure: Answer) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        await pull(Platform(["A"], failure))
    return caught.value


def error(code: object) -> Answer:
    return {"error_response": {"error_msg": "exampleToken", "sub_msg": "", "sub_code": None, "error_code": code}}


async def test_every_call_carries_the_common_parameters_and_is_signed() -> None:
    platform = Platform(["A", "B", "C"])
    await pull(platform)
    for call in platform.calls:
        given = call.pop("sign")
        assert given == sign(call, "exampleSecret")
        assert call["type"] == "pdd.order.number.list.increment.get"
        assert (call["client_id"], call["access_token"]) == ("exampleClientId", "exampleToken")
        assert call["timestamp"] == "1789866000"
        assert (call["data_type"], call["version"]) == ("JSON", "V1")


async def test_all_orders_of_the_window_are_asked_for() -> None:
    platform = Platform(["A"])
    await pull(platform)
    (call,) = platform.calls
    assert (call["start_updated_at"], call["end_updated_at"]) == ("1789864200", "1789866000")
    assert (call["is_lucky_flag"], call["order_status"], call["refund_status"]) == ("0", "5", "5")
    assert "use_has_next" not in call  # it would drop the total, and with it the way to the last page


async def test_pages_are_walked_from_the_last_to_the_first() -> None:
    platform = Platform(["A", "B", "C", "D", "E"])
    raw_orders = await pull(platform)
    assert platform.pages() == [1, 3, 2, 1, 1, 2, 3]
    assert [raw.platform_order_id for raw in raw_orders] == ["E", "C", "D", "A", "B"]


async def test_rows_are_the_orders_themselves() -> None:
    platform = Platform(["A"])
    (raw,) = await pull(platform)
    assert json.loads(raw.payload) == platform.order("A")
    assert raw.modified_at == datetime(2026, 9, 20, 0, 40, 0, tzinfo=UTC)


async def test_an_empty_window_has_no_orders() -> None:
    platform = Platform([])
    assert await pull(platform) == []
    assert platform.pages() == [1]


@pytest.mark.parametrize(("asked", "used"), [(None, 100), (7, 7), (1000, 100)])
def test_the_rules_are_what_the_platform_allows(asked: int | None, used: int) -> None:
    rules = make_client(SHOP.model_copy(update={"page_size": asked}), httpx.AsyncClient(), lambda: NOW).rules
    assert rules.page_size == used
    assert rules.max_window == timedelta(minutes=30)
    assert rules.settle == timedelta(minutes=3)


@pytest.mark.parametrize("code", [52101, 70031, 52102, 52103, "52101", 40000, 60001, None, [], "x"])
async def test_limits_and_faults_of_the_platform_are_unavailable(code: object) -> None:
    assert isinstance(await refusal(error(code)), ChannelUnavailable)


@pytest.mark.parametrize("code", [10000, 10001, 20004, 39999, 50000, 52003, "10001"])
async def test_faults_of_the_request_are_refused(code: object) -> None:
    failure = await refusal(error(code))
    assert isinstance(failure, ChannelRefused)
    assert failure.code == str(code)


async def test_an_expired_token_says_what_to_do() -> None:
    failure = await refusal(error(10019))
    assert isinstance(failure, ChannelRefused)
    assert "authorise the shop again" in failure.text.en
    assert "重新授权" in failure.text.zh


@pytest.mark.parametrize("code", [10001, 52101, 52102])
async def test_the_words_of_an_error_are_never_repeated(code: int) -> None:
    failure = await refusal(error(code))
    assert "exampleToken" not in repr(failure) + repr(failure.text)

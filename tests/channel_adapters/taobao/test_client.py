"""The Taobao client against a platform that checks what it is asked."""

from __future__ import annotations

import asyncio
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
from channel_adapters.shop import ShopSettings
from channel_adapters.taobao.client import FIELDS, make_client
from channel_adapters.taobao.signature import sign
from channel_adapters.taobao.wire import FullTrade

NOW = datetime(2026, 9, 20, 4, 0, 0, tzinfo=UTC)
WINDOW = Window(datetime(2026, 9, 20, 3, 0, 0, tzinfo=UTC), datetime(2026, 9, 20, 3, 30, 0, tzinfo=UTC))
SHOP = ShopSettings(
    channel="taobao",
    shop_id="sample-flagship",
    base_url="http://127.0.0.1:9/taobao/",
    app_key="12345678",
    app_secret=SecretStr("helloworld"),
    access_token=SecretStr("exampleSession"),
    page_size=2,
)

Answer = dict[str, Any]


class Platform:
    """Holds trades, newest first, and answers as TOP does."""

    def __init__(self, tids: Sequence[int], **failures: Answer) -> None:
        self.tids = list(tids)
        self.failures = failures
        self.calls: list[dict[str, str]] = []
        self.running = 0
        self.most_at_once = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/taobao/router/rest")
        assert not request.url.query
        form = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
        self.calls.append(form)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        return httpx.Response(200, json=self.answer(form))

    def answer(self, form: dict[str, str]) -> Answer:
        if form["method"] == "taobao.trade.fullinfo.get":
            failure = self.failures.get(f"tid_{form['tid']}")
            return failure or {"trade_fullinfo_get_response": {"trade": self.trade(int(form["tid"]))}}
        return self.failures.get(f"page_{form['page_no']}") or self.page(int(form["page_no"]), int(form["page_size"]))

    def page(self, number: int, size: int) -> Answer:
        rows = [{"tid": tid} for tid in self.tids[(number - 1) * size : number * size]]
        trades = {"trade": rows} if rows else {}
        return {"trades_sold_increment_get_response": {"total_results": len(self.tids), "trades": trades}}

    def trade(self, tid: int) -> Answer:
        return {"tid": tid, "modified": "2026-09-20 11:10:00", "status": "TRADE_FINISHED", "orders": {}}

    def pages(self) -> list[int]:
        return [int(call["page_no"]) for call in self.calls if "page_no" in call]


async def pull(platform: Platform, shop: ShopSettings = SHOP) -> list[RawOrder]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(platform)) as http:
        client = make_client(shop, http, lambda: NOW)
        return [raw async for page in client.orders_modified(WINDOW) for raw in page]


async def refusal(platform: Platform) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        await pull(platform)
    return caught.value


def error(code: int, sub_code: str | None = None, sub_msg: str = "") -> Answer:
    return {"error_response": {"code": code, "msg": "m", "sub_code": sub_code, "sub_msg": sub_msg}}


# -- what is asked -------------------------------------------------------------------------------------------------


async def test_every_call_carries_the_common_parameters_and_is_signed() -> None:
    platform = Platform([1, 2, 3])
    await pull(platform)
    for call in platform.calls:
        given = call.pop("sign")
        assert given == sign(call, "helloworld", "hmac-sha256")
        assert call["app_key"] == "12345678"
        assert call["session"] == "exampleSession"
        assert call["timestamp"] == "2026-09-20 12:00:00"  # Beijing
        assert (call["format"], call["v"], call["sign_method"]) == ("json", "2.0", "hmac-sha256")


async def test_the_window_is_asked_in_beijing_time() -> None:
    platform = Platform([1])
    await pull(platform)
    listing = platform.calls[0]
    assert listing["method"] == "taobao.trades.sold.increment.get"
    assert (listing["start_modified"], listing["end_modified"]) == ("2026-09-20 11:00:00", "2026-09-20 11:30:00")
    assert "use_has_next" not in listing  # it would drop the total, and with it the way to the last page


async def test_pages_are_walked_from_the_last_to_the_first() -> None:
    platform = Platform([1, 2, 3, 4, 5])
    raw_orders = await pull(platform)
    assert platform.pages() == [1, 3, 2, 1, 1, 2, 3]  # the first look tells the total
    assert [raw.platform_order_id for raw in raw_orders] == ["5", "3", "4", "1", "2"]


async def test_a_single_page_is_asked_once() -> None:
    platform = Platform([1, 2])
    await pull(platform)
    assert platform.pages() == [1]


async def test_an_empty_window_has_no_orders() -> None:
    platform = Platform([])
    assert await pull(platform) == []
    assert platform.pages() == [1]


async def test_a_trade_modified_while_the_pages_are_walked_is_not_lost() -> None:
    class Moving(Platform):
        def page(self, number: int, size: int) -> Answer:
            answer = super().page(number, size)
            if len(self.pages()) == 2:
                self.tids.insert(0, self.tids.pop(3))  # trade 4, still to come, moves to the front
            return answer

    raw_orders = await pull(Moving([1, 2, 3, 4, 5]))
    assert {raw.platform_order_id for raw in raw_orders} == {"1", "2", "3", "4", "5"}


async def test_each_trade_is_fetched_whole_with_every_field_we_read() -> None:
    platform = Platform([7, 8])
    raw_orders = await pull(platform)
    details = [call for call in platform.calls if call["method"] == "taobao.trade.fullinfo.get"]
    assert [call["tid"] for call in details] == ["7", "8"]
    assert {call["fields"] for call in details} == {FIELDS}
    assert set(FIELDS.split(",")) == set(FullTrade.model_fields)
    assert json.loads(raw_orders[0].payload) == platform.trade(7)
    assert raw_orders[0].modified_at == datetime(2026, 9, 20, 3, 10, 0, tzinfo=UTC)


def test_the_fields_include_those_that_an_oaid_is_built_from() -> None:
    needed = {"receiver_name", "receiver_address", "created", "receiver_mobile", "receiver_phone"}
    assert needed <= set(FIELDS.split(","))


async def test_details_are_fetched_eight_at_once() -> None:
    platform = Platform(range(1, 41))
    await pull(platform, SHOP.model_copy(update={"page_size": 40}))
    assert platform.most_at_once == 8


@pytest.mark.parametrize(("asked", "used"), [(None, 50), (7, 7), (1000, 100)])
def test_the_page_size_stays_within_what_the_platform_allows(asked: int | None, used: int) -> None:
    client = make_client(SHOP.model_copy(update={"page_size": asked}), httpx.AsyncClient(), lambda: NOW)
    assert client.rules.page_size == used
    assert client.rules.max_window == timedelta(minutes=30)


# -- what it makes of errors ---------------------------------------------------------------------------------------


async def test_a_rate_limit_tells_how_long_to_wait() -> None:
    limited = error(7, "accesscontrol.limited-by-api-access-count", "This ban will last for 3 more seconds")
    failure = await refusal(Platform([1], page_1=limited))
    assert isinstance(failure, ChannelUnavailable)
    assert failure.retry_after == 3.0


async def test_a_rate_limit_that_does_not_tell_is_one_all_the_same() -> None:
    failure = await refusal(Platform([1], page_1=error(7)))
    assert isinstance(failure, ChannelUnavailable)
    assert failure.retry_after is None


@pytest.mark.parametrize("answer", [error(15, "isp.remote-service-error"), error(10), error(15), error(40, "isp.x")])
async def test_faults_of_the_platform_are_unavailable(answer: Answer) -> None:
    assert isinstance(await refusal(Platform([1], page_1=answer)), ChannelUnavailable)


@pytest.mark.parametrize(
    ("answer", "code", "advice"),
    [
        (error(27, "invalid-sessionkey"), "invalid-sessionkey", "authorise the shop again"),
        (error(26), "26", "authorise the shop again"),
        (error(25), "25", "app_secret"),
        (error(41, "isv.invalid-parameter"), "isv.invalid-parameter", "TOP docs"),
        (error(15, "isv.trade-not-exist"), "isv.trade-not-exist", "TOP docs"),
        ({"error_response": {}}, "unknown", "TOP docs"),
    ],
)
async def test_refusals_name_their_code_and_what_to_do(answer: Answer, code: str, advice: str) -> None:
    failure = await refusal(Platform([1], page_1=answer))
    assert isinstance(failure, ChannelRefused)
    assert failure.code == code
    assert advice in failure.text.en


async def test_a_failing_detail_fails_the_window() -> None:
    failure = await refusal(Platform([1, 2], tid_2=error(27, "invalid-sessionkey")))
    assert isinstance(failure, ChannelRefused)


async def test_the_words_of_an_error_are_never_repeated() -> None:
    answer = error(41, "isv.bad 中文 exampleSession", "exampleSession")
    failure = await refusal(Platform([1], page_1=answer))
    assert "exampleSession" not in repr(failure) + repr(failure.text)

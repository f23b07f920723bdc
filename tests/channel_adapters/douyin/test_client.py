"""The Douyin client against a platform in memory: signing, windows, paging, errors."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, Window
from channel_adapters.douyin.client import make_client
from channel_adapters.douyin.signature import sign
from channel_adapters.shop import ShopSettings

NOW = datetime(2026, 9, 20, 1, 0, 5, tzinfo=UTC)  # 1789866005
WINDOW = Window(datetime(2026, 9, 20, 0, 0, 0, tzinfo=UTC), datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC))
SECRET = "00000000-0000-4000-8000-000000000000"

Handler = Callable[[httpx.Request], httpx.Response]


def a_shop(**changes: Any) -> ShopSettings:
    fields: dict[str, Any] = {
        "channel": "douyin",
        "shop_id": "dy-1",
        "base_url": "http://127.0.0.1:8080/douyin/",
        "app_key": "7000000000000000001",
        "app_secret": SecretStr(SECRET),
        "access_token": SecretStr("a-secret-token"),
    }
    return ShopSettings(**(fields | changes))


async def pull(handler: Handler, window: Window = WINDOW, **changes: Any) -> list[list[str]]:
    """The order ids of every page, as the client hands them on."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        client = make_client(a_shop(**changes), http, lambda: NOW)
        return [[raw.platform_order_id for raw in page] async for page in client.orders_modified(window)]


def page_of(total: int, ids: list[str]) -> httpx.Response:
    rows = [{"order_id": each, "update_time": 1789862401} for each in ids]
    data = {"page": 0, "size": 100, "total": total, "shop_order_list": rows}
    return httpx.Response(200, json={"code": 10000, "msg": "success", "data": data})


class Shop:
    """A doudian shop with numbered orders, one per second from the start of WINDOW."""

    def __init__(self, orders: int) -> None:
        self.orders = orders
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        given = json.loads(request.content)
        first = int(WINDOW.start.timestamp())
        inside = [
            str(number)
            for number in range(self.orders)
            if given["update_time_start"] <= first + number <= given["update_time_end"]
        ]
        self.asked.append((given["update_time_start"] - first, given["update_time_end"] - first, given["page"]))
        begin = given["page"] * given["size"]
        return page_of(len(inside), inside[begin : begin + given["size"]])


async def test_a_call_is_signed_over_the_very_bytes_that_are_sent() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return page_of(0, [])

    assert await pull(handler) == []
    (request,) = seen
    body = request.content.decode()
    assert request.method == "POST"
    assert str(request.url.copy_with(query=None)) == "http://127.0.0.1:8080/douyin/order/searchList"
    assert request.headers["content-type"] == "application/json"
    assert body == (
        '{"order_asc":true,"order_by":"update_time","page":0,"size":100,'
        '"update_time_end":1789866000,"update_time_start":1789862400}'
    )
    assert dict(request.url.params) == {
        "app_key": "7000000000000000001",
        "method": "order.searchList",
        "access_token": "a-secret-token",
        "timestamp": "1789866005",
        "v": "2",
        "sign_method": "hmac-sha256",
        "sign": sign("7000000000000000001", SECRET, "order.searchList", body, "1789866005"),
    }
    assert request.url.params["sign"] == "8b3338b37b624c8df9b9d1d9caa6bc136a3667e03dbe4f2dd705f5824ab5cde4"


async def test_one_page_is_read_once() -> None:
    shop = Shop(orders=3)
    assert await pull(shop) == [["0", "1", "2"]]
    assert [page for _, _, page in shop.asked] == [0]


async def test_pages_are_walked_from_the_last_so_that_none_is_skipped() -> None:
    shop = Shop(orders=5)
    assert await pull(shop, page_size=2) == [["4"], ["2", "3"], ["0", "1"]]
    assert [page for _, _, page in shop.asked] == [0, 2, 1, 0, 0, 1, 2]


async def test_an_order_that_leaves_the_window_midway_hides_no_other() -> None:
    rows = [str(number) for number in range(6)]
    calls = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls == 3:
            rows.remove("1")  # modified again: it is in a later window now
        begin = json.loads(request.content)["page"] * 2
        return page_of(len(rows), rows[begin : begin + 2])

    seen = {each for page in await pull(handler, page_size=2) for each in page}
    assert {"0", "2", "3", "4", "5"} <= seen


async def test_a_window_deeper_than_pages_reach_is_read_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channel_adapters.douyin.client.DEEPEST", 4)
    shop = Shop(orders=8)
    window = Window(WINDOW.start, WINDOW.start + timedelta(seconds=8))
    seen = {each for page in await pull(shop, window, page_size=2) for each in page}
    assert seen == {str(number) for number in range(8)}
    assert all(page < 2 for _, _, page in shop.asked), "no page beyond the deepest is asked for"
    assert {(start, end) for start, end, _ in shop.asked} >= {(0, 8), (0, 4), (4, 8)}


async def test_a_window_of_less_than_a_second_is_not_empty() -> None:
    shop = Shop(orders=1)
    window = Window(WINDOW.start, WINDOW.start + timedelta(milliseconds=5))
    assert await pull(shop, window) == [["0"]]
    assert shop.asked == [(0, 1, 0)], "the platform refuses equal ends"


async def test_a_bad_row_does_not_hide_the_rest_of_its_page() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        data = {"total": 2, "shop_order_list": [{"no": "id"}, {"order_id": "2", "update_time": "x"}]}
        return httpx.Response(200, json={"code": 10000, "data": data})

    ((bad, good),) = await pull(handler)
    assert bad.startswith("unidentified-")
    assert good == "2"


def refusing(code: int, sub_code: str) -> Handler:
    body = {"code": code, "msg": "x", "sub_code": sub_code, "sub_msg": "x", "data": None, "log_id": "LOG1"}
    return lambda request: httpx.Response(200, json=body)


@pytest.mark.parametrize(
    ("code", "sub_code"),
    [(20000, "dop.service-error"), (60000, "isv.traffic-limited"), (70000, "isp.api-service-off"), (90000, "")],
)
async def test_the_platforms_own_trouble_is_unavailable(code: int, sub_code: str) -> None:
    with pytest.raises(ChannelUnavailable) as caught:
        await pull(refusing(code, sub_code))
    assert "LOG1" in caught.value.text.en


@pytest.mark.parametrize(
    ("code", "sub_code", "told", "advice"),
    [
        (40003, "isv.access-token-expired", "isv.access-token-expired", "authorise the shop again"),
        (40003, "isv.access-token-no-existed", "isv.access-token-no-existed", "authorise the shop again"),
        (40003, "isv.signature-invalid", "isv.signature-invalid", "app secret"),
        (40003, "isv.timestamp-invalid", "isv.timestamp-invalid", "clock"),
        (30001, "", "30001", "permission"),
        (30001, "isv.no-permission", "isv.no-permission", "permission"),
        (50001, "", "50001", "authorise the shop"),
        (40001, "isv.missing-parameter", "isv.missing-parameter", "documentation"),
    ],
)
async def test_a_refusal_says_what_to_do(code: int, sub_code: str, told: str, advice: str) -> None:
    with pytest.raises(ChannelRefused) as caught:
        await pull(refusing(code, sub_code))
    assert caught.value.code == told
    assert advice in caught.value.text.en


async def test_the_token_in_the_query_string_stays_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await pull(Shop(orders=1))
    assert "order/searchList" in caplog.text, "httpx logs the request, or this test proves nothing"
    assert "a-secret-token" not in caplog.text


def test_a_larger_page_than_the_platform_gives_is_not_asked_for() -> None:
    assert make_client(a_shop(page_size=500), httpx.AsyncClient(), lambda: NOW).rules.page_size == 100

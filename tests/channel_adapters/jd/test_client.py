"""The JD client against a platform in memory: signing, windows, paging, errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, Window
from channel_adapters.jd.client import FIELDS, make_client
from channel_adapters.jd.signature import sign
from channel_adapters.jd.wire import DetailOrder
from channel_adapters.shop import ShopSettings

NOW = datetime(2026, 9, 20, 1, 0, 5, tzinfo=UTC)
WINDOW = Window(datetime(2026, 9, 20, 0, 0, 0, tzinfo=UTC), datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC))

Handler = Callable[[httpx.Request], httpx.Response]


def a_shop(**changes: Any) -> ShopSettings:
    fields: dict[str, Any] = {
        "channel": "jd",
        "shop_id": "jd-1",
        "base_url": "http://127.0.0.1:8080/jd",
        "app_key": "jd-app-key",
        "app_secret": SecretStr("a-secret"),
        "access_token": SecretStr("a-secret-token"),
    }
    return ShopSettings(**(fields | changes))


async def pull(handler: Handler, window: Window = WINDOW, **changes: Any) -> list[list[str]]:
    """The order ids of every page, as the client hands them on."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        client = make_client(a_shop(**changes), http, lambda: NOW)
        return [[raw.platform_order_id for raw in page] async for page in client.orders_modified(window)]


def asked(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode(), keep_blank_values=True))


def page_of(total: int, ids: list[str], **result: Any) -> httpx.Response:
    rows = [{"orderId": each, "modified": "2026-09-20 08:30:00"} for each in ids]
    told = {"apiResult": {"success": True, "numberCode": 0}, "orderTotal": total, "orderInfoList": rows} | result
    return httpx.Response(200, json={"jingdong_pop_order_search_responce": {"searchorderinfo_result": told}})


async def test_a_call_is_signed() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return page_of(0, [])

    assert await pull(handler) == []
    (request,) = seen
    form = asked(request)
    assert request.method == "POST"
    assert str(request.url) == "http://127.0.0.1:8080/jd/routerjson"
    assert form.pop("sign") == sign(form, "a-secret")
    business = json.loads(form.pop("360buy_param_json"))
    assert form == {
        "method": "jingdong.pop.order.search",
        "access_token": "a-secret-token",
        "app_key": "jd-app-key",
        "timestamp": "2026-09-20 09:00:05.000+0800",
        "v": "2.0",
    }
    assert business == {
        "start_date": "2026-09-20 08:00:00",
        "end_date": "2026-09-20 09:00:00",
        "order_state": "WAIT_SELLER_STOCK_OUT,WAIT_SELLER_DELIVERY,WAIT_SEND_CODE,WAIT_GOODS_RECEIVE_CONFIRM,"
        "FINISHED_L,TRADE_CANCELED,PAUSE,POP_ORDER_PAUSE,LOCKED",
        "optional_fields": ",".join(FIELDS),
        "page": "1",
        "page_size": "100",
        "sortType": "1",
        "dateType": "0",
    }


def test_every_field_that_the_mapping_reads_is_asked_for() -> None:
    read = {field.alias or name for name, field in DetailOrder.model_fields.items()}
    assert read <= set(FIELDS)


async def test_pages_are_walked_from_the_last_so_that_none_is_skipped() -> None:
    rows = ["a", "b", "c", "d", "e"]
    pages: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        business = json.loads(asked(request)["360buy_param_json"])
        pages.append(int(business["page"]))
        begin = (pages[-1] - 1) * 2
        return page_of(len(rows), rows[begin : begin + 2])

    assert await pull(handler, page_size=2) == [["e"], ["c", "d"], ["a", "b"]]
    assert pages == [1, 3, 2, 1, 1, 2, 3]


async def test_a_window_deeper_than_a_hundred_pages_is_read_in_halves() -> None:
    spans: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        business = json.loads(asked(request)["360buy_param_json"])
        span = (business["start_date"], business["end_date"])
        spans.append(span)
        whole = span == ("2026-09-20 08:00:00", "2026-09-20 09:00:00")
        return page_of(101 if whole else 1, [span[0]])

    await pull(handler, page_size=1)
    assert spans[2:] == [  # after the first page and the deepest, which shows that there are so many
        ("2026-09-20 08:00:00", "2026-09-20 08:30:00"),
        ("2026-09-20 08:30:00", "2026-09-20 09:00:00"),
    ]


async def test_a_window_that_ends_within_a_second_asks_up_to_the_next() -> None:
    spans: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        business = json.loads(asked(request)["360buy_param_json"])
        spans.append((business["start_date"], business["end_date"]))
        return page_of(0, [])

    start = WINDOW.start + timedelta(milliseconds=700)
    await pull(handler, Window(start, start + timedelta(seconds=2)))
    assert spans == [("2026-09-20 08:00:00", "2026-09-20 08:00:03")]


def refusing(code: str) -> Handler:
    error = {"error_response": {"code": code, "zh_desc": "x", "en_desc": "x"}}
    return lambda request: httpx.Response(200, json=error)


async def test_a_call_limit_is_unavailable() -> None:
    with pytest.raises(ChannelUnavailable):
        await pull(refusing("2"))


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("8", "clock"),
        ("12", "app secret"),
        ("19", "authorise the shop again"),
        ("21", "app key"),
        ("2001", "permission"),
        ("15", "documentation"),
    ],
)
async def test_a_refusal_says_what_to_do(code: str, advice: str) -> None:
    with pytest.raises(ChannelRefused) as caught:
        await pull(refusing(code))
    assert caught.value.code == code
    assert advice in caught.value.text.en


async def test_a_failure_inside_a_success_is_refused_in_jds_words() -> None:
    failure = {
        "success": False,
        "numberCode": 10300003,
        "chineseErrCode": "时间范围不能超过一个月",
        "englishErrCode": "",
    }
    with pytest.raises(ChannelRefused) as caught:
        await pull(lambda request: page_of(0, [], apiResult=failure))
    assert caught.value.code == "10300003"
    assert "时间范围不能超过一个月" in caught.value.text.zh


async def test_an_id_or_a_token_in_jds_words_is_cut_out() -> None:
    failure = {"success": False, "numberCode": 1, "englishErrCode": "invalid token a-secret-token of 249000000001"}
    with pytest.raises(ChannelRefused) as caught:
        await pull(lambda request: page_of(0, [], apiResult=failure))
    assert "invalid token … of …" in caught.value.text.en


async def test_a_code_inside_the_answer_is_a_refusal_too() -> None:
    with pytest.raises(ChannelRefused) as caught:
        await pull(lambda request: httpx.Response(200, json={"jingdong_pop_order_search_responce": {"code": "12"}}))
    assert caught.value.code == "12"


def test_a_larger_page_than_the_platform_gives_is_not_asked_for() -> None:
    assert make_client(a_shop(page_size=500), httpx.AsyncClient(), lambda: NOW).rules.page_size == 100

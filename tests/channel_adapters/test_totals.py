"""However a platform spells, forgets or garbles how many orders there are: every order arrives, and it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from channel_adapters.contract import ChannelError, ChannelRefused, Window
from channel_adapters.fields import count_of, flag_of
from channel_adapters.registry import CHANNELS
from channel_adapters.shop import ShopSettings

NOW = datetime(2026, 11, 11, 4, 0, 0, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=20), NOW - timedelta(minutes=10))
SIZE = 2
MISSING = object()

Json = dict[str, Any]


def counted(name: str, total: object, **more: object) -> Json:
    return {**({} if total is MISSING else {name: total}), **more}


def form(request: httpx.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def taobao(request: httpx.Request, numbers: list[int], total: object) -> Json:
    asked = form(request)
    if asked["method"] == "taobao.trade.fullinfo.get":
        return {"trade_fullinfo_get_response": {"trade": {"tid": int(asked["tid"]), "tid_str": asked["tid"]}}}
    page = page_of(numbers, int(asked["page_no"]) - 1)
    trades = {"trade": [{"tid": number, "modified": "2026-11-11 11:45:00"} for number in page]} if page else {}
    return {"trades_sold_increment_get_response": counted("total_results", total, trades=trades)}


def pinduoduo(request: httpx.Request, numbers: list[int], total: object) -> Json:
    rows = [
        {"order_sn": f"261111-{number}", "updated_at": "2026-11-11 11:45:00"}
        for number in page_of(numbers, int(form(request)["page"]) - 1)
    ]
    return {"order_sn_increment_get_response": counted("total_count", total, order_sn_list=rows)}


def douyin(request: httpx.Request, numbers: list[int], total: object) -> Json:
    page = page_of(numbers, int(json.loads(request.content)["page"]))
    rows = [{"order_id": str(number), "update_time": 1794368700} for number in page]
    return {"code": 10000, "data": counted("total", total, shop_order_list=rows)}


def jd(request: httpx.Request, numbers: list[int], total: object) -> Json:
    page = page_of(numbers, int(json.loads(form(request)["360buy_param_json"])["page"]) - 1)
    rows = [{"orderId": str(number), "modified": "2026-11-11 11:45:00"} for number in page]
    result = counted("orderTotal", total, orderInfoList=rows, apiResult={"success": True})
    return {"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": result}}


ANSWERS: dict[str, Callable[[httpx.Request, list[int], object], Json]] = {
    "taobao": taobao,
    "pinduoduo": pinduoduo,
    "douyin": douyin,
    "jd": jd,
}


def page_of(numbers: list[int], page: int) -> list[int]:
    return numbers[page * SIZE : (page + 1) * SIZE]


@dataclass
class Pulled:
    ids: set[str]
    calls: int


async def pull(channel: str, numbers: list[int], total: object) -> Pulled:
    calls = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(200, json=ANSWERS[channel](request, numbers, total))

    shop = ShopSettings(
        channel=channel, shop_id="main", base_url="http://x", app_secret=SecretStr("secret"), page_size=SIZE
    )
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = CHANNELS[channel].make_client(shop, http, lambda: NOW)
        pages = [page async for page in client.orders_modified(WINDOW)]
    return Pulled({row.platform_order_id.rpartition("-")[2] for page in pages for row in page}, calls)


@pytest.mark.parametrize("channel", ANSWERS)
@pytest.mark.parametrize(
    "total",
    [5, "5", " 5 ", 5.0, None, MISSING, "", "five", "5e0", -1, True, [], {}, 0, "0", 2, 1000, 10**18, "9" * 4300],
)
async def test_every_order_arrives_whatever_the_total_says(channel: str, total: object) -> None:
    pulled = await pull(channel, [1, 2, 3, 4, 5], total)
    if total == 2:
        assert pulled.ids >= {"1", "2"}  # as if the page were the only one: there is nothing wrong with it
    else:
        assert pulled.ids == {"1", "2", "3", "4", "5"}
    assert pulled.calls < 30


@pytest.mark.parametrize("channel", ANSWERS)
@pytest.mark.parametrize("total", [0, "0", None, MISSING, 7])
async def test_an_empty_listing_ends_at_once(channel: str, total: object) -> None:
    pulled = await pull(channel, [], total)
    assert pulled.ids == set()
    assert pulled.calls <= 2


@pytest.mark.parametrize(
    ("value", "count"),
    [(0, 0), ("0", 0), ("12", 12), (3.0, 3), ("٣", None), (None, None), (3.5, None), (-1, None), (True, None)],
)
def test_a_count_is_a_number_or_a_text(value: object, count: int | None) -> None:
    assert count_of(value) == count


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (True, True), ("true", True), ("TRUE", True), (1, True), ("1", True), ("", False),
        (False, False), ("false", False), (0, False), ("0", False), (None, None), ("maybe", None), (2, None),
        ("是", True), ("否", False), (1.0, True), ("null", None),
        ([], None),
    ],
)  # fmt: skip
def test_a_flag_is_spelled_in_many_ways(value: object, flag: bool | None) -> None:
    assert flag_of(value) is flag


# -- success, in any spelling --------------------------------------------------------------------------------------


def douyin_answer(code: Json) -> bytes:
    return json.dumps({**code, "data": {"total": 0, "shop_order_list": []}}).encode()


@pytest.mark.parametrize("code", [{"code": 10000}, {"code": "10000"}, {"err_no": 0}, {"err_no": "0"}])
def test_success_of_douyin(code: Json) -> None:
    assert CHANNELS["douyin"].adapter.open_envelope(douyin_answer(code)) == []


@pytest.mark.parametrize("code", [{"code": "30001"}, {"code": 30001}, {"code": None}, {"err_no": "x"}, {"err_no": 7}])
def test_no_success_of_douyin(code: Json) -> None:
    with pytest.raises(ChannelError):
        CHANNELS["douyin"].adapter.open_envelope(douyin_answer(code))


def jd_answer(result: object) -> bytes:
    told = {"apiResult": result, "orderInfoList": [], "orderTotal": 0}
    return json.dumps({"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": told}}).encode()


@pytest.mark.parametrize("result", [None, {}, *({"success": each} for each in (True, "true", 1, "1", None))])
def test_success_of_jd(result: object) -> None:
    assert CHANNELS["jd"].adapter.open_envelope(jd_answer(result)) == []


@pytest.mark.parametrize("success", [False, "false", 0, "0", None])
def test_no_success_of_jd(success: object) -> None:
    with pytest.raises(ChannelRefused, match="1100"):
        CHANNELS["jd"].adapter.open_envelope(jd_answer({"success": success, "numberCode": 1100}))

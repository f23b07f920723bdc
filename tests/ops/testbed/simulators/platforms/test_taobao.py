"""The TOP gateway refuses, filters and pages as its documentation says."""

from __future__ import annotations

import httpx
import pytest

from ops.testbed.simulators.payloads.writing import beijing
from ops.testbed.simulators.platforms.taobao import OAID_NEEDS
from tests.ops.testbed.simulators.conftest import START, Quiet
from tests.ops.testbed.simulators.platforms.calls import A_DAY, Caller, Json


def trades_of(answer: Json) -> list[Json]:
    trades: list[Json] = answer["trades_sold_increment_get_response"]["trades"].get("trade", [])
    return trades


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
async def test_every_sign_method_is_understood(caller: Caller, method: str) -> None:
    assert "trades_sold_increment_get_response" in await caller.taobao(sign_method=method)


@pytest.mark.parametrize(
    ("late", "code", "message"),
    [
        ({"sign": "0" * 64}, 25, "Invalid signature"),
        ({"page_no": "2"}, 25, "Invalid signature"),  # changed after signing
        ({"sign": ""}, 24, "Missing Signature"),
        ({"session": ""}, 26, "Missing Session"),
    ],
)
async def test_a_wrong_signature_is_refused(caller: Caller, late: Json, code: int, message: str) -> None:
    error = (await caller.taobao(late=late))["error_response"]
    assert (error["code"], error["msg"]) == (code, message)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"session": "demo-of-another-shop"}, 27),
        ({"app_key": "87654321"}, 29),
        ({"method": "taobao.items.onsale.get"}, 22),
        ({"format": "xml"}, 23),
        ({"v": "3.0"}, 34),
        ({"timestamp": beijing(int(START) - 3600)}, 31),
        ({"timestamp": "1789866000"}, 31),
        ({"fields": ""}, 40),
        ({"start_modified": ""}, 40),
        ({"start_modified": beijing(int(START - 2 * A_DAY))}, 41),
        ({"end_modified": beijing(int(START) - 10)}, 41),
        ({"page_size": "101"}, 41),
        ({"page_no": "0"}, 41),
    ],
)
async def test_what_the_platform_does_not_allow_is_refused(caller: Caller, changed: Json, code: int) -> None:
    assert (await caller.taobao(**changed))["error_response"]["code"] == code


async def test_pages_hold_every_order_once_newest_first(caller: Caller, quiet: Quiet) -> None:
    tids: list[str] = []
    moments: list[str] = []
    page, more = 1, True
    while more:
        answer = await caller.taobao(page_no=str(page), page_size="100", use_has_next="true")
        rows = trades_of(answer)
        tids += [row["tid_str"] for row in rows]
        moments += [row["modified"] for row in rows]
        more = answer["trades_sold_increment_get_response"]["has_next"]
        assert "total_results" not in answer["trades_sold_increment_get_response"]
        page += 1
    assert sorted(tids) == sorted(sale.order_id for sale in quiet.sales("taobao"))
    assert moments == sorted(moments, reverse=True)


async def test_a_count_comes_without_use_has_next(caller: Caller, quiet: Quiet) -> None:
    answer = (await caller.taobao())["trades_sold_increment_get_response"]
    assert answer["total_results"] == len(quiet.sales("taobao"))
    assert len(answer["trades"]["trade"]) == 40


async def test_an_empty_list_is_an_empty_object(caller: Caller) -> None:
    answer = await caller.taobao(start_modified=beijing(int(START) - 99), end_modified=beijing(int(START) - 9))
    assert answer["trades_sold_increment_get_response"]["trades"] == {}


async def test_a_status_filters(caller: Caller) -> None:
    rows = trades_of(await caller.taobao(status="WAIT_BUYER_PAY", page_size="100"))
    assert {row["status"] for row in rows} == {"WAIT_BUYER_PAY"}


async def test_fields_decide_what_comes_back(caller: Caller) -> None:
    row = trades_of(await caller.taobao(fields="tid,orders.oid,orders.num"))[0]
    assert set(row) == {"tid", "tid_str", "orders"}
    assert all(set(order) == {"oid", "num"} for order in row["orders"]["order"])


async def test_an_oaid_is_built_only_with_the_receivers_fields(caller: Caller, quiet: Quiet) -> None:
    tid = next(sale.order_id for sale in quiet.sales("taobao") if sale.story == "paid-at-once")
    full, bare = [
        (await caller.taobao("taobao.trade.fullinfo.get", tid=tid, fields=fields))["trade_fullinfo_get_response"][
            "trade"
        ]
        for fields in (",".join(["tid", "oaid", *OAID_NEEDS]), "tid,oaid")
    ]
    assert full["oaid"].startswith("1ExampleOaid")
    assert "oaid" not in bare


async def test_the_list_lacks_gift_marks_that_the_detail_has(caller: Caller, quiet: Quiet) -> None:
    tid = next(sale.order_id for sale in quiet.sales("taobao") if sale.story == "gift-with-main")
    detail = (await caller.taobao("taobao.trade.fullinfo.get", tid=tid))["trade_fullinfo_get_response"]["trade"]
    assert any(order.get("is_free_gift") for order in detail["orders"]["order"])
    page = 1
    while not (row := [row for row in trades_of(await caller.taobao(page_no=str(page))) if row["tid_str"] == tid]):
        page += 1
    assert not any("is_free_gift" in order or "gift_mids" in order for order in row[0]["orders"]["order"])


async def test_an_unknown_trade_is_refused(caller: Caller) -> None:
    error = (await caller.taobao("taobao.trade.fullinfo.get", tid="1"))["error_response"]
    assert (error["code"], error["sub_code"]) == (15, "isv.trade-not-exist")


async def test_a_get_is_as_good_as_a_post(caller: Caller) -> None:
    response: httpx.Response = await caller.http.get(f"{caller.base_url}/taobao/router/rest", params={"method": "x"})
    assert response.json()["error_response"]["code"] == 28

"""The JOS gateway refuses and pages as its documentation says."""

from __future__ import annotations

import pytest

from channel_adapters.jd.signature import sign
from ops.testbed.simulators.payloads.writing import beijing
from ops.testbed.simulators.shops import simulated_shop
from ops.testbed.simulators.stories import shown
from tests.ops.testbed.simulators.conftest import START, Quiet
from tests.ops.testbed.simulators.platforms.calls import A_DAY, Caller, Json


def found(answer: Json) -> Json:
    body: Json = answer["jingdong_pop_order_search_responce"]["searchorderinfo_result"]
    return body


@pytest.mark.parametrize(
    ("late", "code"),
    [
        ({"sign": "0" * 32}, "12"),
        ({"360buy_param_json": "{}"}, "12"),  # changed after signing
        ({"app_key": "demo-other"}, "21"),
        ({"method": "jd.pop.order.list"}, "14"),
        ({"timestamp": "2020-01-01 00:00:00"}, "8"),
        ({"v": "1.0"}, "8"),
    ],
)
async def test_a_request_that_is_not_ours_is_refused(caller: Caller, late: Json, code: str) -> None:
    assert (await caller.jd(late=late))["error_response"]["code"] == code


@pytest.mark.parametrize(
    "changed",
    [
        {"start_date": beijing(int(START - 32 * A_DAY))},
        {"start_date": ""},
        {"end_date": ""},
        {"optional_fields": ""},
        {"order_state": ""},
        {"order_state": "NO_SUCH_STATE"},
        {"page_size": "101"},
        {"page": "101"},
        {"page": "0"},
    ],
)
async def test_a_failure_sits_inside_an_envelope_of_success(caller: Caller, changed: Json) -> None:
    answer = await caller.jd(**changed)
    assert answer["jingdong_pop_order_search_responce"]["code"] == "0"
    assert found(answer)["apiResult"]["success"] is False


async def test_a_window_of_more_than_a_month_is_named(caller: Caller) -> None:
    result = found(await caller.jd(start_date=beijing(int(START - 32 * A_DAY))))["apiResult"]
    assert (result["numberCode"], result["chineseErrCode"]) == (10300003, "时间范围不能超过一个月")


async def test_orders_to_ship_may_be_asked_for_without_dates(caller: Caller) -> None:
    body = found(await caller.jd(start_date="", end_date="", order_state="WAIT_SELLER_STOCK_OUT"))
    assert {order["orderState"] for order in body["orderInfoList"]} == {"WAIT_SELLER_STOCK_OUT"}


@pytest.mark.parametrize("newest_first", ["1", "0"])
async def test_pages_hold_every_shown_order_once(caller: Caller, quiet: Quiet, newest_first: str) -> None:
    rows: list[Json] = []
    page, total = 1, 1
    while len(rows) < total:
        body = found(await caller.jd(page=str(page), sortType=newest_first))
        rows += body["orderInfoList"]
        total = body["orderTotal"]
        page += 1
    assert sorted(row["orderId"] for row in rows) == sorted(s.order_id for s in quiet.sales("jd") if shown(s))
    moments = [row["modified"] for row in rows]
    assert moments == sorted(moments, reverse=newest_first == "1")


async def test_the_encrypting_search_answers_under_its_own_name(caller: Caller) -> None:
    answer = await caller.jd("jingdong.pop.order.enSearch")
    assert "searchorderinfo_result" in answer["jingdong_pop_order_enSearch_responce"]


async def test_fields_decide_what_comes_back(caller: Caller) -> None:
    order = found(await caller.jd(optional_fields="orderState"))["orderInfoList"][0]
    assert set(order) == {"orderId", "orderState"}


async def test_one_order_is_found_by_its_id(caller: Caller, quiet: Quiet) -> None:
    sale = next(sale for sale in quiet.sales("jd") if sale.story == "paid-at-once")
    answer = await caller.jd("jingdong.pop.order.get", order_id=sale.order_id)
    info = answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]["orderInfo"]
    assert info["orderId"] == sale.order_id
    hidden = next(sale for sale in quiet.sales("jd") if sale.story == "unpaid-lapsed")
    answer = await caller.jd("jingdong.pop.order.get", order_id=hidden.order_id)
    assert answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]["apiResult"]["success"] is False


async def test_a_token_that_the_shop_does_not_have_is_told(caller: Caller, quiet: Quiet) -> None:
    shop = simulated_shop("jd")
    form = {
        "method": "jingdong.pop.order.search",
        "access_token": "demo-expired",
        "app_key": shop.app_key,
        "timestamp": beijing(int(quiet.clock())),
        "v": "2.0",
        "360buy_param_json": "{}",
    }
    form["sign"] = sign(form, shop.app_secret.get_secret_value())
    response = await caller.http.post(f"{caller.base_url}/jd/routerjson", data=form)
    assert response.json()["error_response"]["code"] == "19"

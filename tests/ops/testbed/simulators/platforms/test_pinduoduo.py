"""The PDD gateway refuses, filters and pages as its documentation says."""

from __future__ import annotations

import pytest

from ops.testbed.simulators.stories import shown
from tests.ops.testbed.simulators.conftest import START, Quiet
from tests.ops.testbed.simulators.platforms.calls import Caller, Json


@pytest.mark.parametrize(
    ("late", "code"),
    [
        ({"sign": "0" * 32}, 20004),
        ({"page": "2"}, 20004),  # changed after signing
        ({"client_id": "demo-other"}, 10001),
        ({"type": "pdd.unknown"}, 10001),
        ({"timestamp": "12"}, 10001),
        ({"data_type": "XML"}, 10001),
    ],
)
async def test_a_request_that_is_not_ours_is_refused(caller: Caller, late: Json, code: int) -> None:
    error = (await caller.pinduoduo(late=late))["error_response"]
    assert error["error_code"] == code
    assert error["error_msg"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"access_token": "demo-expired"}, 10019),
        ({"is_lucky_flag": ""}, 10000),
        ({"order_status": ""}, 10000),
        ({"refund_status": ""}, 10000),
        ({"order_status": "4"}, 10000),
        ({"start_updated_at": str(int(START) - 3600)}, 10000),
        ({"page_size": "101"}, 10000),
        ({"page": "0"}, 10000),
    ],
)
async def test_what_the_platform_does_not_allow_is_refused(caller: Caller, changed: Json, code: int) -> None:
    assert (await caller.pinduoduo(**changed))["error_response"]["error_code"] == code


async def test_pages_hold_every_shown_order_once(caller: Caller, quiet: Quiet) -> None:
    first = (await caller.pinduoduo())["order_sn_increment_get_response"]
    pages = -(-first["total_count"] // 100)
    found = [row["order_sn"] for row in first["order_sn_list"]]
    for page in range(pages, 1, -1):
        rows = (await caller.pinduoduo(page=str(page)))["order_sn_increment_get_response"]["order_sn_list"]
        found += [row["order_sn"] for row in rows]
    assert sorted(found) == sorted(sale.order_id for sale in quiet.sales("pinduoduo") if shown(sale))
    assert pages > 3


async def test_has_next_takes_the_place_of_the_count(caller: Caller) -> None:
    answer = (await caller.pinduoduo(use_has_next="true"))["order_sn_increment_get_response"]
    assert answer["has_next"] is True
    assert "total_count" not in answer
    last = (await caller.pinduoduo(use_has_next="true", page="99"))["order_sn_increment_get_response"]
    assert (last["has_next"], last["order_sn_list"]) == (False, [])


async def test_filters_are_kept(caller: Caller) -> None:
    shipped = (await caller.pinduoduo(order_status="2"))["order_sn_increment_get_response"]["order_sn_list"]
    assert {row["order_status"] for row in shipped} == {2}
    refunded = (await caller.pinduoduo(refund_status="4"))["order_sn_increment_get_response"]["order_sn_list"]
    assert {row["refund_status"] for row in refunded} == {4}
    assert not (await caller.pinduoduo(is_lucky_flag="2"))["order_sn_increment_get_response"]["order_sn_list"]


async def test_one_order_is_the_same_as_its_row(caller: Caller) -> None:
    row = (await caller.pinduoduo())["order_sn_increment_get_response"]["order_sn_list"][0]
    answer = await caller.pinduoduo("pdd.order.information.get", order_sn=row["order_sn"])
    assert answer["order_info_get_response"]["order_info"] == row


async def test_an_order_under_review_has_no_receiver(caller: Caller, quiet: Quiet) -> None:
    sale = next(sale for sale in quiet.sales("pinduoduo") if sale.story == "under-review")
    answer = await caller.pinduoduo("pdd.order.information.get", order_sn=sale.order_id)
    order = answer["order_info_get_response"]["order_info"]
    assert order["risk_control_status"] == 1
    names = ("receiver_name", "receiver_phone", "receiver_address", "receiver_name_mask", "address_mask")
    assert {order[name] for name in names} == {""}


async def test_a_json_body_is_signed_like_a_form(caller: Caller) -> None:
    response = await caller.http.post(f"{caller.base_url}/pinduoduo/api/router", json={"type": "pdd.unknown"})
    assert response.json()["error_response"]["error_code"] == 10001
    broken = await caller.http.post(
        f"{caller.base_url}/pinduoduo/api/router", content=b"{", headers={"content-type": "application/json"}
    )
    assert broken.json()["error_response"]["error_code"] == 10000

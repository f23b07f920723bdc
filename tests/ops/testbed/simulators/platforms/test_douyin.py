"""The doudian gateway refuses and pages as its documentation says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ops.testbed.simulators.conftest import START, Quiet
from tests.ops.testbed.simulators.platforms.calls import A_DAY, Caller, Json


@pytest.mark.parametrize(
    ("late", "sub_code"),
    [
        ({"sign": "0" * 64}, "isv.signature-invalid"),
        ({"sign_method": "md5"}, "isv.signature-invalid"),
        ({"timestamp": "1"}, "isv.timestamp-invalid"),
        ({"access_token": "demo-none"}, "isv.access-token-no-existed"),
        ({"app_key": "1"}, "isv.parameter-invalid:app_key"),
        ({"method": "order.orderDetail"}, "isv.parameter-invalid:method"),
    ],
)
async def test_a_request_that_is_not_ours_is_refused(caller: Caller, late: Json, sub_code: str) -> None:
    answer = await caller.douyin(late=late)
    assert (answer["code"], answer["sub_code"], answer["data"]) == (40003, sub_code, None)


async def test_a_missing_parameter_is_named(caller: Caller) -> None:
    answer = await caller.douyin(late={"sign": ""})
    assert (answer["code"], answer["sub_code"]) == (40001, "isv.missing-parameter:sign")


@pytest.mark.parametrize(
    "changed",
    [
        {"size": 101},
        {"size": 0},
        {"page": -1},
        {"page": 100},  # the 10 001st row
        {"page": "0"},
        {"order_by": "pay_time"},
        {"update_time_end": int(START)},  # equal ends
        {"update_time_start": int(START - 91 * A_DAY)},
        {"update_time_start": 0, "update_time_end": 0},
    ],
)
async def test_what_the_platform_does_not_allow_is_refused(caller: Caller, changed: dict[str, Any]) -> None:
    assert (await caller.douyin(**changed))["code"] in (40001, 40003)


@pytest.mark.parametrize("oldest_first", [True, False])
async def test_pages_from_zero_hold_every_order_once(caller: Caller, quiet: Quiet, oldest_first: bool) -> None:
    rows: list[Json] = []
    total, page = 1, 0
    while page * 100 < total:
        data = (await caller.douyin(page=page, order_asc=oldest_first))["data"]
        rows += data["shop_order_list"]
        total = data["total"]
        page += 1
    assert sorted(row["order_id"] for row in rows) == sorted(sale.order_id for sale in quiet.sales("douyin"))
    moments = [row["update_time"] for row in rows]
    assert moments == sorted(moments, reverse=not oldest_first)


async def test_orders_are_found_by_creation_too(caller: Caller, quiet: Quiet) -> None:
    data = (
        await caller.douyin(
            update_time_start=0,
            update_time_end=0,
            create_time_start=int(START),
            create_time_end=int(START) + 2,
            order_by="create_time",
        )
    )["data"]
    assert data["total"] == sum(START <= sale.placed_at <= START + 2 for sale in quiet.sales("douyin"))


async def test_one_order_is_the_same_as_its_row(caller: Caller) -> None:
    row = (await caller.douyin(size=1))["data"]["shop_order_list"][0]
    detail = await caller.douyin("/order/orderDetail", shop_order_id=row["order_id"])
    assert detail["data"]["shop_order_detail"] == row
    assert detail["code"] == 10000


async def test_an_unknown_order_is_refused(caller: Caller) -> None:
    assert (await caller.douyin("/order/orderDetail", shop_order_id="1"))["code"] == 40003

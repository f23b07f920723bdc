"""The mall's REST API checks keys, counts in headers and finds refunds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ops.testbed.simulators.shops import simulated_shop
from tests.ops.testbed.simulators.conftest import START, Quiet
from tests.ops.testbed.simulators.platforms.calls import Caller, Json

URL = "/woocommerce/wp-json/wc/v3/orders"


async def test_wrong_keys_are_refused(caller: Caller) -> None:
    for answer in (
        await caller.http.get(caller.base_url + URL),
        await caller.http.get(caller.base_url + URL, auth=("demo-key", "demo-secret")),
        await caller.http.get(caller.base_url + URL, headers={"Authorization": "Basic !"}),
    ):
        assert answer.status_code == 401
        assert answer.json()["code"] == "woocommerce_rest_cannot_view"
        assert answer.json()["data"] == {"status": 401}


async def test_keys_may_stand_in_the_query_and_do_not_come_back_in_links(caller: Caller) -> None:
    shop = simulated_shop("woocommerce")
    query = {"consumer_key": shop.app_key, "consumer_secret": shop.app_secret.get_secret_value()}
    answer = await caller.http.get(caller.base_url + URL, params=query)
    assert answer.status_code == 200
    assert "consumer" not in answer.headers["Link"]


@pytest.mark.parametrize(
    "query",
    [{"per_page": "101"}, {"per_page": "x"}, {"page": "0"}, {"orderby": "colour"}, {"modified_after": "yesterday"}],
)
async def test_a_parameter_that_does_not_fit_is_named(caller: Caller, query: dict[str, str]) -> None:
    answer = await caller.woocommerce(**query)
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_param")
    assert next(iter(query)) in answer.json()["message"]


async def test_pages_hold_every_order_once_oldest_change_first(caller: Caller, quiet: Quiet) -> None:
    rows: list[Json] = []
    page, pages = 1, 1
    while page <= pages:
        answer = await caller.woocommerce(page=str(page), per_page="20", orderby="modified", order="asc", status="any")
        rows += answer.json()
        pages = int(answer.headers["X-WP-TotalPages"])
        assert int(answer.headers["X-WP-Total"]) == len(quiet.sales("woocommerce"))
        assert ("next" in answer.links, "prev" in answer.links) == (page < pages, page > 1)
        page += 1
    assert sorted(str(row["id"]) for row in rows) == sorted(sale.order_id for sale in quiet.sales("woocommerce"))
    moments = [row["date_modified_gmt"] for row in rows]
    assert moments == sorted(moments)


async def test_both_ends_of_a_window_are_left_out(caller: Caller, quiet: Quiet) -> None:
    moment = quiet.sales("woocommerce")[20].modified_at
    after, before = (datetime.fromtimestamp(moment + step, UTC).strftime("%Y-%m-%dT%H:%M:%S") for step in (-1, 1))
    answer = await caller.woocommerce(
        modified_after=after, modified_before=before, dates_are_gmt="true", per_page="100"
    )
    expected = {sale.order_id for sale in quiet.sales("woocommerce") if sale.modified_at == moment}
    assert {str(row["id"]) for row in answer.json()} == expected


async def test_dates_without_a_zone_are_the_shops_own(caller: Caller) -> None:
    beijing_noon = datetime.fromtimestamp(START, UTC).strftime("%Y-%m-%dT12:00:00")
    answer = await caller.woocommerce(modified_before=beijing_noon)
    assert answer.json() == []


async def test_a_status_filters(caller: Caller) -> None:
    answer = await caller.woocommerce(status="pending", per_page="100")
    assert {row["status"] for row in answer.json()} == {"pending"}


async def test_one_order_and_its_refunds(caller: Caller, quiet: Quiet) -> None:
    sale = next(sale for sale in quiet.sales("woocommerce") if sale.story == "line-refunded")
    order = (await caller.woocommerce(f"/{sale.order_id}")).json()
    refunds = (await caller.woocommerce(f"/{sale.order_id}/refunds")).json()
    assert [refund["total"] for refund in order["refunds"]] == [f"-{refund['amount']}" for refund in refunds]
    line = refunds[0]["line_items"][0]
    assert line["quantity"] == -sale.items[0].quantity
    assert line["meta_data"][0] == {
        "id": line["meta_data"][0]["id"],
        "key": "_refunded_item_id",
        "value": str(order["line_items"][0]["id"]),
    }


async def test_an_unknown_order_is_not_found(caller: Caller) -> None:
    answer = await caller.woocommerce("/1")
    assert (answer.status_code, answer.json()["code"]) == (404, "woocommerce_rest_shop_order_invalid_id")

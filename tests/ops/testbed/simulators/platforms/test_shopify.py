"""The Admin API checks its token, pages by cursor and counts calls."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ops.testbed.simulators.platforms.shopify import Bucket
from tests.ops.testbed.simulators.conftest import Quiet
from tests.ops.testbed.simulators.platforms.calls import Caller


async def test_a_wrong_token_is_refused(caller: Caller) -> None:
    answer = await caller.shopify(token="demo-wrong")
    assert answer.status_code == 401
    assert "Invalid API key or access token" in answer.json()["errors"]


@pytest.mark.parametrize(
    "query",
    [{"limit": "251"}, {"limit": "x"}, {"status": "lost"}, {"order": "name desc"}, {"updated_at_min": "x"}],
)
async def test_a_parameter_that_does_not_fit_is_named(caller: Caller, query: dict[str, str]) -> None:
    answer = await caller.shopify(**query)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == set(query)


async def test_nothing_goes_with_a_cursor_but_limit_and_fields(caller: Caller) -> None:
    first = await caller.shopify(status="any", limit="10")
    cursor = first.links["next"]["url"].split("page_info=")[1]
    assert (await caller.shopify(limit="10", page_info=cursor)).status_code == 200
    assert (await caller.shopify(status="any", page_info=cursor)).status_code == 400
    assert (await caller.shopify(page_info="!!")).status_code == 400


async def test_pages_hold_every_order_once_oldest_change_first(caller: Caller, quiet: Quiet) -> None:
    rows = [order async for page in caller.shopify_pages(status="any", limit="25") for order in page]
    assert sorted(str(row["id"]) for row in rows) == sorted(sale.order_id for sale in quiet.sales("shopify"))
    moments = [row["updated_at"] for row in rows]
    assert moments == sorted(moments)


async def test_only_open_orders_come_unless_any_are_asked_for(caller: Caller) -> None:
    rows = [order async for page in caller.shopify_pages(limit="250") for order in page]
    assert rows
    assert all(row["closed_at"] is None and row["cancelled_at"] is None for row in rows)


async def test_a_window_of_updates_is_kept(caller: Caller, quiet: Quiet) -> None:
    moment = quiet.sales("shopify")[20].modified_at
    bound = datetime.fromtimestamp(moment, UTC).isoformat()
    pages = caller.shopify_pages(status="any", limit="250", updated_at_min=bound, updated_at_max=bound)
    rows = [order async for page in pages for order in page]
    expected = {sale.order_id for sale in quiet.sales("shopify") if sale.modified_at == moment}
    assert {str(row["id"]) for row in rows} == expected


async def test_the_call_limit_is_told_and_kept(caller: Caller) -> None:
    answers = [await caller.shopify(status="any", limit="1") for _ in range(81)]
    assert answers[0].headers["X-Shopify-Shop-Api-Call-Limit"] == "1/80"
    assert {answer.status_code for answer in answers[:80]} == {200}
    assert answers[80].status_code == 429
    assert answers[80].headers["Retry-After"] == "2.0"


def test_a_bucket_leaks() -> None:
    bucket = Bucket(size=2, leak=1.0)
    assert [bucket.add(0), bucket.add(0), bucket.add(0.5), bucket.add(1.0)] == [True, True, False, True]

"""The WooCommerce client against a shop that pages, changes and fails as real ones do."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, RawOrder, Window
from channel_adapters.shop import ShopSettings
from channel_adapters.woocommerce.client import make_client
from channel_adapters.woocommerce.signature import oauth_params

NOW = datetime(2026, 9, 20, 16, 0, tzinfo=UTC)
WINDOW = Window(start=NOW, end=NOW + timedelta(minutes=10))
SHOP = ShopSettings(
    channel="woocommerce",
    shop_id="mall-1",
    base_url="https://shop.example.com/",
    app_key="ck_example",
    app_secret=SecretStr("cs_example"),
)

Handler = Callable[[httpx.Request], httpx.Response]


class Shop:
    """Orders by modify time, answered as WooCommerce does: both bounds exclusive, offset paging, oldest first."""

    def __init__(self, seconds: list[int]) -> None:
        self.modified = dict(enumerate((NOW + timedelta(seconds=each) for each in seconds), start=1))
        self.asked: list[httpx.Request] = []
        self.between_pages: Callable[[], None] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        query = request.url.params
        after, before = (_moment(query[f"modified_{side}"]) for side in ("after", "before"))
        found = sorted((at, number) for number, at in self.modified.items() if after < at < before)
        size, page = int(query["per_page"]), int(query["page"])
        rows = [_row(number, at) for at, number in found[(page - 1) * size : page * size]]
        self.between_pages()
        return httpx.Response(200, json=rows)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _row(number: int, at: datetime) -> dict[str, object]:
    stamp = at.replace(tzinfo=None).isoformat(timespec="seconds")
    return {"id": number, "status": "processing", "date_modified_gmt": stamp, "line_items": []}


async def pull(handler: Handler, shop: ShopSettings = SHOP, window: Window = WINDOW) -> list[list[RawOrder]]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        client = make_client(shop, http, lambda: NOW)
        return [list(page) async for page in client.orders_modified(window)]


def ids(pages: list[list[RawOrder]]) -> list[str]:
    return [row.platform_order_id for page in pages for row in page]


async def test_one_page_is_asked_for_as_the_manual_says() -> None:
    shop = Shop([1])
    assert ids(await pull(shop)) == ["1"]
    (request,) = shop.asked
    assert request.url.copy_with(query=None) == httpx.URL("https://shop.example.com/wp-json/wc/v3/orders")
    assert dict(request.url.params) == {
        "status": "any",
        "orderby": "modified",
        "order": "asc",
        "dates_are_gmt": "true",
        "modified_after": "2026-09-20T15:59:59",
        "modified_before": "2026-09-20T16:10:00",
        "page": "1",
        "per_page": "100",
    }


async def test_the_first_second_of_the_window_is_in_it_and_its_end_is_not() -> None:
    assert ids(await pull(Shop([-1, 0, 599, 600]))) == ["2", "3"]


async def test_pages_are_walked_by_modify_time() -> None:
    shop = Shop(list(range(7)))
    pages = await pull(shop, SHOP.model_copy(update={"page_size": 3}))
    assert ids(pages) == ["1", "2", "3", "4", "5", "6", "7"]
    assert [request.url.params["page"] for request in shop.asked] == ["1"] * 4
    assert [request.url.params["modified_after"][-2:] for request in shop.asked] == ["59", "01", "03", "05"]


async def test_an_order_that_changes_between_pages_pushes_no_other_out() -> None:
    """With page numbers order 4 would move into the first page, which is already read."""
    shop = Shop(list(range(6)))

    def change() -> None:
        shop.modified[1] = NOW + timedelta(minutes=9)
        shop.between_pages = lambda: None

    shop.between_pages = change
    found = ids(await pull(shop, SHOP.model_copy(update={"page_size": 3})))
    assert set(found) == {"1", "2", "3", "4", "5", "6"}
    assert found.count("1") == 2, "it changed, so it comes again"


async def test_more_orders_in_one_second_than_a_page_holds_are_all_read() -> None:
    shop = Shop([5] * 8 + [6])
    assert sorted(ids(await pull(shop, SHOP.model_copy(update={"page_size": 3})))) == list("123456789")


async def test_an_empty_window_gives_no_page() -> None:
    assert await pull(Shop([])) == []


async def test_a_shop_that_ignores_the_query_is_not_asked_for_ever() -> None:
    rows = [_row(number, NOW) for number in range(1, 101)]
    asked = []

    def cached(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=rows)

    with pytest.raises(ChannelUnavailable, match="same page again"):
        await pull(cached)
    assert len(asked) < 10


async def test_over_tls_the_key_goes_in_the_header() -> None:
    shop = Shop([])
    await pull(shop)
    assert b64decode(shop.asked[0].headers["authorization"].removeprefix("Basic ")) == b"ck_example:cs_example"


async def test_over_plain_http_the_request_is_signed_and_the_secret_stays() -> None:
    shop = Shop([])
    await pull(shop, SHOP.model_copy(update={"base_url": "http://shop.example.com"}))
    (request,) = shop.asked
    sent = dict(request.url.params)
    asked = {name: value for name, value in sent.items() if not name.startswith("oauth_")}
    url = "http://shop.example.com/wp-json/wc/v3/orders"
    assert sent == oauth_params("GET", url, asked, "ck_example", "cs_example", sent["oauth_nonce"], NOW)
    assert "authorization" not in request.headers


async def test_two_signed_requests_never_share_a_nonce() -> None:
    shop = Shop(list(range(4)))
    await pull(shop, SHOP.model_copy(update={"base_url": "http://shop.example.com", "page_size": 3}))
    nonces = [request.url.params["oauth_nonce"] for request in shop.asked]
    assert len(set(nonces)) == len(nonces) == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "woocommerce_rest_cannot_view"),
        (400, "rest_invalid_param"),
        (404, "rest_no_route"),
    ],
)
async def test_the_shop_s_own_code_names_the_refusal(status: int, code: str) -> None:
    body = json.dumps({"code": code, "message": "told to people", "data": {"status": status}})
    with pytest.raises(ChannelRefused) as caught:
        await pull(lambda request: httpx.Response(status, content=body))
    assert caught.value.code == code


async def test_a_firewall_s_page_is_refused_by_its_status() -> None:
    with pytest.raises(ChannelRefused) as caught:
        await pull(lambda request: httpx.Response(403, html="<html>blocked</html>"))
    assert caught.value.code == "403"


async def test_a_fault_inside_the_shop_is_asked_again() -> None:
    body = {"code": "internal_server_error", "message": "...", "data": {"status": 500}}
    with pytest.raises(ChannelUnavailable):
        await pull(lambda request: httpx.Response(500, json=body))

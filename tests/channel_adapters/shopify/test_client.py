"""The Shopify client against a shop that hands out page cursors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, RawOrder, Window
from channel_adapters.shop import ShopSettings
from channel_adapters.shopify.client import make_client

NOW = datetime(2026, 9, 20, 16, 0, tzinfo=UTC)
WINDOW = Window(start=NOW, end=NOW + timedelta(minutes=10))
SHOP = ShopSettings(
    channel="shopify",
    shop_id="mall-2",
    base_url="https://sample-shop.myshopify.com",
    access_token=SecretStr("shpat_example"),
)

Handler = Callable[[httpx.Request], httpx.Response]


class Shop:
    """Pages of orders; each but the last names the next in its Link header."""

    def __init__(self, pages: list[list[int]], elsewhere: str = "https://sample-shop.myshopify.com") -> None:
        self.pages = pages
        self.elsewhere = elsewhere
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        number = int(request.url.params.get("page_info", "cursor0").removeprefix("cursor"))
        links = []
        if number:
            links.append(f'<{self.elsewhere}/o.json?limit=2&page_info=cursor{number - 1}>; rel="previous"')
        if number + 1 < len(self.pages):
            links.append(f'<{self.elsewhere}/o.json?limit=2&page_info=cursor{number + 1}>; rel="next"')
        orders = [{"id": each, "updated_at": "2026-09-20T09:00:05-07:00"} for each in self.pages[number]]
        return httpx.Response(200, json={"orders": orders}, headers={"Link": ", ".join(links)} if links else {})


async def pull(handler: Handler, shop: ShopSettings = SHOP) -> list[list[RawOrder]]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        client = make_client(shop, http, lambda: NOW)
        return [list(page) async for page in client.orders_modified(WINDOW)]


async def test_one_page_is_asked_for_as_the_manual_says() -> None:
    shop = Shop([[1]])
    ((row,),) = await pull(shop)
    assert (row.platform_order_id, row.modified_at) == ("1", datetime(2026, 9, 20, 16, 0, 5, tzinfo=UTC))
    (request,) = shop.asked
    assert request.url.path == "/admin/api/2026-01/orders.json"
    assert dict(request.url.params) == {
        "status": "any",
        "updated_at_min": "2026-09-20T16:00:00Z",
        "updated_at_max": "2026-09-20T16:10:01Z",
        "order": "updated_at asc",
        "limit": "250",
    }
    assert request.headers["x-shopify-access-token"] == "shpat_example"


async def test_a_cursor_is_followed_with_nothing_but_the_limit() -> None:
    shop = Shop([[1, 2], [3, 4], [5]])
    pages = await pull(shop, SHOP.model_copy(update={"page_size": 2}))
    assert [[row.platform_order_id for row in page] for page in pages] == [["1", "2"], ["3", "4"], ["5"]]
    assert [dict(request.url.params) for request in shop.asked[1:]] == [
        {"limit": "2", "page_info": "cursor1"},
        {"limit": "2", "page_info": "cursor2"},
    ]


async def test_a_link_never_decides_where_the_token_goes() -> None:
    shop = Shop([[1], [2]], elsewhere="https://attacker.example")
    await pull(shop)
    assert {request.url.host for request in shop.asked} == {"sample-shop.myshopify.com"}


async def test_an_empty_window_gives_no_page() -> None:
    assert await pull(Shop([[]])) == []


async def test_a_full_bucket_says_when_to_come_back() -> None:
    body = {"errors": "Exceeded 2 calls per second for api client."}
    with pytest.raises(ChannelUnavailable) as caught:
        await pull(lambda request: httpx.Response(429, json=body, headers={"Retry-After": "2.0"}))
    assert caught.value.retry_after == 2.0


async def test_a_throttled_answer_of_200_is_unavailable() -> None:
    body = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
    with pytest.raises(ChannelUnavailable):
        await pull(lambda request: httpx.Response(200, json=body))


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"errors": "[API] Invalid API key or access token"}, "401"),
        (402, {"errors": "Unavailable Shop"}, "402"),
        (403, {"errors": "[API] This action requires merchant approval for read_orders scope."}, "403"),
        (404, {"errors": "Not Found"}, "404"),
        (422, {"errors": {"order": ["is not a column"]}}, "bad-request"),
        (423, {"errors": "Locked"}, "423"),
        (301, {}, "301"),
    ],
)
async def test_each_refusal_is_told_apart(status: int, body: dict[str, object], code: str) -> None:
    with pytest.raises(ChannelRefused) as caught:
        await pull(lambda request: httpx.Response(status, json=body))
    assert caught.value.code == code

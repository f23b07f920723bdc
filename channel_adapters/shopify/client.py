"""The pull API of one Shopify shop: GET /admin/api/<version>/orders.json. Source: Admin REST API, "Retrieve orders"."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import httpx

from channel_adapters.calling import call
from channel_adapters.contract import (
    ChannelClient,
    ChannelError,
    ChannelRefused,
    PollRules,
    RawOrder,
    UnreadablePayload,
    Window,
)
from channel_adapters.reading import read_object
from channel_adapters.shop import ShopSettings
from channel_adapters.shopify.adapter import ADAPTER, platform_error
from channel_adapters.shopify.mapping import CHANNEL

VERSION: Final = "2026-01"
PATH: Final = f"/admin/api/{VERSION}/orders.json"
PAGE_SIZE: Final = 250
MAX_WINDOW: Final = timedelta(days=7)  # the platform sets no limit; ours bounds what a broken window reads again

_SECOND: Final = timedelta(seconds=1)
_NO_SUCH_ORDER: Final = frozenset({"not-found"})
"""Shopify's own words in JSON. A page of a host says nothing about an order."""


class ShopifyClient:
    """Follows the page cursors that the platform hands out, which hold still while orders change."""

    def __init__(self, shop: ShopSettings, http: httpx.AsyncClient) -> None:
        self._shop = shop
        self._http = http
        self._url = shop.base_url.rstrip("/") + PATH
        self.rules = PollRules(max_window=MAX_WINDOW, page_size=min(shop.page_size or PAGE_SIZE, PAGE_SIZE))

    async def orders_modified(self, window: Window) -> AsyncIterator[Sequence[RawOrder]]:
        """Oldest first."""
        params: dict[str, str] | None = {
            "status": "any",
            "updated_at_min": _wire_time(window.start),
            "updated_at_max": _wire_time(window.end + _SECOND),
            "order": "updated_at asc",
            "limit": str(self.rules.page_size),
        }
        while params is not None:
            response = await self._get(params)
            rows = ADAPTER.open_envelope(response.content)
            if rows:
                yield rows
            cursor = _next_cursor(response)
            # With a cursor only `limit` may be asked for: the cursor holds the query.
            params = None if cursor is None else {"limit": str(self.rules.page_size), "page_info": cursor}

    @property
    def most_ids(self) -> int:
        """How many one call may ask for: an address of 250 long ids is still shorter than servers take."""
        return self.rules.page_size

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[RawOrder]:
        """See channel_adapters.contract.ReadsById."""
        asked = {"status": "any", "ids": ",".join(order_ids), "limit": str(len(order_ids))}
        return ADAPTER.open_envelope((await self._get(asked)).content)

    async def order_by_id(self, order_id: str) -> RawOrder | None:
        """See channel_adapters.contract.ReadsById."""
        try:
            response = await self._call(f"{self._url.removesuffix('.json')}/{order_id}.json", _explain_one)
        except ChannelRefused as error:
            if error.code in _NO_SUCH_ORDER:
                return None
            raise
        return ADAPTER.open_envelope(response.content)[0]

    async def _get(self, params: dict[str, str]) -> httpx.Response:
        return await self._call(f"{self._url}?{urlencode(params)}", _explain)

    async def _call(self, url: str, explain: Callable[[httpx.Response], ChannelError | None]) -> httpx.Response:
        who = f"{CHANNEL}/{self._shop.shop_id}"
        headers = {"X-Shopify-Access-Token": self._shop.access_token.get_secret_value()}
        return await call(self._http, who, "GET", url, headers=headers, explain=explain)


def make_client(shop: ShopSettings, http: httpx.AsyncClient, _now: Callable[[], datetime]) -> ChannelClient:
    """The client of one shop. `access_token` is the app's Admin API token; Shopify signs nothing with the time."""
    return ShopifyClient(shop, http)


def _next_cursor(response: httpx.Response) -> str | None:
    """The cursor only: where our token goes is decided by base_url, never by an answer."""
    address = response.links.get("next", {}).get("url")
    return httpx.URL(address).params.get("page_info") if address else None


def _explain(response: httpx.Response) -> ChannelError | None:
    """401 to 403 are told best by their status; a body of fields says that the request itself is wrong."""
    return _own_words(response) if response.status_code in (400, 406, 422) else None


def _explain_one(response: httpx.Response) -> ChannelError | None:
    """Of one order, 404 may be the answer and no error: if Shopify itself says so."""
    return _own_words(response) if response.status_code in (404, 410) else _explain(response)


def _own_words(response: httpx.Response) -> ChannelError | None:
    try:
        return platform_error(read_object(response.content))
    except UnreadablePayload:
        return None


def _wire_time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"

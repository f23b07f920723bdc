"""The pull API of one Shopify shop: GET /admin/api/<version>/orders.json. Source: Admin REST API, "Retrieve orders"."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import httpx

from channel_adapters.calling import call
from channel_adapters.contract import ChannelClient, ChannelError, PollRules, RawOrder, UnreadablePayload, Window
from channel_adapters.reading import read_object
from channel_adapters.shop import ShopSettings
from channel_adapters.shopify.adapter import ADAPTER, platform_error
from channel_adapters.shopify.mapping import CHANNEL

VERSION: Final = "2026-01"
PATH: Final = f"/admin/api/{VERSION}/orders.json"
PAGE_SIZE: Final = 250
MAX_WINDOW: Final = timedelta(days=7)  # the platform sets no limit; ours bounds what a broken window reads again

_SECOND: Final = timedelta(seconds=1)


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

    async def _get(self, params: dict[str, str]) -> httpx.Response:
        who = f"{CHANNEL}/{self._shop.shop_id}"
        headers = {"X-Shopify-Access-Token": self._shop.access_token.get_secret_value()}
        url = f"{self._url}?{urlencode(params)}"
        return await call(self._http, who, "GET", url, headers=headers, explain=_explain)


def make_client(shop: ShopSettings, http: httpx.AsyncClient, _now: Callable[[], datetime]) -> ChannelClient:
    """The client of one shop. `access_token` is the app's Admin API token; Shopify signs nothing with the time."""
    return ShopifyClient(shop, http)


def _next_cursor(response: httpx.Response) -> str | None:
    """The cursor only: where our token goes is decided by base_url, never by an answer."""
    address = response.links.get("next", {}).get("url")
    return httpx.URL(address).params.get("page_info") if address else None


def _explain(response: httpx.Response) -> ChannelError | None:
    """401 to 403 are told best by their status; a body of fields says that the request itself is wrong."""
    if response.status_code not in (400, 406, 422):
        return None
    try:
        return platform_error(read_object(response.content))
    except UnreadablePayload:
        return None


def _wire_time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"

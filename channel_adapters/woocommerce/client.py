"""The pull API of one WooCommerce shop: GET /wp-json/wc/v3/orders. Source: REST API v3 manual, "List all orders"."""

from __future__ import annotations

import secrets
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
    ChannelUnavailable,
    PollRules,
    RawOrder,
    UnreadablePayload,
    Window,
)
from channel_adapters.reading import read_object
from channel_adapters.shop import ShopSettings
from channel_adapters.woocommerce.adapter import ADAPTER, platform_error
from channel_adapters.woocommerce.mapping import CHANNEL
from channel_adapters.woocommerce.signature import basic_authorization, is_safe_for_passwords, oauth_params
from schemas.text import Text

PATH: Final = "/wp-json/wc/v3/orders"
PAGE_SIZE: Final = 100  # the most that WordPress gives
MAX_WINDOW: Final = timedelta(days=7)  # the platform sets no limit; ours bounds what a broken window reads again

_SECOND: Final = timedelta(seconds=1)
_STALE_PAGES: Final = 3
_NO_SUCH_ORDER: Final = frozenset({"woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_order_invalid_id"})
"""The shop's own words. A 404 of a host, or of a shop whose REST API is switched off, says nothing about an order."""

Seen = dict[tuple[str, int], datetime | None]


class WooCommerceClient:
    """Walks by modify time, not by page number: rows that change meanwhile move, and would be skipped."""

    def __init__(self, shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> None:
        self._shop = shop
        self._http = http
        self._now = now
        self._url = shop.base_url.rstrip("/") + PATH
        self.rules = PollRules(max_window=MAX_WINDOW, page_size=min(shop.page_size or PAGE_SIZE, PAGE_SIZE))

    async def orders_modified(self, window: Window) -> AsyncIterator[Sequence[RawOrder]]:
        """Oldest first. Each page starts at the modify time the last one ended with; repeats are left out."""
        after, page, stale = _floor(window.start) - _SECOND, 1, 0
        seen: Seen = {}
        while True:
            rows = await self._page(after, window.end, page)
            fresh = [row for row in rows if _key(row) not in seen]
            if fresh:
                yield fresh
            if len(rows) < self.rules.page_size:
                return
            stale = 0 if fresh else stale + 1
            self._check_progress(stale)
            seen.update((_key(row), row.modified_at) for row in fresh)
            last = rows[-1].modified_at
            if last is not None and last - _SECOND > after:
                after, page = last - _SECOND, 1
                seen = {key: moment for key, moment in seen.items() if moment is None or moment >= last}
            else:
                page += 1  # a whole page of one second

    @property
    def most_ids(self) -> int:
        """How many one call may ask for."""
        return self.rules.page_size

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[RawOrder]:
        """See channel_adapters.contract.ReadsById. `any` leaves out the trash."""
        ids = ",".join(order_ids)
        response = await self._get(self._url, {"status": "any", "include": ids, "per_page": str(len(order_ids))})
        return ADAPTER.open_envelope(response.content)

    async def order_by_id(self, order_id: str) -> RawOrder | None:
        """See channel_adapters.contract.ReadsById. The shop still shows an order that lies in its trash."""
        try:
            response = await self._get(f"{self._url}/{order_id}", {})
        except ChannelRefused as error:
            if error.code in _NO_SUCH_ORDER:
                return None
            raise
        if read_object(response.content).get("status") == "trash":
            return None
        return ADAPTER.open_envelope(response.content)[0]

    async def _page(self, after: datetime, before: datetime, page: int) -> Sequence[RawOrder]:
        params = {
            "status": "any",
            "orderby": "modified",
            "order": "asc",
            "dates_are_gmt": "true",
            "modified_after": _wire_time(after),  # both bounds are exclusive
            "modified_before": _wire_time(_ceiling(before)),
            "page": str(page),
            "per_page": str(self.rules.page_size),
        }
        return ADAPTER.open_envelope((await self._get(self._url, params)).content)

    async def _get(self, url: str, params: dict[str, str]) -> httpx.Response:
        address, headers = self._signed(url, params)
        who = f"{CHANNEL}/{self._shop.shop_id}"
        return await call(self._http, who, "GET", address, headers=headers, explain=_explain)

    def _signed(self, url: str, params: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Over TLS the key and secret go as they are; over plain HTTP they only sign."""
        key, secret = self._shop.app_key, self._shop.app_secret.get_secret_value()
        if is_safe_for_passwords(url):
            query = f"?{urlencode(params)}" if params else ""
            return f"{url}{query}", {"Authorization": basic_authorization(key, secret)}
        signed = oauth_params("GET", url, params, key, secret, secrets.token_hex(16), self._now())
        return f"{url}?{urlencode(signed)}", {}

    def _check_progress(self, stale: int) -> None:
        if stale >= _STALE_PAGES:
            raise ChannelUnavailable(
                Text(
                    en=f"{CHANNEL}/{self._shop.shop_id}: the shop sends the same page again and again; "
                    "a cache or plugin may ignore the query",
                    zh=f"{CHANNEL}/{self._shop.shop_id}：店铺反复返回同一页，可能有缓存或插件忽略了查询参数",
                )
            )


def make_client(shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> ChannelClient:
    """The client of one shop. `app_key` is its consumer key, `app_secret` its consumer secret."""
    return WooCommerceClient(shop, http, now)


def _explain(response: httpx.Response) -> ChannelError | None:
    """The shop's own error code; None for a page of HTML and anything else that a host puts in between."""
    if response.status_code == 429 or response.status_code >= 500:
        return None  # the status says enough, and its Retry-After counts
    try:
        return platform_error(read_object(response.content))
    except UnreadablePayload:
        return None


def _key(row: RawOrder) -> tuple[str, int]:
    return row.platform_order_id, hash(row.payload)


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _ceiling(moment: datetime) -> datetime:
    return moment if not moment.microsecond else moment.replace(microsecond=0) + _SECOND


def _wire_time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")

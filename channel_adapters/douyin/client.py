"""The pull API of one doudian shop: POST /order/searchList, business parameters as the body, the rest as the query."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from urllib.parse import urlencode

import httpx

from channel_adapters.calling import call
from channel_adapters.contract import PollRules, RawOrder, Window
from channel_adapters.douyin.adapter import ADAPTER
from channel_adapters.douyin.signature import SIGN_METHOD, VERSION, param_json, sign
from channel_adapters.paging import Page, last_page_first, page_of
from channel_adapters.shop import ShopSettings

MAX_PAGE_SIZE = 100
DEEPEST = 10_000
"""Rows of one window that pages reach: one page of the documentation says 10 000, another 50 000."""

PATH = "/order/searchList"
METHOD = "order.searchList"


class DouyinClient:
    """See channel_adapters.contract.ChannelClient. List rows are as complete as details."""

    def __init__(self, shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> None:
        self._shop = shop
        self._http = http
        self._now = now
        self._who = f"{shop.channel}/{shop.shop_id}"
        self._url = shop.base_url.rstrip("/") + PATH
        size = min(shop.page_size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
        # The platform lets one query span 90 days; a day keeps windows far from the 10 000 rows that pages reach.
        self._rules = PollRules(max_window=timedelta(days=1), page_size=size)

    @property
    def rules(self) -> PollRules:
        """What the poller must keep to."""
        return self._rules

    def orders_modified(self, window: Window) -> AsyncIterator[Sequence[RawOrder]]:
        """See channel_adapters.contract.ChannelClient."""
        return last_page_first(self._page, window, self._rules.page_size, DEEPEST)

    async def _page(self, window: Window, number: int) -> Page:
        start, end = int(window.start.timestamp()), ceil(window.end.timestamp())
        body = await self._call(
            {
                "update_time_start": start,
                "update_time_end": max(end, start + 1),  # the two may not be equal
                "order_by": "update_time",
                "order_asc": True,
                "page": number,
                "size": self._rules.page_size,
            }
        )
        orders = ADAPTER.open_envelope(body)
        return page_of(body, orders, ("data",), total="total", more="has_more")

    async def _call(self, parameters: dict[str, object]) -> bytes:
        params = param_json(parameters)
        timestamp = str(int(self._now().timestamp()))
        secret = self._shop.app_secret.get_secret_value()
        query = {
            "app_key": self._shop.app_key,
            "method": METHOD,
            "access_token": self._shop.access_token.get_secret_value(),
            "timestamp": timestamp,
            "v": VERSION,
            "sign_method": SIGN_METHOD,
            "sign": sign(self._shop.app_key, secret, METHOD, params, timestamp),
        }
        response = await call(
            self._http,
            self._who,
            "POST",
            f"{self._url}?{urlencode(query)}",
            content=params.encode(),
            headers={"content-type": "application/json"},
        )
        return response.content


def make_client(shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> DouyinClient:
    """The client of one shop. `now` gives the time that calls are signed with."""
    return DouyinClient(shop, http, now)

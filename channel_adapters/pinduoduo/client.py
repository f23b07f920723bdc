"""The pull API of one Pinduoduo shop (open platform docs: pdd.order.number.list.increment.get)."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import httpx

from channel_adapters.calling import call
from channel_adapters.contract import ChannelClient, PollRules, RawOrder, Window
from channel_adapters.paging import Page, last_page_first, page_of
from channel_adapters.pinduoduo.adapter import ADAPTER
from channel_adapters.pinduoduo.signature import sign
from channel_adapters.shop import ShopSettings

PATH: Final = "/api/router"

_LONGEST: Final = timedelta(minutes=30)
_SETTLE: Final = timedelta(minutes=3)  # orders of the last minutes are missing from the list
_LARGEST_PAGE: Final = 100

# is_lucky_flag 0, order_status 5 and refund_status 5 each mean "all"; they are mandatory.
_ALL_ORDERS: Final = {"is_lucky_flag": "0", "order_status": "5", "refund_status": "5"}


class PinduoduoClient:
    """Lists what was modified; the rows are whole orders, despite the API's name."""

    def __init__(self, shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> None:
        self._shop = shop
        self._http = http
        self._now = now
        self._url = shop.base_url.rstrip("/") + PATH
        page_size = min(shop.page_size or _LARGEST_PAGE, _LARGEST_PAGE)
        self.rules = PollRules(max_window=_LONGEST, page_size=page_size, settle=_SETTLE)

    async def orders_modified(self, window: Window) -> AsyncIterator[Sequence[RawOrder]]:
        """Every order modified in the window. Raises ChannelUnavailable, ChannelRefused, UnreadablePayload."""
        async for orders in last_page_first(self._page, window, self.rules.page_size, deepest=sys.maxsize):
            yield orders

    async def _page(self, window: Window, number: int) -> Page:
        body = await self._call(
            _ALL_ORDERS
            | {
                "type": "pdd.order.number.list.increment.get",
                "start_updated_at": str(int(window.start.timestamp())),
                "end_updated_at": str(int(window.end.timestamp())),
                "page": str(number + 1),
                "page_size": str(self.rules.page_size),
            }
        )
        orders = ADAPTER.open_envelope(body)
        return page_of(body, orders, ("order_sn_increment_get_response",), total="total_count", more="has_next")

    async def _call(self, business: dict[str, str]) -> bytes:
        form = business | {
            "client_id": self._shop.app_key,
            "access_token": self._shop.access_token.get_secret_value(),
            "timestamp": str(int(self._now().timestamp())),
            "data_type": "JSON",
            "version": "V1",
        }
        form["sign"] = sign(form, self._shop.app_secret.get_secret_value())
        response = await call(self._http, f"{self._shop.channel}/{self._shop.shop_id}", "POST", self._url, form=form)
        return response.content


def make_client(shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> ChannelClient:
    """A client of one shop. `now` is the time our calls are stamped with."""
    return PinduoduoClient(shop, http, now)

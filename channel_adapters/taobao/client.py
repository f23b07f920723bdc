"""The pull API of one Taobao or Tmall shop (TOP docs: taobao.trades.sold.increment.get, taobao.trade.fullinfo.get)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import httpx

from channel_adapters.calling import call
from channel_adapters.contract import ChannelClient, PollRules, RawOrder, Window
from channel_adapters.paging import Page, last_page_first, page_of, patiently
from channel_adapters.reading import BEIJING
from channel_adapters.shop import ShopSettings
from channel_adapters.taobao.adapter import ADAPTER
from channel_adapters.taobao.signature import sign
from channel_adapters.taobao.wire import FullTrade

PATH: Final = "/router/rest"
FIELDS: Final = ",".join(["tid", *sorted(FullTrade.model_fields.keys() - {"tid"})])
"""What the detail is asked for: all that we read. An oaid is only built when the receiver's fields are among them."""

_LONGEST: Final = timedelta(minutes=30)  # advised; a day is allowed
_ADVISED_PAGE: Final = 50
_LARGEST_PAGE: Final = 100
_DETAILS_AT_ONCE: Final = 8


class TaobaoClient:
    """Lists what was modified, then fetches each trade whole: the list lacks gifts, promotions and tags."""

    def __init__(self, shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> None:
        self._shop = shop
        self._http = http
        self._now = now
        self._url = shop.base_url.rstrip("/") + PATH
        self._slots = asyncio.Semaphore(_DETAILS_AT_ONCE)
        self.rules = PollRules(max_window=_LONGEST, page_size=min(shop.page_size or _ADVISED_PAGE, _LARGEST_PAGE))

    async def orders_modified(self, window: Window) -> AsyncIterator[Sequence[RawOrder]]:
        """Every trade modified in the window, whole. Raises ChannelUnavailable, ChannelRefused, UnreadablePayload."""
        async for rows in last_page_first(self._page, window, self.rules.page_size, deepest=sys.maxsize):
            yield await self._details(rows)

    async def _page(self, window: Window, number: int) -> Page:
        body = await self._call(
            {
                "method": "taobao.trades.sold.increment.get",
                "fields": "tid,modified",
                "start_modified": _beijing(window.start),
                "end_modified": _beijing(window.end),
                "page_no": str(number + 1),
                "page_size": str(self.rules.page_size),
            }
        )
        rows = ADAPTER.open_envelope(body)
        return page_of(body, rows, ("trades_sold_increment_get_response",), total="total_results", more="has_next")

    async def _details(self, rows: Sequence[RawOrder]) -> Sequence[RawOrder]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._detail(row)) for row in rows]
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _detail(self, row: RawOrder) -> RawOrder:
        """One trade in full."""
        asked = {"method": "taobao.trade.fullinfo.get", "fields": FIELDS, "tid": row.platform_order_id}
        return await patiently(partial(self._full, asked))

    async def _full(self, asked: dict[str, str]) -> RawOrder:
        async with self._slots:
            return ADAPTER.open_envelope(await self._call(asked))[0]

    async def _call(self, business: dict[str, str]) -> bytes:
        form = business | {
            "app_key": self._shop.app_key,
            "session": self._shop.access_token.get_secret_value(),
            "timestamp": _beijing(self._now()),
            "format": "json",
            "v": "2.0",
            "sign_method": "hmac-sha256",
        }
        form["sign"] = sign(form, self._shop.app_secret.get_secret_value())
        response = await call(self._http, f"{self._shop.channel}/{self._shop.shop_id}", "POST", self._url, form=form)
        return response.content


def make_client(shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> ChannelClient:
    """A client of one shop. `now` is the time our calls are stamped with."""
    return TaobaoClient(shop, http, now)


def _beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")

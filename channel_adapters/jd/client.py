"""The pull API of one JD shop: jingdong.pop.order.search by modify time, at the routerjson gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import httpx

from channel_adapters.calling import call
from channel_adapters.contract import PollRules, RawOrder, Window
from channel_adapters.jd.adapter import ADAPTER, RESULT
from channel_adapters.jd.mapping import ORDER_STATE
from channel_adapters.jd.signature import PARAM_JSON, VERSION, param_json, sign
from channel_adapters.paging import Page, last_page_first, page_of
from channel_adapters.reading import BEIJING
from channel_adapters.shop import ShopSettings

MAX_PAGE_SIZE: Final = 100
MAX_PAGES: Final = 100
"""One page of the documentation says 100, another 300."""

PATH: Final = "/routerjson"
METHOD: Final = "jingdong.pop.order.search"

BY_MODIFIED: Final = "0"
NEWEST_FIRST: Final = "1"

FIELDS: Final = (
    "orderId",
    "orderType",
    "payType",
    "orderTotalPrice",
    "orderSellerPrice",
    "sellerDiscount",
    "orderPayment",
    "freightPrice",
    "balanceUsed",
    "taxFee",
    "serviceFee",
    "orderState",
    "orderRemark",
    "venderRemark",
    "venderRemarkLevelFlag",
    "orderStartTime",
    "paymentConfirmTime",
    "orderEndTime",
    "modified",
    "pin",
    "open_id_buyer",
    "xid_buyer",
    "returnOrder",
    "parentOrderId",
    "directParentOrderId",
    "storeOrder",
    "opPickDate",
    "sendpayMap",
    "popSignMap",
    "orderMarkDesc",
    "itemInfoList",
    "couponDetailList",
    "consigneeInfo",
    "partialLogisticsInfoModel",
)
"""What an answer holds is what was asked for, so this is the list of what the mapping reads."""


class JdClient:
    """See channel_adapters.contract.ChannelClient. List rows are as complete as details."""

    def __init__(self, shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> None:
        self._shop = shop
        self._http = http
        self._now = now
        self._who = f"{shop.channel}/{shop.shop_id}"
        self._url = shop.base_url.rstrip("/") + PATH
        size = min(shop.page_size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
        # The platform allows a month, and its shortest has 28 days.
        self._rules = PollRules(max_window=timedelta(days=28), page_size=size)

    @property
    def rules(self) -> PollRules:
        """What the poller must keep to."""
        return self._rules

    def orders_modified(self, window: Window) -> AsyncIterator[Sequence[RawOrder]]:
        """See channel_adapters.contract.ChannelClient."""
        size = self._rules.page_size
        return last_page_first(self._page, window, size, size * MAX_PAGES)

    async def _page(self, window: Window, number: int) -> Page:
        body = await self._call(
            {
                "start_date": _beijing(window.start),
                "end_date": _beijing(window.end + timedelta(microseconds=999_999)),  # up to the next whole second
                "order_state": ",".join(ORDER_STATE),
                "optional_fields": ",".join(FIELDS),
                "page": str(number + 1),
                "page_size": str(self._rules.page_size),
                "sortType": NEWEST_FIRST,
                "dateType": BY_MODIFIED,
            }
        )
        orders = ADAPTER.open_envelope(body)
        return page_of(body, orders, (f"{METHOD.replace('.', '_')}_responce", RESULT), total="orderTotal")

    async def _call(self, parameters: dict[str, str]) -> bytes:
        form = {
            "method": METHOD,
            "access_token": self._shop.access_token.get_secret_value(),
            "app_key": self._shop.app_key,
            "timestamp": self._now().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S.000+0800"),
            "v": VERSION,
            PARAM_JSON: param_json(parameters),
        }
        form["sign"] = sign(form, self._shop.app_secret.get_secret_value())
        response = await call(self._http, self._who, "POST", self._url, form=form)
        return response.content


def _beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def make_client(shop: ShopSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> JdClient:
    """The client of one shop. `now` gives the time that calls are signed with."""
    return JdClient(shop, http, now)

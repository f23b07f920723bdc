"""Signed calls to the simulated platforms, as their documentation writes them, and room to get them wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from channel_adapters.douyin import signature as douyin
from channel_adapters.jd import signature as jd
from channel_adapters.pinduoduo import signature as pinduoduo
from channel_adapters.taobao import signature as taobao
from ops.testbed.simulators.payloads.writing import BEIJING
from ops.testbed.simulators.shops import simulated_shop
from tests.ops.testbed.simulators.conftest import START, Quiet

Json = dict[str, Any]

TAOBAO_FIELDS = "tid,status,modified,created,orders"
JD_FIELDS = "orderId,orderState,modified,itemInfoList"
JD_STATES = "WAIT_SELLER_STOCK_OUT,WAIT_GOODS_RECEIVE_CONFIRM,LOCKED,TRADE_CANCELED,FINISHED_L"


def beijing(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


class Caller:
    """Calls the platforms of one quiet world. `changed` overrides what is sent, after the signature when `late`."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, quiet: Quiet) -> None:
        self.http = http
        self.base_url = base_url
        self.quiet = quiet
        self.start, self.end = int(START), int(quiet.clock())

    async def taobao(
        self, method: str = "taobao.trades.sold.increment.get", late: Json | None = None, **changed: str
    ) -> Json:
        shop = simulated_shop("taobao")
        form = {
            "method": method,
            "app_key": shop.app_key,
            "session": shop.access_token.get_secret_value(),
            "timestamp": beijing(self.quiet.clock()),
            "format": "json",
            "v": "2.0",
            "sign_method": "hmac-sha256",
            "fields": TAOBAO_FIELDS,
        }
        if method.endswith("increment.get"):
            form |= {"start_modified": beijing(self.start), "end_modified": beijing(self.end)}
        form |= changed
        signing: Any = form["sign_method"]
        form["sign"] = taobao.sign(form, shop.app_secret.get_secret_value(), signing)
        response = await self.http.post(f"{self.base_url}/taobao/router/rest", data=form | (late or {}))
        return json_of(response)

    async def pinduoduo(
        self, kind: str = "pdd.order.number.list.increment.get", late: Json | None = None, **changed: str
    ) -> Json:
        shop = simulated_shop("pinduoduo")
        form = {
            "type": kind,
            "client_id": shop.app_key,
            "access_token": shop.access_token.get_secret_value(),
            "timestamp": str(int(self.quiet.clock())),
            "data_type": "JSON",
        }
        if kind.endswith("increment.get"):
            form |= {
                "start_updated_at": str(self.start),
                "end_updated_at": str(self.end),
                "is_lucky_flag": "0",
                "order_status": "5",
                "refund_status": "5",
            }
        form = {name: value for name, value in (form | changed).items() if value}
        form["sign"] = pinduoduo.sign(form, shop.app_secret.get_secret_value())
        response = await self.http.post(f"{self.base_url}/pinduoduo/api/router", data=form | (late or {}))
        return json_of(response)

    async def douyin(self, path: str = "/order/searchList", late: Json | None = None, **changed: Any) -> Json:
        shop = simulated_shop("douyin")
        given: Json = {"page": 0, "size": 100}
        if path == "/order/searchList":
            given |= {"update_time_start": self.start, "update_time_end": self.end}
            given |= {"order_by": "update_time", "order_asc": True}
        text = douyin.param_json(given | changed)
        method, stamp = path.strip("/").replace("/", "."), str(int(self.quiet.clock()))
        query = {
            "app_key": shop.app_key,
            "method": method,
            "access_token": shop.access_token.get_secret_value(),
            "timestamp": stamp,
            "v": "2",
            "sign_method": "hmac-sha256",
            "sign": douyin.sign(shop.app_key, shop.app_secret.get_secret_value(), method, text, stamp),
        }
        url = f"{self.base_url}/douyin{path}?{urlencode(query | (late or {}))}"
        return json_of(await self.http.post(url, content=text.encode()))

    async def jd(self, method: str = "jingdong.pop.order.search", late: Json | None = None, **changed: str) -> Json:
        shop = simulated_shop("jd")
        business = {"optional_fields": JD_FIELDS}
        if method.endswith("earch"):
            business |= {"start_date": beijing(self.start), "end_date": beijing(self.end)}
            business |= {"order_state": JD_STATES, "page": "1", "page_size": "100"}
        form = {
            "method": method,
            "access_token": shop.access_token.get_secret_value(),
            "app_key": shop.app_key,
            "timestamp": beijing(self.quiet.clock()) + ".000+0800",
            "v": "2.0",
            "360buy_param_json": jd.param_json(business | changed),
        }
        form["sign"] = jd.sign(form, shop.app_secret.get_secret_value())
        return json_of(await self.http.post(f"{self.base_url}/jd/routerjson", data=form | (late or {})))

    async def woocommerce(self, path: str = "", **query: str) -> httpx.Response:
        shop = simulated_shop("woocommerce")
        url = f"{self.base_url}/woocommerce/wp-json/wc/v3/orders{path}"
        return await self.http.get(url, params=query, auth=(shop.app_key, shop.app_secret.get_secret_value()))

    async def shopify(self, url: str = "", token: str = "", **query: str) -> httpx.Response:
        shop = simulated_shop("shopify")
        headers = {"X-Shopify-Access-Token": token or shop.access_token.get_secret_value()}
        path = f"{self.base_url}/shopify/admin/api/2026-01/orders.json"
        return await self.http.get(url or path, params=query or None, headers=headers)

    async def shopify_pages(self, **query: str) -> AsyncIterator[list[Json]]:
        response = await self.shopify(**query)
        while True:
            yield response.json()["orders"]
            if "next" not in response.links:
                return
            response = await self.shopify(response.links["next"]["url"])


def json_of(response: httpx.Response) -> Json:
    """The body of an answer: these platforms say everything with HTTP 200."""
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    body: Json = response.json()
    return body


A_DAY = timedelta(days=1).total_seconds()

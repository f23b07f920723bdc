"""Runs one platform SDK that somebody else wrote. In an environment of its own: see README.md beside this file.

    python tests/interop/sdk.py CHANNEL < {"base_url": ..., "key": ..., "secret": ..., "token": ..., ...}

Prints one line of JSON: {"orders": [ids]} when the platform answered, {"refused": text} when it refused, and
{"signatures": {...}} for `vectors`, the signatures that the SDKs compute without asking anybody.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

os.environ["TZ"] = "Asia/Shanghai"  # these SDKs stamp in the machine's own time
time.tzset()
BEIJING = timezone(timedelta(hours=8))


def text(seconds):
    return datetime.fromtimestamp(seconds, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def taobao(given):
    from taobaopyx.taobao import AsyncTaobaoAPIClient, TaobaoAPIError

    async def run():
        client = AsyncTaobaoAPIClient(given["key"], given["secret"], domain=given["base_url"])
        asked = {
            "session": given["token"],
            "fields": "tid,status,modified",
            "start_modified": text(given["start"]),
            "end_modified": text(given["end"]),
            "page_size": 100,
        }
        try:
            answer = await getattr(client, "taobao.trades.sold.increment.get")(**asked)
        except TaobaoAPIError as error:
            return {"refused": str(error)}
        finally:
            await client.aclose()
        return {"orders": [str(row["tid"]) for row in answer["trades_sold_increment_get_response"]["trades"]["trade"]]}

    return asyncio.run(run())


def pinduoduo(given):
    from pdd_sdk import appinfo
    from pdd_sdk.api import base

    class Increment(base.RestApi):  # the SDK has requests of affiliates only; a seller's is one more
        def getapiname(self):
            return "pdd.order.number.list.increment.get"

    place = urlsplit(given["base_url"])
    base.N_REST = f"{place.path}/api/router"
    request = Increment(place.hostname, place.port)
    request.set_app_info(appinfo(given["key"], given["secret"]))
    request.start_updated_at, request.end_updated_at = given["start"], given["end"]
    request.is_lucky_flag, request.order_status, request.refund_status = 0, 5, 5
    request.page_size = 100
    request.access_token = given["token"]  # the SDK would send it as `session`, which a seller's calls do not know
    told = []
    loads, base.json.loads = base.json.loads, lambda body: told.append(loads(body)) or told[-1]
    try:
        answer = request.getResponse()
    except base.DdkException:  # it looks for `code`, where Pinduoduo says `error_code`
        return {"refused": str(told[0]["error_response"]["error_code"])}
    return {"orders": [row["order_sn"] for row in answer["order_sn_increment_get_response"]["order_sn_list"]]}


def jd(given):
    import jd as sdk
    from jd.api import base

    class Search(base.RestApi):  # not among the SDK's ready requests
        def getapiname(self):
            return "jingdong.pop.order.search"

    place = urlsplit(given["base_url"])
    base.N_REST = f"{place.path}/routerjson"
    request = Search(place.hostname, place.port)
    request.set_app_info(sdk.appinfo(given["key"], given["secret"]))
    request.start_date, request.end_date = text(given["start"]), text(given["end"])
    request.order_state = ",".join(given["states"])
    request.optional_fields = "orderId,orderState,modified"
    request.page, request.page_size = "1", "100"
    answer = request.getResponse(given["token"])
    if "error_response" in answer:
        return {"refused": json.dumps(answer["error_response"], ensure_ascii=False)}
    result = answer["jingdong_pop_order_search_responce"]["searchorderinfo_result"]
    return {"orders": [row["orderId"] for row in result["orderInfoList"]]}


def _doudian(given):
    from doudian import AppType, DouDian

    client = DouDian(given["key"], given["secret"], AppType.TOOL)
    client._token = {"access_token": given.get("token", ""), "expires_in": int(time.time()) + 86400}
    return client


def douyin(given):
    client = _doudian(given)
    client._gate_way = given["base_url"]
    asked = {"update_time_start": given["start"], "update_time_end": given["end"], "order_by": "update_time"}
    answer = client.request("/order/searchList", {**asked, "page": 0, "size": 100})
    if answer["code"] != 10000:
        return {"refused": f"{answer['sub_code']} {answer['sub_msg']}"}
    return {"orders": [row["order_id"] for row in answer["data"]["shop_order_list"]]}


def woocommerce(given):
    from woocommerce import API

    api = API(given["base_url"], given["key"], given["secret"], timeout=30)  # plain HTTP: it signs with OAuth 1.0a
    after, before = (
        (datetime.fromtimestamp(at, BEIJING) + timedelta(seconds=beyond)).replace(tzinfo=None).isoformat()
        for at, beyond in ((given["start"], -1), (given["end"], 1))
    )
    orders, page = [], 1
    while True:
        asked = {"modified_after": after, "modified_before": before, "orderby": "modified", "order": "asc"}
        answer = api.get("orders", params={**asked, "per_page": 5, "page": page, "status": "any"})
        if answer.status_code != 200:
            return {"refused": answer.json()["code"] + ": " + answer.json()["message"]}
        orders += [str(row["id"]) for row in answer.json()]
        if page >= int(answer.headers["X-WP-TotalPages"]):
            return {"orders": orders}
        page += 1


def shopify(given):
    import shopify as sdk
    from pyactiveresource.connection import UnauthorizedAccess

    sdk.ShopifyResource.site = f"{given['base_url']}/admin/api/2026-01"
    sdk.ShopifyResource.headers = {"X-Shopify-Access-Token": given["token"]}
    start, end = (datetime.fromtimestamp(given[name], BEIJING).isoformat() for name in ("start", "end"))
    try:
        page = sdk.Order.find(status="any", order="updated_at asc", updated_at_min=start, updated_at_max=end, limit=5)
    except UnauthorizedAccess as error:
        return {"refused": str(error)}
    orders = [str(row.id) for row in page]
    while page.has_next_page():
        page = page.next_page()
        orders += [str(row.id) for row in page]
    return {"orders": orders}


def vectors(given):
    """What they sign with no server there; the same texts are signed by us."""
    import shopify as sdk
    from jd.api.base import sign as jd_sign
    from pdd_sdk.api.base import sign as pdd_sign
    from woocommerce.oauth import OAuth

    doudian = _doudian(given)
    body = given["body"].encode()
    headers = {"app-id": given["key"], "event-sign": given["event_sign"]}
    oauth = OAuth("http://shop.example/wp-json/wc/v3/orders", given["key"], given["secret"], version="wc/v3")
    sdk.Session.setup(api_key=given["key"], secret=given["secret"])
    return {
        "signatures": {
            "jd": jd_sign(given["secret"], given["parameters"]),
            "pinduoduo": pdd_sign(given["secret"], given["parameters"]),
            "douyin": doudian._sign("order.searchList", given["param_json"], given["timestamp"]),
            "douyin push": doudian.callback(headers, body) is not None,
            "douyin forged push": doudian.callback(headers, body + b" ") is not None,
            "woocommerce": oauth.generate_oauth_signature(dict(given["oauth"]), oauth.url),
            "shopify callback": sdk.Session.calculate_hmac(given["parameters"]),
        }
    }


RUN = {
    "taobao": taobao,
    "pinduoduo": pinduoduo,
    "jd": jd,
    "douyin": douyin,
    "woocommerce": woocommerce,
    "shopify": shopify,
    "vectors": vectors,
}

if __name__ == "__main__":
    print(json.dumps(RUN[sys.argv[1]](json.load(sys.stdin))))

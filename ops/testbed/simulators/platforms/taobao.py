"""The TOP gateway: trades.sold.increment.get and trade.fullinfo.get (TOP docs 101617, 25838 and the API pages)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from channel_adapters.taobao.signature import matches, sign
from ops.testbed.simulators.faults import Fault
from ops.testbed.simulators.payloads.taobao import STATUS_OF, head, sub_orders
from ops.testbed.simulators.platforms.desk import Desk, Refusal, answer, beijing_seconds, broken, page_of, refuse, whole
from ops.testbed.simulators.sale import Sale

MAX_WINDOW_SECONDS: Final = 86400

LIST_LACKS: Final = frozenset({"promotion_details", "service_tags", "step_pay_details"})
ORDER_LIST_LACKS: Final = frozenset({"is_free_gift", "has_gift", "gift_mids", "need_return"})
OAID_NEEDS: Final = frozenset({"receiver_name", "receiver_address", "created", "receiver_mobile", "receiver_phone"})

Parameters = dict[str, str]


class Taobao:
    """One seller's trades behind the TOP gateway."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._methods = {
            "taobao.trades.sold.increment.get": self._increment,
            "taobao.trade.fullinfo.get": self._fullinfo,
        }

    def routes(self) -> Iterable[web.RouteDef]:
        """Where it listens."""
        return (web.post("/taobao/router/rest", self.handle), web.get("/taobao/router/rest", self.handle))

    async def handle(self, request: web.Request) -> web.Response:
        """One call; errors are HTTP 200, too."""
        fault = self._desk.fault()
        if fault is Fault.BROKEN:
            return broken()
        parameters = dict(request.query)
        parameters.update(parse_qsl((await request.read()).decode(), keep_blank_values=True))
        try:
            self._check(parameters)
            if fault is Fault.LIMITED:
                raise _limited()
            return answer(self._methods[parameters["method"]](parameters))
        except Refusal as refusal:
            return refuse(refusal)

    def _check(self, given: Parameters) -> None:
        """Common parameters, in the sequence in which TOP complains about them."""
        for name, code, message in _COMMON:
            if not given.get(name):
                raise _error(code, f"Missing {message}")
        if given["app_key"] != self._desk.shop.app_key:
            raise _error(29, "Invalid App Key", "isv.appkey-not-exists")
        if given["method"] not in self._methods:
            raise _error(22, "Invalid Method", "isv.invalid-method")
        if given.get("format") != "json":
            raise _error(23, "Invalid Format", "isv.invalid-format")
        if given["v"] != "2.0":
            raise _error(34, "Unsupported Version")
        self._check_stamp(given["timestamp"])
        self._check_sign(given)
        if given["session"] != self._desk.token:
            raise _error(27, "Invalid session", "invalid-sessionkey", "SessionKey非法")

    def _check_stamp(self, text: str) -> None:
        """Text in Beijing time as the docs say, or the milliseconds since 1970 of the older SDKs."""
        try:
            fresh = self._desk.fresh(int(text) / 1000 if len(text) == 13 else beijing_seconds(text))
        except ValueError:
            fresh = False
        if not fresh:
            raise _error(31, "Invalid Timestamp", "isv.invalid-timestamp")

    def _check_sign(self, given: Parameters) -> None:
        method = given.get("sign_method", "")
        if method not in ("md5", "hmac", "hmac-sha256"):
            raise _error(25, "Invalid signature", "isv.invalid-signature-method")
        if not matches(given["sign"], sign(given, self._desk.secret, method)):  # type: ignore[arg-type]
            raise _error(25, "Invalid signature", "isv.invalid-signature", "签名验证失败")

    def _increment(self, given: Parameters) -> bytes:
        _require(given, "fields", "start_modified", "end_modified")
        try:
            start, end = beijing_seconds(given["start_modified"]), beijing_seconds(given["end_modified"])
            page = whole(given.get("page_no", "1"), 1, 10**9)
            size = whole(given.get("page_size", "40"), 1, 100)
        except ValueError as error:
            raise _error(41, "Invalid Arguments", "isv.invalid-parameter", str(error)) from error
        if not 0 <= end - start <= MAX_WINDOW_SECONDS:
            raise _error(41, "Invalid Arguments", "isv.invalid-parameter", "查询时间跨度不能超过1天")
        rows = self._desk.store.modified(start, end)
        if status := given.get("status"):
            rows = [sale for sale in rows if STATUS_OF[sale.stage] == status]
        rows.reverse()
        return self._list(rows, page, size, given)

    def _list(self, rows: list[Sale], page: int, size: int, given: Parameters) -> bytes:
        fields = given["fields"]
        trades = b",".join(
            self._desk.store.cache.get(sale, f"list {fields}", lambda sale: _render(sale, fields, brief=True))
            for sale in page_of(rows, page, size)
        )
        counted = (
            b'"has_next":%s' % (b"true" if len(rows) > page * size else b"false")
            if given.get("use_has_next") == "true"
            else b'"total_results":%d' % len(rows)
        )
        wrapped = b'{"trade":[%s]}' % trades if trades else b"{}"
        return b'{"trades_sold_increment_get_response":{%s,"trades":%s,"request_id":"%s"}}' % (
            counted,
            wrapped,
            self._request_id(),
        )

    def _fullinfo(self, given: Parameters) -> bytes:
        _require(given, "fields", "tid")
        sale = self._desk.store.get(given["tid"])
        if sale is None:
            raise _error(15, "Remote service error", "isv.trade-not-exist", "交易不存在")
        fields = given["fields"]
        body = self._desk.store.cache.get(sale, f"full {fields}", lambda sale: _render(sale, fields, brief=False))
        return b'{"trade_fullinfo_get_response":{"trade":%s,"request_id":"%s"}}' % (body, self._request_id())

    def _request_id(self) -> bytes:
        return b"15abcd%07d" % self._desk.requests


_COMMON: Final = (
    ("app_key", 28, "App Key"),
    ("method", 21, "Method"),
    ("v", 32, "Version"),
    ("timestamp", 30, "Timestamp"),
    ("sign", 24, "Signature"),
    ("session", 26, "Session"),
)


@lru_cache(maxsize=64)
def _wanted(fields: str, brief: bool) -> tuple[frozenset[str], frozenset[str]]:
    """The trade's and the sub-orders' fields that a `fields` text asks for; no sub-order fields = all of them."""
    names = {name.strip() for name in fields.split(",")}
    sub = {name.removeprefix("orders.") for name in names if name.startswith("orders.")}
    top = {name for name in names if "." not in name} | ({"orders"} if sub else set())
    if "tid" in top:
        top.add("tid_str")
    if top >= OAID_NEEDS:
        top.add("oaid")
    else:
        top.discard("oaid")
    return frozenset(top - LIST_LACKS if brief else top), frozenset(sub if "orders" not in names else ())


def _render(sale: Sale, fields: str, *, brief: bool) -> bytes:
    """The trade as asked for; a field that was not asked for is absent."""
    top, sub = _wanted(fields, brief)
    result: dict[str, Any] = {name: value for name, value in head(sale).items() if name in top}
    if "orders" in top:
        lacks = ORDER_LIST_LACKS if brief else frozenset()
        result["orders"] = {"order": [_order(order, sub, lacks) for order in sub_orders(sale)]}
    return orjson.dumps(result)


def _order(order: dict[str, Any], asked: frozenset[str], lacks: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name not in lacks and (not asked or name in asked)}


def _require(given: Parameters, *names: str) -> None:
    for name in names:
        if not given.get(name):
            raise _error(40, "Missing Required Arguments", "isv.missing-parameter", name)


def _error(code: int, message: str, sub_code: str = "", sub_message: str = "") -> Refusal:
    error = {"code": code, "msg": message, "sub_code": sub_code, "sub_msg": sub_message, "request_id": "15abcdexample"}
    return Refusal({"error_response": {name: value for name, value in error.items() if value != ""}})


def _limited() -> Refusal:
    return _error(
        7,
        "App Call Limited",
        "accesscontrol.limited-by-api-access-count",
        "This ban will last for 1 more seconds",
    )

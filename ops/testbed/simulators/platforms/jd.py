"""The JOS gateway: jingdong.pop.order.search, .enSearch and .get (JOS docs, public pullers; "responce" is theirs)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from channel_adapters.jd.signature import sign
from ops.testbed.simulators.faults import Fault
from ops.testbed.simulators.payloads.jd import STATE_OF, order_info
from ops.testbed.simulators.platforms.desk import Desk, Refusal, answer, beijing_seconds, broken, page_of, refuse, whole
from ops.testbed.simulators.sale import Sale

MAX_WINDOW_SECONDS: Final = 31 * 86400
MAX_PAGES: Final = 100  # the docs give 100 and 300, the smaller one catches more

Parameters = dict[str, Any]


class JD:
    """One vender's orders behind routerjson."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._methods = {
            "jingdong.pop.order.search": self._search,
            "jingdong.pop.order.enSearch": self._search,
            "jingdong.pop.order.get": self._get,
        }

    def routes(self) -> Iterable[web.RouteDef]:
        """Where it listens."""
        return (web.post("/jd/routerjson", self.handle), web.get("/jd/routerjson", self.handle))

    async def handle(self, request: web.Request) -> web.Response:
        """One call; errors are HTTP 200, too."""
        fault = self._desk.fault()
        if fault is Fault.BROKEN:
            return broken()
        parameters = dict(request.query)
        parameters.update(parse_qsl((await request.read()).decode(), keep_blank_values=True))
        try:
            business = self._check(parameters)
            if fault is Fault.LIMITED:
                raise _error("2", "限制时间内调用失败次数", "App Call Limited")
            method = parameters["method"]
            name = method.replace(".", "_").encode()
            return answer(b'{"%s_responce":%s}' % (name, self._methods[method](business)))
        except Refusal as refusal:
            return refuse(refusal)

    def _check(self, given: dict[str, str]) -> Parameters:
        if given.get("method") not in self._methods:
            raise _error("14", "无效方法", "Invalid method")
        if given.get("app_key") != self._desk.shop.app_key:
            raise _error("21", "无效的app_key", "Invalid app_key")
        if given.get("v") != "2.0" or not self._fresh(given.get("timestamp", "")):
            raise _error("8", "无效的时间戳", "Invalid timestamp")
        unsigned = {name: value for name, value in given.items() if name != "sign"}
        if not hmac.compare_digest(given.get("sign", "").encode(), sign(unsigned, self._desk.secret).encode()):
            raise _error("12", "无效签名", "Invalid signature")
        if given.get("access_token") != self._desk.token:
            raise _error("19", "token已过期或者不存在，请重新授权", "Invalid access_token")
        try:
            business: Parameters = orjson.loads(given.get("360buy_param_json", ""))
        except orjson.JSONDecodeError as error:
            raise _error("11", "360buy_param_json不合法", "Invalid param_json") from error
        return business

    def _fresh(self, text: str) -> bool:
        try:
            return self._desk.fresh(beijing_seconds(text[:19]))
        except ValueError:
            return False

    def _search(self, given: Parameters) -> bytes:
        try:
            start, end = self._window(given)
            if not 0 <= end - start <= MAX_WINDOW_SECONDS:
                return _failure("时间范围不能超过一个月")
            rows = self._rows(given, start, end)
            page = whole(str(given.get("page", "")), 1, MAX_PAGES)
            size = whole(str(given.get("page_size", "")), 1, 100)
        except (ValueError, KeyError):
            return _failure("参数错误")
        if given.get("sortType") in (1, "1"):
            rows.reverse()
        fields = given["optional_fields"]
        orders = b",".join(self._order(sale, fields) for sale in page_of(rows, page, size))
        return b'{"searchorderinfo_result":{"apiResult":%s,"orderTotal":%d,"orderInfoList":[%s]},"code":"0"}' % (
            _SUCCESS,
            len(rows),
            orders,
        )

    def _window(self, given: Parameters) -> tuple[int, int]:
        """Both dates may be missing when only orders to ship are asked for: then it is the last month.

        Raises KeyError and ValueError for what is missing or wrong.
        """
        if given.get("start_date") or given.get("end_date"):
            return beijing_seconds(given["start_date"]), beijing_seconds(given["end_date"])
        if given["order_state"] != "WAIT_SELLER_STOCK_OUT":
            raise KeyError("start_date")
        now = int(self._desk.clock())
        return now - MAX_WINDOW_SECONDS, now

    def _rows(self, given: Parameters, start: int, end: int) -> list[Sale]:
        """Raises KeyError and ValueError for what is missing or wrong."""
        states = {state.strip() for state in given["order_state"].split(",")}
        if not given["optional_fields"] or not states <= STATES:
            raise ValueError("optional_fields, order_state")
        by_created = given.get("dateType") in (1, "1")
        rows = self._desk.store.placed(start, end) if by_created else self._desk.store.modified(start, end)
        return [sale for sale in rows if STATE_OF[sale.stage][0] in states]

    def _get(self, given: Parameters) -> bytes:
        sale = self._desk.store.get(str(given.get("order_id", "")))
        fields = given.get("optional_fields")
        if sale is None or not fields:
            return orjson.dumps({"orderDetailInfo": {"apiResult": _refused("参数错误或订单不存在")}, "code": "0"})
        return b'{"orderDetailInfo":{"apiResult":%s,"orderInfo":%s},"code":"0"}' % (
            _SUCCESS,
            self._order(sale, fields),
        )

    def _order(self, sale: Sale, fields: str) -> bytes:
        return self._desk.store.cache.get(sale, fields, lambda sale: _render(sale, fields))


STATES: Final = frozenset(
    {
        "WAIT_SELLER_STOCK_OUT",
        "WAIT_GOODS_RECEIVE_CONFIRM",
        "WAIT_SELLER_DELIVERY",
        "PAUSE",
        "POP_ORDER_PAUSE",
        "LOCKED",
        "FINISHED_L",
        "TRADE_CANCELED",
        "WAIT_SEND_CODE",
    }
)

_SUCCESS: Final = b'{"englishErrCode":"","chineseErrCode":"","numberCode":0,"success":true}'


@lru_cache(maxsize=64)
def _wanted(fields: str) -> frozenset[str]:
    return frozenset(name.strip() for name in fields.split(",")) | {"orderId"}


def _render(sale: Sale, fields: str) -> bytes:
    """The order as asked for; a field that was not asked for is absent."""
    wanted = _wanted(fields)
    return orjson.dumps({name: value for name, value in order_info(sale).items() if name in wanted})


def _failure(reason: str) -> bytes:
    """A business failure sits inside an envelope that looks like success."""
    return orjson.dumps({"searchorderinfo_result": {"apiResult": _refused(reason), "orderTotal": 0}, "code": "0"})


def _refused(reason: str) -> Parameters:
    return {"englishErrCode": "parameter error", "chineseErrCode": reason, "numberCode": 10300003, "success": False}


def _error(code: str, chinese: str, english: str) -> Refusal:
    return Refusal({"error_response": {"code": code, "zh_desc": chinese, "en_desc": english}})

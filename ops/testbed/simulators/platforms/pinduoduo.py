"""The PDD gateway: order.number.list.increment.get and order.information.get (PDD API docs)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from channel_adapters.pinduoduo.signature import sign
from ops.testbed.simulators.faults import Fault
from ops.testbed.simulators.payloads.pinduoduo import order_info
from ops.testbed.simulators.platforms.desk import Desk, Refusal, answer, broken, page_of, refuse, whole
from ops.testbed.simulators.sale import Sale, Stage

MAX_WINDOW_SECONDS: Final = 1800

Parameters = dict[str, str]


class Pinduoduo:
    """One mall's orders behind the PDD gateway."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._methods = {
            "pdd.order.number.list.increment.get": self._increment,
            "pdd.order.information.get": self._information,
        }

    def routes(self) -> Iterable[web.RouteDef]:
        """Where it listens."""
        return (web.post("/pinduoduo/api/router", self.handle),)

    async def handle(self, request: web.Request) -> web.Response:
        """One call, form or JSON; errors are HTTP 200, too."""
        fault = self._desk.fault()
        if fault is Fault.BROKEN:
            return broken()
        try:
            parameters = dict(request.query) | _body(await request.read(), request.content_type)
            self._check(parameters)
            if fault is Fault.LIMITED:
                raise _error(52101, "当前接口被限流, 请稍后重试")
            return answer(self._methods[parameters["type"]](parameters))
        except Refusal as refusal:
            return refuse(refusal)

    def _check(self, given: Parameters) -> None:
        if given.get("type") not in self._methods:
            raise _error(10001, "公共参数错误:type")
        if given.get("client_id") != self._desk.shop.app_key:
            raise _error(10001, "公共参数错误:client_id")
        if given.get("data_type", "JSON") != "JSON":
            raise _error(10001, "公共参数错误:data_type")
        stamp = given.get("timestamp", "")
        if not stamp.isdecimal() or not self._desk.fresh(int(stamp)):
            raise _error(10001, "公共参数错误:timestamp")
        unsigned = {name: value for name, value in given.items() if name != "sign"}
        if not hmac.compare_digest(given.get("sign", "").encode(), sign(unsigned, self._desk.secret).encode()):
            raise _error(20004, "签名sign校验失败")
        if given.get("access_token") != self._desk.token:
            raise _error(10019, "access_token已过期")

    def _increment(self, given: Parameters) -> bytes:
        try:
            start = whole(given["start_updated_at"], 0, 1 << 40)
            end = whole(given["end_updated_at"], 0, 1 << 40)
            filters = {name: int(given[name]) for name in ("is_lucky_flag", "order_status", "refund_status")}
            page = whole(given.get("page", "1"), 1, 10**9)
            size = whole(given.get("page_size", "100"), 1, 100)
        except KeyError as error:
            raise _error(10000, f"参数错误:缺少必填参数{error.args[0]}") from error
        except ValueError as error:
            raise _error(10000, "参数错误", str(error)) from error
        if any(value not in _ALLOWED[name] for name, value in filters.items()):
            raise _error(10000, "参数错误", "is_lucky_flag, order_status, refund_status")
        if not 0 <= end - start <= MAX_WINDOW_SECONDS:
            raise _error(10000, "参数错误", "开始时间和结束时间不能大于30分钟")
        rows = [sale for sale in self._desk.store.modified(start, end) if _passes(sale, filters)]
        return self._list(rows, page, size, use_has_next=given.get("use_has_next") == "true")

    def _list(self, rows: list[Sale], page: int, size: int, *, use_has_next: bool) -> bytes:
        orders = b",".join(self._order(sale) for sale in page_of(rows, page, size))
        counted = (
            b'"has_next":%s' % (b"true" if len(rows) > page * size else b"false")
            if use_has_next
            else b'"total_count":%d' % len(rows)
        )
        return b'{"order_sn_increment_get_response":{"order_sn_list":[%s],%s,"request_id":"%s"}}' % (
            orders,
            counted,
            self._request_id(),
        )

    def _information(self, given: Parameters) -> bytes:
        sale = self._desk.store.get(given.get("order_sn", ""))
        if sale is None:
            raise _error(10000, "参数错误", "订单不存在")
        return b'{"order_info_get_response":{"order_info":%s,"request_id":"%s"}}' % (
            self._order(sale),
            self._request_id(),
        )

    def _order(self, sale: Sale) -> bytes:
        return self._desk.store.cache.get(sale, "order", lambda sale: orjson.dumps(order_info(sale)))

    def _request_id(self) -> bytes:
        return b"169%014d" % self._desk.requests


_ALLOWED: Final = {"is_lucky_flag": (0, 1, 2), "order_status": (1, 2, 3, 5), "refund_status": (1, 2, 3, 4, 5)}


def _passes(sale: Sale, filters: dict[str, int]) -> bool:
    """0 asks for lottery orders or not, 5 for every status; no simulated order is a lottery."""
    if filters["is_lucky_flag"] == 2:
        return False
    if filters["order_status"] != 5 and filters["order_status"] != (2 if sale.shipped_at else 1):
        return False
    refund = {Stage.REFUNDED: 4, Stage.CANCEL_REQUESTED: 2}.get(sale.stage, 1)
    return filters["refund_status"] in (5, refund)


def _body(body: bytes, content_type: str) -> Parameters:
    """The business and common parameters as the texts that are signed."""
    if content_type != "application/json":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _error(10000, "参数错误", "请求体不是合法的JSON") from error
    return {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in values.items()}


def _error(code: int, message: str, detail: str = "") -> Refusal:
    sub = {"sub_msg": detail or (message if code > 50000 else ""), "sub_code": str(code) if code > 50000 else None}
    return Refusal(
        {"error_response": {"error_msg": message, **sub, "error_code": code, "request_id": "16900000000example"}}
    )

"""The doudian gateway: /order/searchList and /order/orderDetail (Douyin API docs)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any, Final

import orjson
from aiohttp import web

from channel_adapters.douyin.signature import sign
from ops.testbed.simulators.faults import Fault
from ops.testbed.simulators.payloads.douyin import shop_order
from ops.testbed.simulators.platforms.desk import Desk, Refusal, answer, beijing_seconds, broken, page_of, refuse
from ops.testbed.simulators.sale import Sale

MAX_AGE_SECONDS: Final = 90 * 86400
MAX_ROWS: Final = 10_000  # of one query; the docs give 10 000 and 50 000, the smaller one catches more

Parameters = dict[str, Any]


class Douyin:
    """One shop's orders behind the doudian gateway."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._methods = {"order.searchList": self._search, "order.orderDetail": self._detail}

    def routes(self) -> Iterable[web.RouteDef]:
        """Where it listens: the path is the method's name with slashes."""
        return (web.post("/douyin/{path:.+}", self.handle),)

    async def handle(self, request: web.Request) -> web.Response:
        """One call; errors are HTTP 200, too."""
        fault = self._desk.fault()
        if fault is Fault.BROKEN:
            return broken()
        method = request.match_info["path"].strip("/").replace("/", ".")
        try:
            parameters = self._check(method, dict(request.query), await request.read())
            if fault is Fault.LIMITED:
                raise _error(60000, "接口调用过于频繁", "isv.traffic-limited", "请稍后重试")
            return answer(self._methods[method](parameters))
        except Refusal as refusal:
            return refuse(refusal)

    def _check(self, method: str, query: dict[str, str], body: bytes) -> Parameters:
        for name in ("app_key", "method", "access_token", "timestamp", "v", "sign"):
            if not query.get(name):
                raise _error(40001, "缺少必填参数", f"isv.missing-parameter:{name}", f"缺少参数{name}")
        if method not in self._methods or query["method"] != method:
            raise _error(40003, "非法的参数", "isv.parameter-invalid:method", "method不存在")
        if query["app_key"] != self._desk.shop.app_key or query["v"] != "2":
            raise _error(40003, "非法的参数", "isv.parameter-invalid:app_key", "app_key无效")
        if not _fresh(self._desk, query["timestamp"]):
            raise _error(40003, "非法的参数", "isv.timestamp-invalid", "timestamp已过期")
        self._check_sign(query, body)
        if query["access_token"] != self._desk.token:
            raise _error(40003, "非法的参数", "isv.access-token-no-existed", "access_token不存在")
        try:
            parameters: Parameters = orjson.loads(body or b"{}")
        except orjson.JSONDecodeError as error:
            raise _error(40003, "非法的参数", "isv.parameter-invalid:param_json", "不是合法的JSON") from error
        return parameters

    def _check_sign(self, query: dict[str, str], body: bytes) -> None:
        """Over the very bytes of the body. Only the HMAC form is spoken here."""
        expected = sign(query["app_key"], self._desk.secret, query["method"], body.decode() or "{}", query["timestamp"])
        right_method = query.get("sign_method") == "hmac-sha256"
        if not right_method or not hmac.compare_digest(query["sign"].encode(), expected.encode()):
            raise _error(40003, "非法的参数", "isv.signature-invalid", "签名不正确")

    def _search(self, given: Parameters) -> bytes:
        page, size = _number(given, "page", 0), _number(given, "size", 0)
        if page < 0 or not 1 <= size <= 100 or (page + 1) * size > MAX_ROWS:
            raise _invalid("page,size")
        rows = self._rows(given)
        if not given.get("order_asc", False):
            rows.reverse()
        orders = b",".join(self._order(sale) for sale in page_of(rows, page + 1, size))
        return self._envelope(
            b'{"page":%d,"size":%d,"total":%d,"shop_order_list":[%s]}' % (page, size, len(rows), orders)
        )

    def _rows(self, given: Parameters) -> list[Sale]:
        order_by = given.get("order_by", "create_time")
        if order_by not in ("create_time", "update_time"):
            raise _invalid("order_by")
        for name in ("update_time", "create_time"):
            start, end = _number(given, f"{name}_start", 0), _number(given, f"{name}_end", 0)
            if not (start and end):
                continue
            if end <= start or start < self._desk.clock() - MAX_AGE_SECONDS:
                raise _invalid(f"{name}_start")
            by_update = name == "update_time"
            rows = self._desk.store.modified(start, end) if by_update else self._desk.store.placed(start, end)
            if order_by != name:
                rows.sort(key=(lambda sale: sale.placed_at) if by_update else (lambda sale: sale.modified_at))
            return rows
        raise _error(40001, "缺少必填参数", "isv.missing-parameter:update_time_start", "缺少时间范围")

    def _detail(self, given: Parameters) -> bytes:
        sale = self._desk.store.get(str(given.get("shop_order_id", "")))
        if sale is None:
            raise _invalid("shop_order_id")
        return self._envelope(b'{"shop_order_detail":%s}' % self._order(sale))

    def _order(self, sale: Sale) -> bytes:
        return self._desk.store.cache.get(sale, "order", lambda sale: orjson.dumps(shop_order(sale)))

    def _envelope(self, data: bytes) -> bytes:
        return b'{"code":10000,"msg":"success","sub_code":"","sub_msg":"","data":%s,"log_id":"EXAMPLELOGID%010d"}' % (
            data,
            self._desk.requests,
        )


def _fresh(desk: Desk, text: str) -> bool:
    try:
        return desk.fresh(int(text) if text.isdecimal() else beijing_seconds(text))
    except ValueError:
        return False


def _number(given: Parameters, name: str, missing: int) -> int:
    value = given.get(name, missing)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _invalid(name)
    return value


def _invalid(name: str) -> Refusal:
    return _error(40003, "非法的参数", f"isv.parameter-invalid:{name}", f"参数{name}不合法")


def _error(code: int, message: str, sub_code: str, sub_message: str) -> Refusal:
    return Refusal(
        {
            "code": code,
            "msg": message,
            "sub_code": sub_code,
            "sub_msg": sub_message,
            "data": None,
            "log_id": "EXAMPLELOGIDERROR",
        }
    )

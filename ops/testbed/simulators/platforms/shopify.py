"""A Shopify shop's Admin REST API: orders.json with cursor paging, one order, and the call bucket (shopify.dev)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

import orjson
from aiohttp import web

from ops.testbed.simulators.faults import Fault
from ops.testbed.simulators.payloads.shopify import order
from ops.testbed.simulators.platforms.desk import Desk, Refusal, answer, broken, refuse, whole
from ops.testbed.simulators.sale import Sale

VERSION: Final = "2026-01"
ORDERS: Final = f"/shopify/admin/api/{VERSION}/orders.json"
ONE_ORDER: Final = ORDERS.removesuffix(".json") + r"/{number:\d+}.json"
FOREVER: Final = 1 << 40


class Bucket:
    """Each call adds one, `leak` a second run out; over `size` the call is refused. Figures of the Plus plan."""

    def __init__(self, size: int = 80, leak: float = 4.0) -> None:
        self.size = size
        self.level = 0.0
        self._leak = leak
        self._at = 0.0

    def add(self, now: float) -> bool:
        """Whether one more call fits."""
        self.level = max(0.0, self.level - (now - self._at) * self._leak)
        self._at = now
        if self.level + 1 > self.size:
            return False
        self.level += 1
        return True

    def header(self) -> str:
        """How full it is, as the platform tells it."""
        return f"{min(self.size, -(-int(self.level * 10) // 10))}/{self.size}"


class Shopify:
    """One shop behind the Admin API."""

    def __init__(self, desk: Desk, bucket: Bucket | None = None) -> None:
        self._desk = desk
        self._bucket = bucket or Bucket()

    def routes(self) -> Iterable[web.RouteDef]:
        """Where it listens."""
        return (web.get(ORDERS, self.list_orders), web.get(ONE_ORDER, self.one_order))

    async def list_orders(self, request: web.Request) -> web.Response:
        """A page of orders, the next one in the `Link` header."""
        return self._guarded(request, self._list)

    async def one_order(self, request: web.Request) -> web.Response:
        """One order."""
        return self._guarded(request, self._one)

    def _guarded(self, request: web.Request, serve: Callable[[web.Request], web.Response]) -> web.Response:
        fault = self._desk.fault()
        if fault is Fault.BROKEN:
            return broken()
        try:
            self._check(request)
            if fault is Fault.LIMITED or not self._bucket.add(self._desk.clock()):
                raise Refusal({"errors": _LIMITED}, 429, {"Retry-After": "2.0"})
            return serve(request)
        except Refusal as refusal:
            return refuse(refusal)

    def _check(self, request: web.Request) -> None:
        given = request.headers.get("X-Shopify-Access-Token", "")
        if not hmac.compare_digest(given.encode(), self._desk.token.encode()):
            raise Refusal({"errors": _UNKNOWN_TOKEN}, 401)

    def _one(self, request: web.Request) -> web.Response:
        sale = self._desk.store.get(request.match_info["number"])
        if sale is None:
            raise Refusal({"errors": "Not Found"}, 404)
        return answer(b'{"order":%s}' % self._order(sale), self._call_limit())

    def _call_limit(self) -> dict[str, str]:
        return {"X-Shopify-Shop-Api-Call-Limit": self._bucket.header()}

    def _list(self, request: web.Request) -> web.Response:
        query = request.query
        limit = _limit(query)
        cursor = _cursor(query["page_info"], query) if "page_info" in query else _first(query)
        rows = self._rows(cursor)
        page = list(islice(rows, limit))
        headers = self._call_limit()
        if len(page) == limit and next(rows, None) is not None:
            coded = _coded(cursor | {"position": page[-1].position})
            url = request.url.origin().with_path(ORDERS)
            headers["Link"] = f'<{url}?limit={limit}&page_info={coded}>; rel="next"'
        orders = b",".join(self._order(sale) for sale in page)
        return answer(b'{"orders":[%s]}' % orders, headers)

    def _rows(self, cursor: Mapping[str, Any]) -> Any:
        """Oldest change first, from past the cursor: an order that changes meanwhile moves to the end, none is lost."""
        rows = self._desk.store.after(cursor["position"], cursor["start"], cursor["end"])
        status, ids = cursor["status"], set(cursor["ids"])
        return (
            sale for sale in rows if (status == "any" or _state(sale) == status) and (not ids or sale.order_id in ids)
        )

    def _order(self, sale: Sale) -> bytes:
        return self._desk.store.cache.get(sale, "order", lambda sale: orjson.dumps(order(sale)))


_UNKNOWN_TOKEN: Final = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
_LIMITED: Final = "Exceeded 4 calls per second for api client. Reduce request rates to resume uninterrupted service."


def _state(sale: Sale) -> str:
    if sale.closed_at:
        return "cancelled"
    return "closed" if sale.shipped_at else "open"


def _limit(query: Mapping[str, str]) -> int:
    try:
        return whole(query.get("limit", "50"), 1, 250)
    except ValueError as error:
        raise Refusal({"errors": {"limit": ["must be from 1 to 250"]}}, 400) from error


def _first(query: Mapping[str, str]) -> dict[str, Any]:
    """Where the first page begins. Only the order by update time, oldest first, is simulated."""
    if query.get("order", "updated_at asc") != "updated_at asc":
        raise Refusal({"errors": {"order": ["is not supported here: ask for updated_at asc"]}}, 400)
    status = query.get("status", "open")
    if status not in ("any", "open", "closed", "cancelled"):
        raise Refusal({"errors": {"status": ["is not one of any, open, closed, cancelled"]}}, 400)
    start, end = _seconds(query, "updated_at_min", 0), _seconds(query, "updated_at_max", FOREVER)
    return {"position": -1, "start": start, "end": end, "status": status, "ids": _ids(query.get("ids", ""))}


def _ids(text: str) -> list[str]:
    ids = [each.strip() for each in text.split(",") if each.strip()]
    if not all(each.isascii() and each.isdigit() for each in ids):
        raise Refusal({"errors": {"ids": ["are not numbers"]}}, 400)
    return ids


def _seconds(query: Mapping[str, str], name: str, missing: int) -> int:
    text = query.get(name)
    if text is None:
        return missing
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal({"errors": {name: ["is not a time"]}}, 400) from error
    return int(moment.timestamp())


def _coded(cursor: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(orjson.dumps(dict(cursor))).decode().rstrip("=")


def _cursor(text: str, query: Mapping[str, str]) -> dict[str, Any]:
    """What a `page_info` stands for; nothing but `limit` and `fields` may go with it."""
    if set(query) - {"page_info", "limit", "fields"}:
        raise Refusal({"errors": {"page_info": ["cannot go with other filters"]}}, 400)
    try:
        cursor: dict[str, Any] = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise Refusal({"errors": {"page_info": ["Invalid value."]}}, 400) from error
    return cursor

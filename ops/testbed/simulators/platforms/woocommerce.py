"""A WooCommerce shop's REST API v3: orders and their refunds (official REST manual)."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

import orjson
from aiohttp import web

from channel_adapters.woocommerce.signature import base_string
from ops.testbed.simulators.faults import Fault
from ops.testbed.simulators.payloads.woocommerce import order, refunds
from ops.testbed.simulators.payloads.writing import BEIJING
from ops.testbed.simulators.platforms.desk import Desk, Refusal, answer, broken, page_of, refuse, whole
from ops.testbed.simulators.sale import Sale

ORDERS: Final = "/woocommerce/wp-json/wc/v3/orders"
FOREVER: Final = 1 << 40
RETRY_AFTER_SECONDS: Final = 1
OAUTH_SECONDS: Final = 900  # how far a signature's time may be off
OAUTH_NONCES: Final = 10_000

Handler = Callable[[web.Request], web.Response]


class WooCommerce:
    """One self-built mall. It trusts the proxy before it to have spoken HTTPS, so Basic credentials are enough.

    Who comes over plain HTTP signs with OAuth 1.0a instead.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._nonces: dict[str, None] = {}  # the latest, oldest first

    def routes(self) -> Iterable[web.RouteDef]:
        """Where it listens."""
        return (
            web.get(ORDERS, self.list_orders),
            web.get(ORDERS + r"/{number:\d+}", self.one_order),
            web.get(ORDERS + r"/{number:\d+}/refunds", self.order_refunds),
        )

    async def list_orders(self, request: web.Request) -> web.Response:
        """A page of orders, a bare array, with the totals in the headers."""
        return self._guarded(request, self._list)

    async def one_order(self, request: web.Request) -> web.Response:
        """One order; the trash is in no list, but here."""
        return self._guarded(request, self._one)

    async def order_refunds(self, request: web.Request) -> web.Response:
        """The refunds of one order."""
        return self._guarded(request, lambda request: answer(orjson.dumps(refunds(self._sale(request)))))

    def _guarded(self, request: web.Request, serve: Handler) -> web.Response:
        fault = self._desk.fault()
        if fault is Fault.BROKEN:
            return broken()
        try:
            if fault is Fault.LIMITED:
                raise _error("too_many_requests", "Too many requests.", 429)
            self._check(request)
            return serve(request)
        except Refusal as refusal:
            return refuse(refusal)

    def _check(self, request: web.Request) -> None:
        """Basic credentials, the two keys as query parameters, or an OAuth 1.0a signature made with them."""
        if "oauth_signature" in request.query:
            return self._check_oauth(request)
        key, secret = _basic(request.headers) or (
            request.query.get("consumer_key", ""),
            request.query.get("consumer_secret", ""),
        )
        known = hmac.compare_digest(key.encode(), self._desk.shop.app_key.encode())
        if not (hmac.compare_digest(secret.encode(), self._desk.secret.encode()) and known):
            raise _error("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 401)
        return None

    def _check_oauth(self, request: web.Request) -> None:
        """As WooCommerce checks it; of a parameter that comes twice PHP knows the last."""
        given = {name: request.query.getall(name)[-1] for name in request.query}
        signature = given.pop("oauth_signature")
        if given.get("oauth_consumer_key") != self._desk.shop.app_key:
            raise _error("woocommerce_rest_authentication_error", "Consumer key is invalid.", 401)
        text = base_string(request.method, str(request.url.with_query(None)), given)
        right = b64encode(hmac.digest(f"{self._desk.secret}&".encode(), text.encode(), sha256))
        known = given.get("oauth_signature_method") == "HMAC-SHA256"
        if not (known and hmac.compare_digest(signature.encode(), right)):
            raise _error("woocommerce_rest_authentication_error", "Invalid signature - it does not match.", 401)
        stamp, nonce = given.get("oauth_timestamp", ""), given.get("oauth_nonce", "")
        if not (stamp.isdecimal() and abs(self._desk.clock() - int(stamp)) <= OAUTH_SECONDS):
            raise _error("woocommerce_rest_authentication_error", "Invalid timestamp.", 401)
        if not nonce or nonce in self._nonces:
            raise _error("woocommerce_rest_authentication_error", "Invalid nonce - it has already been used.", 401)
        self._nonces[nonce] = None
        if len(self._nonces) > OAUTH_NONCES:
            del self._nonces[next(iter(self._nonces))]

    def _one(self, request: web.Request) -> web.Response:
        trashed = self._desk.store.trashed(request.match_info["number"])
        if trashed is not None:
            return answer(orjson.dumps(order(trashed) | {"status": "trash"}))
        return answer(self._order(self._sale(request)))

    def _sale(self, request: web.Request) -> Sale:
        sale = self._desk.store.get(request.match_info["number"])
        if sale is None:
            raise _error("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
        return sale

    def _list(self, request: web.Request) -> web.Response:
        query = request.query
        page = _number(query, "page", 1, 10**9)
        size = _number(query, "per_page", 10, 100)
        rows = self._rows(query)
        pages = -(-len(rows) // size)
        headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
        if links := _links(request, page, pages):
            headers["Link"] = links
        return answer(b"[%s]" % b",".join(self._order(sale) for sale in page_of(rows, page, size)), headers)

    def _rows(self, query: Mapping[str, str]) -> list[Sale]:
        """`after` and `before` are exclusive. Other orders than by modify time or creation are not simulated."""
        zone = UTC if query.get("dates_are_gmt") in ("true", "1") else BEIJING
        after, before = (_seconds(query, f"modified_{end}", zone) for end in ("after", "before"))
        rows = self._desk.store.modified((after or -1) + 1, (before or FOREVER) - 1)
        if "include" in query:
            included = _ids(query["include"])
            rows = [sale for sale in rows if sale.order_id in included]
        status = query.get("status", "any")
        if status != "any":
            wanted = set(status.split(","))
            rows = [sale for sale in rows if order(sale)["status"] in wanted]
        order_by = query.get("orderby", "date")
        if order_by not in ("date", "modified"):
            raise _invalid("orderby")
        if order_by == "date":
            rows.sort(key=lambda sale: (sale.placed_at, sale.serial))
        if query.get("order", "desc") == "desc":
            rows.reverse()
        return rows

    def _order(self, sale: Sale) -> bytes:
        return self._desk.store.cache.get(sale, "order", lambda sale: orjson.dumps(order(sale)))


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    scheme, _, coded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        key, _, secret = b64decode(coded, validate=True).decode().partition(":")
    except (BadBase64, UnicodeDecodeError):
        return None
    return key, secret


def _number(query: Mapping[str, str], name: str, missing: int, high: int) -> int:
    try:
        return whole(query.get(name, str(missing)), 1, high)
    except ValueError as error:
        raise _invalid(name) from error


def _ids(text: str) -> set[str]:
    ids = set(text.split(","))
    if not all(each.isascii() and each.isdigit() for each in ids):
        raise _invalid("include")
    return ids


def _seconds(query: Mapping[str, str], name: str, zone: tzinfo) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _invalid(name) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return int(aware.timestamp())


def _links(request: web.Request, page: int, pages: int) -> str:
    """The neighbouring pages, with all other parameters as they came, but no credentials."""
    links = []
    for number, relation in ((page - 1, "prev"), (page + 1, "next")):
        if 1 <= number <= pages:
            kept = {name: value for name, value in request.query.items() if not name.startswith("consumer_")}
            url = request.url.origin().with_path(ORDERS)
            links.append(f'<{url}?{urlencode(kept | {"page": str(number)})}>; rel="{relation}"')
    return ", ".join(links)


def _invalid(name: str) -> Refusal:
    return _error("rest_invalid_param", f"Invalid parameter(s): {name}", 400)


def _error(code: str, message: str, status: int) -> Refusal:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 429 else None
    return Refusal({"code": code, "message": message, "data": {"status": status}}, status, headers)

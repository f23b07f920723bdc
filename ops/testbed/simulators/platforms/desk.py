"""What every simulated platform has: its shop's secrets, its orders, a clock, and now and then a fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from channel_adapters.shop import ShopSettings
from ops.testbed.simulators.faults import Fault, Faults
from ops.testbed.simulators.payloads.writing import BEIJING
from ops.testbed.simulators.sale import Sale
from ops.testbed.simulators.store import Store

CLOCK_DRIFT_SECONDS = 600

_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"


@dataclass(slots=True)
class Desk:
    """One platform's front desk."""

    shop: ShopSettings
    store: Store
    clock: Callable[[], float]
    faults: Faults
    requests: int = 0

    @property
    def secret(self) -> str:
        """The app secret that requests are signed with."""
        return self.shop.app_secret.get_secret_value()

    @property
    def token(self) -> str:
        """The access token that requests must carry."""
        return self.shop.access_token.get_secret_value()

    def fault(self) -> Fault | None:
        """Count the call; how it fails, None when it does not."""
        self.requests += 1
        return self.faults.strike()

    def fresh(self, seconds: float) -> bool:
        """Whether a request's time stamp is near the platform's own time."""
        return abs(self.clock() - seconds) <= CLOCK_DRIFT_SECONDS


class Refusal(Exception):
    """The platform's answer is an error."""

    def __init__(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.body = body
        self.status = status
        self.headers = headers


def answer(body: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=body, content_type="application/json", charset="utf-8", headers=headers)


def refuse(refusal: Refusal) -> web.Response:
    """The error answer of a refusal."""
    return web.Response(
        body=orjson.dumps(refusal.body),
        status=refusal.status,
        content_type="application/json",
        charset="utf-8",
        headers=refusal.headers,
    )


def broken() -> web.Response:
    """What a gateway says when the platform behind it is down."""
    return web.Response(body=_BAD_GATEWAY, status=502, content_type="text/html")


def beijing_seconds(text: str) -> int:
    """Unix seconds of `yyyy-MM-dd HH:mm:ss` in Beijing. Raises ValueError."""
    if len(text) != 19:
        raise ValueError("not yyyy-MM-dd HH:mm:ss")
    return int(datetime.fromisoformat(text).replace(tzinfo=BEIJING).timestamp())


def whole(text: str, low: int, high: int) -> int:
    """A number of a parameter, within bounds. Raises ValueError."""
    number = int(text)
    if not low <= number <= high:
        raise ValueError(f"not from {low} to {high}")
    return number


def page_of(rows: list[Sale], page: int, size: int) -> list[Sale]:
    """Page `page`, counted from 1."""
    return rows[(page - 1) * size : page * size]

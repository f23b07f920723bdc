"""The HTTP server of the simulated platforms: six gateways and two windows behind the scenes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

import orjson
from aiohttp import web

from ops.testbed.simulators.faults import Faults
from ops.testbed.simulators.platforms.desk import Desk
from ops.testbed.simulators.platforms.douyin import Douyin
from ops.testbed.simulators.platforms.jd import JD
from ops.testbed.simulators.platforms.pinduoduo import Pinduoduo
from ops.testbed.simulators.platforms.shopify import Shopify
from ops.testbed.simulators.platforms.taobao import Taobao
from ops.testbed.simulators.platforms.woocommerce import WooCommerce
from ops.testbed.simulators.shops import simulated_shop
from ops.testbed.simulators.world import World

HOST = "127.0.0.1"
LINES_AT_ONCE = 500


class Platform(Protocol):
    """One simulated platform."""

    def routes(self) -> Iterable[web.RouteDef]:
        """Where it listens."""
        ...


_PLATFORMS: dict[str, Callable[[Desk], Platform]] = {
    "taobao": Taobao,
    "pinduoduo": Pinduoduo,
    "douyin": Douyin,
    "jd": JD,
    "woocommerce": WooCommerce,
    "shopify": Shopify,
}


class Simulator:
    """One world behind its six platforms."""

    def __init__(self, world: World, clock: Callable[[], float], faults: Faults | None = None) -> None:
        self.world = world
        self.desks = {
            channel: Desk(simulated_shop(channel), world.stores[channel], clock, faults or Faults())
            for channel in _PLATFORMS
        }

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application()
        for channel, platform in _PLATFORMS.items():
            app.router.add_routes(platform(self.desks[channel]).routes())
        app.router.add_get("/_simulator/truth", self._truth)
        app.router.add_get("/_simulator/progress", self._progress)
        return app

    async def _truth(self, request: web.Request) -> web.StreamResponse:
        """NDJSON, one line of every placed order."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        lines = [orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in self.world.truth()]
        for start in range(0, len(lines), LINES_AT_ONCE):
            await response.write(b"".join(lines[start : start + LINES_AT_ONCE]))
        await response.write_eof()
        return response

    async def _progress(self, _request: web.Request) -> web.Response:
        requests = {channel: desk.requests for channel, desk in self.desks.items()}
        return web.json_response(self.world.progress() | {"requests": requests})


@asynccontextmanager
async def listening(simulator: Simulator, port: int = 0) -> AsyncIterator[int]:
    """Serve on loopback, on a free port when `port` is 0. Gives the port; stops on leaving, within a second."""
    runner = web.AppRunner(simulator.app(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()

"""Takes in what Alertmanager posts: `POST /alerts` with a token, answered after Kafka has the notices.

200  told, or on its way
400  not what Alertmanager posts: to send it again would not help
401  the token is missing or wrong; nothing of the body was read
404  another path
408, 413, 415  the body is too slow, too large, or compressed
503  Kafka is away, and nobody could be told at once: Alertmanager posts it again
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from aiohttp import web
from pydantic import SecretStr

from schemas.notice import Notice
from schemas.topics import NOTICES
from workers.intake.alerts import BadAlerts, notices_of
from workers.intake.body import BodyLimits, BodyReader, BodyRefused, BrokenOff
from workers.intake.connections import ConnectionLimits, Connections
from workers.intake.http_server import hang_up, listening
from workers.intake.publish import publish
from workers.intake.reader import utc_now
from workers.runtime import metrics
from workers.runtime.errors import TransientError, path_of
from workers.runtime.outputs import Sender
from workers.runtime.wire import Encoder

log = logging.getLogger(__name__)

MOST_BYTES: Final = 2 << 20
"""Some thousand alerts."""

STORE_SECONDS: Final = 10.0
"""Kafka has so long to take the notices, before those that matter most are told in another way."""

Otherwise = Callable[[Sequence[Notice], bool], Awaitable[bool]]
"""Tells people at once of what is critical, where the usual way is not open. Given the notices and whether Kafka has
them; gives whether everybody whom they concern was told."""


class AlertReceiver:
    """The receiver. `otherwise`: for when what the usual way depends on is the very thing that an alert is about."""

    def __init__(
        self, producer: Sender, token: SecretStr, otherwise: Otherwise, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._producer, self._otherwise, self._now = producer, otherwise, now
        self._expected = f"Bearer {token.get_secret_value()}".encode()
        self._encode = Encoder([NOTICES])
        self._bodies = BodyReader(BodyLimits(most_bytes=MOST_BYTES))
        self._connections = Connections(ConnectionLimits(connections=64))

    @asynccontextmanager
    async def listening(self, *, host: str, port: int) -> AsyncIterator[int]:
        """Take alerts; gives the port. Raises OSError when it is taken."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post("/alerts", self.receive)
        async with listening(app, self._connections, host=host, port=port) as bound:
            yield bound

    async def receive(self, request: web.Request) -> web.Response:
        """One post."""
        self._connections.reading(request)
        try:
            status, word = await self._outcome(request)
        finally:
            self._connections.waiting(request)
        metrics.ALERTS_RECEIVED.labels(str(status)).inc()
        response = web.json_response({"code": word}, status=status)
        if not request.content.is_eof():
            await hang_up(request, response)
        return response

    async def _outcome(self, request: web.Request) -> tuple[int, str]:
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not secrets.compare_digest(given, self._expected):
            return 401, "token-wrong"
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return 415, "body-encoded"
        try:
            async with self._bodies.body(request) as body:
                self._connections.serving(request)
                return await self._take_in(body)
        except BodyRefused as refused:
            return refused.status, "body-refused"
        except BrokenOff:
            return 499, "broken-off"
        except Exception as error:  # noqa: BLE001  # a bug of ours must not end the server; its words may quote the body
            log.error("alerts: a mistake of ours: %s at %s", type(error).__name__, path_of(error))
            return 500, "bug"

    async def _take_in(self, body: bytes) -> tuple[int, str]:
        try:
            notices = notices_of(body, self._now())
        except BadAlerts as error:
            log.warning("alerts: refused: %s", error)
            return 400, "not-alerts"
        stored = await self._store(notices)
        told = await self._otherwise(notices, stored)
        if stored or told:
            return 200, "taken"
        return 503, "not-stored"

    async def _store(self, notices: Sequence[Notice]) -> bool:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await publish(self._producer, [self._encode(notice) for notice in notices])
        except (TransientError, TimeoutError) as error:
            log.warning("alerts: Kafka does not take %d notices: %s", len(notices), error or "no answer in time")
            return False
        return True

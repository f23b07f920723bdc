"""Notices over HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from redis.asyncio import Redis

from ops.testbed.local_stack.redis_server import RedisServer
from tests.ops.api.conftest import Client
from tests.workers.notify.builders import a_notice, delivered
from workers.admin.desk.access import Role, Scope
from workers.notify.agent import NotifyAgent
from workers.notify.store import NoticeStore


def hear(server: RedisServer, *keys: str) -> None:
    async def work() -> None:
        async with Redis.from_url(server.url) as redis:
            await redis.flushall()
            now = datetime.now(UTC)
            agent = NotifyAgent(NoticeStore(redis), lambda: now.timestamp())
            await agent.handle(delivered(*(a_notice(key, at=now) for key in keys)))

    asyncio.run(work())


def test_a_matter_is_listed_in_the_callers_language_taken_and_snoozed(
    client: Client, redis_server: RedisServer
) -> None:
    hear(redis_server, "a", "b")
    with client(Role.OPERATOR) as http:
        page = http.get("/notices", params={"limit": 1}, headers={"Accept-Language": "zh"}).json()
        assert [one["key"] for one in page["items"]] == ["a"]
        assert page["items"][0]["explanation"]["text"].startswith("已付款订单在等")
        rest = http.get("/notices", params={"cursor": page["next"]}).json()
        assert [one["key"] for one in rest["items"]] == ["b"]
        taken = http.post("/notices/take", json={"key": "a", "why": "on my way"}).json()
        assert taken["taken_by"].startswith("operator-")
        snoozed = http.post("/notices/snooze", json={"key": "a", "seconds": 60, "why": "known"}).json()
        assert snoozed["snoozed_until"]
        assert http.get("/notices/sent").json() == http.get("/notices/unreached").json() == []


def test_refusals_are_named(client: Client, redis_server: RedisServer) -> None:
    hear(redis_server, "a")
    with client(Role.OPERATOR) as http:
        missing = http.post("/notices/take", json={"key": "x", "why": "y"})
        assert (missing.status_code, missing.json()["code"]) == (404, "unknown-matter")
        assert http.post("/notices/snooze", json={"key": "a", "seconds": 10**9, "why": "y"}).status_code == 422
        assert http.post("/notices/retry", json={"recipient": "ops", "why": "y"}).json()["code"] == "no-trouble"
        assert http.get("/notices", params={"minimum": "huge"}).status_code == 422
    with client(Role.OPERATOR, Scope.NOTICES_READ) as http:
        assert http.get("/notices").status_code == 200
        assert http.post("/notices/take", json={"key": "a", "why": "y"}).json()["code"] == "scope-missing"

"""Notices at the desk, on a real Redis and PostgreSQL: who sees what, who looks after it, what was sent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from schemas.notice import Notice, NoticeSeverity, shop_scope
from tests.workers.notify.builders import a_notice, a_recipient, delivered
from workers.admin.desk.access import Actor, ActorKind, Role
from workers.admin.desk.desk import Desk
from workers.admin.desk.notices import NoticeFilter
from workers.admin.errors import InvalidRequest, NotAllowed, NotFound
from workers.notify.agent import NotifyAgent, TellAgent
from workers.notify.recipients import Recipients
from workers.notify.sending import NotSent
from workers.notify.store import NoticeStore
from workers.runtime.settings import Settings

ALL = NoticeFilter()


class Fleet:
    """What notify and tell would do, on the Redis of the desk. `began`: when the test did, by the desk's clock."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.redis_url.get_secret_value()
        self.began = datetime.now(UTC).replace(microsecond=0)
        self.at = self.began
        self.fails = ""
        self.offset = 0

    def hears(self, *notices: Notice) -> None:
        async def work() -> None:
            async with Redis.from_url(self._url) as redis:
                agent = NotifyAgent(NoticeStore(redis), lambda: self.at.timestamp())
                await agent.handle(delivered(*notices, start=self.offset))

        asyncio.run(work())
        self.offset += len(notices)

    def tells(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        everybody = Recipients(gather_seconds=0, recipients={"ops": a_recipient(remind_seconds=60)})

        async def send(*_: object) -> None:
            if self.fails:
                raise NotSent(self.fails)

        async def work() -> None:
            async with Redis.from_url(self._url) as redis:
                await redis.delete("turn:{notices}")
                await TellAgent(NoticeStore(redis), lambda: everybody, lambda: self.at.timestamp(), send).tick()

        asyncio.run(work())


@pytest.fixture
def fleet(settings: Settings) -> Fleet:
    async def empty() -> None:
        async with Redis.from_url(settings.redis_url.get_secret_value()) as redis:
            await redis.flushall()

    asyncio.run(empty())
    return Fleet(settings)


def seller(*shops: str, role: Role = Role.OPERATOR) -> Actor:
    return Actor(ActorKind.USER, "li", role, "10.0.0.1", frozenset(shops))


def keys(desk: Desk, actor: Actor, wanted: NoticeFilter = ALL) -> list[str]:
    return [one.key for one in desk.notices.list(actor, wanted, cursor=None, limit=50).items]


def test_what_stands_is_listed_the_worst_first_page_by_page(desk: Desk, admin: Actor, fleet: Fleet) -> None:
    fleet.hears(
        a_notice("b", at=fleet.began - timedelta(minutes=2)),
        a_notice("c", at=fleet.began - timedelta(minutes=1), severity=NoticeSeverity.CRITICAL),
        a_notice("a", at=fleet.began - timedelta(minutes=3)),
        a_notice("i", at=fleet.began, severity=NoticeSeverity.INFO),
    )
    found, cursor = [], None
    while True:
        page = desk.notices.list(admin, ALL, cursor=cursor, limit=2)
        found += [one.key for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == ["c", "a", "b", "i"]
    assert keys(desk, admin, NoticeFilter(minimum=NoticeSeverity.CRITICAL)) == ["c"]
    assert keys(desk, admin, NoticeFilter(scope="shop:*")) == []


def test_a_matter_of_a_shop_is_for_those_who_see_the_shop(desk: Desk, fleet: Fleet) -> None:
    fleet.hears(a_notice("jd", scope=shop_scope("jd", "main")), a_notice("all"))
    assert keys(desk, seller("jd:main")) == ["all", "jd"]
    assert keys(desk, seller("taobao:tea")) == ["all"]
    with pytest.raises(NotAllowed):
        desk.notices.take(seller("taobao:tea"), "jd", "mine")


def test_what_is_over_is_past(desk: Desk, admin: Actor, fleet: Fleet) -> None:
    fleet.hears(a_notice("a", at=fleet.began), a_notice("a", raised=False, at=fleet.began + timedelta(seconds=5)))
    past = NoticeFilter(past=True)
    assert (keys(desk, admin), keys(desk, admin, past)) == ([], ["a"])
    fleet.tells(8 * 86_400)
    [one] = desk.notices.list(admin, past, cursor=None, limit=50).items
    assert one.over_at == fleet.began + timedelta(seconds=5)


def test_one_who_looks_after_a_matter_is_named_until_it_is_over(desk: Desk, fleet: Fleet) -> None:
    fleet.hears(a_notice("a", at=fleet.began))
    taken = desk.notices.take(seller(), "a", "on my way")
    assert (taken.taken_by, taken.snoozed_until) == ("li", None)
    fleet.hears(
        a_notice("a", raised=False, at=fleet.began + timedelta(seconds=1)),
        a_notice("a", at=fleet.began + timedelta(seconds=2)),
    )
    assert desk.notices.list(seller(), ALL, cursor=None, limit=1).items[0].taken_by == ""


def test_nobody_is_told_of_what_is_snoozed_unless_it_becomes_worse(desk: Desk, admin: Actor, fleet: Fleet) -> None:
    fleet.hears(a_notice("a", at=fleet.began))
    fleet.tells(3)
    assert desk.notices.snooze(admin, "a", 3600, "known").snoozed_until is not None
    fleet.tells(600)
    assert [one.telling for one in desk.notices.sent(admin, recipient=None, failed=False, limit=9)] == ["raised"]
    fleet.hears(a_notice("a", at=fleet.began + timedelta(seconds=603), severity=NoticeSeverity.CRITICAL))
    fleet.tells(3)
    assert [one.telling for one in desk.notices.sent(admin, recipient=None, failed=False, limit=9)] == ["raised"] * 2
    assert desk.notices.snooze(admin, "a", 0, "again").snoozed_until is None
    fleet.tells(61)
    assert desk.notices.sent(admin, recipient="ops", failed=False, limit=1)[0].telling == "reminder"


def test_what_did_not_arrive_is_shown_and_tried_again_at_once(desk: Desk, admin: Actor, fleet: Fleet) -> None:
    fleet.hears(a_notice("a", at=fleet.began))
    fleet.fails = "refused"
    fleet.tells(3)
    [failed] = desk.notices.sent(admin, recipient=None, failed=True, limit=9)
    assert (failed.recipient, failed.keys, failed.why) == ("ops", ["a"], "refused")
    [unreached] = desk.notices.unreached(admin)
    assert (unreached.recipient, unreached.tries) == ("ops", 1)
    fleet.fails = ""
    fleet.tells(1)
    assert len(desk.notices.sent(admin, recipient=None, failed=False, limit=9)) == 1, "it waits"
    desk.notices.retry(admin, "ops", "mended")
    fleet.tells(1)
    assert desk.notices.unreached(admin) == []
    with pytest.raises(NotFound):
        desk.notices.retry(admin, "ops", "again")


def test_what_cannot_be_is_refused_by_name(desk: Desk, admin: Actor, fleet: Fleet) -> None:
    with pytest.raises(NotFound) as unknown:
        desk.notices.take(admin, "nothing", "why")
    assert unknown.value.code == "unknown-matter"
    fleet.hears(a_notice("a", at=fleet.began))
    for seconds in (-1, 31 * 86_400):
        with pytest.raises(InvalidRequest):
            desk.notices.snooze(admin, "a", seconds, "why")
    with pytest.raises(InvalidRequest):
        desk.notices.take(admin, "a", " ")
    with pytest.raises(NotAllowed):
        desk.notices.take(seller(role=Role.VIEWER), "a", "why")

"""Notices on a real Redis, to a real mail server, through apprise: what people find in their mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from schemas.notice import Notice
from tests.workers.notify.builders import NOON, Clock, a_notice, a_recipient, delivered
from tests.workers.notify.mail import MailServer
from workers.notify.agent import NotifyAgent, TellAgent
from workers.notify.recipients import Recipients
from workers.notify.sending import send
from workers.notify.store import NoticeStore


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


class Desk:
    """The two stages and one recipient."""

    def __init__(self, redis: Redis, mail: MailServer) -> None:
        self.store = NoticeStore(redis)
        self.clock = Clock()
        self.mail = mail
        self.notify = NotifyAgent(self.store, self.clock)
        self.tell = self.another()
        self._offset = 0

    def another(self, store: NoticeStore | None = None) -> TellAgent:
        """Another process that tells."""
        one = a_recipient(url=SecretStr(self.mail.url()), remind_seconds=3600)
        everybody = Recipients(gather_seconds=10, recipients={"ops": one})
        return TellAgent(store or self.store, lambda: everybody, self.clock, send)

    async def hears(self, *notices: Notice) -> None:
        await self.notify.handle(delivered(*notices, start=self._offset))
        self._offset += len(notices)

    async def after(self, seconds: float) -> list[str]:
        """The subjects of all mails, so many seconds later."""
        self.clock.moves(seconds)
        await self.tell.tick()
        return [one.subject for one in self.mail.mails]


@pytest.fixture
def desk(redis: Redis, mail: MailServer) -> Desk:
    return Desk(redis, mail)


async def test_one_mail_for_one_matter_a_reminder_and_an_all_clear(desk: Desk) -> None:
    await desk.hears(a_notice())
    assert await desk.after(1) == []
    first = await desk.after(10)
    assert [subject.split(":")[0] for subject in first] == ["[orderfleet] warning · new"]
    assert "paid orders wait for stock of NUT-BOX-500" in desk.mail.mails[0].body
    assert len(await desk.after(3590)) == 1
    assert (await desk.after(20))[1].startswith("[orderfleet] warning · still: paid orders wait")
    await desk.hears(a_notice(raised=False, at=NOON + timedelta(hours=2)))
    assert (await desk.after(1))[2].startswith("[orderfleet] warning · over: paid orders wait")
    assert len(await desk.after(90_000)) == 3


async def test_ten_thousand_equal_matters_are_one_mail_with_the_count(desk: Desk) -> None:
    for start in range(0, 10_000, 500):
        await desk.hears(*[a_notice(at=NOON + timedelta(milliseconds=start + n)) for n in range(500)])
        assert await desk.after(0.2) == []
    assert len(await desk.after(10)) == 1
    assert "(10000 times)" in desk.mail.mails[0].body
    assert len(await desk.after(60)) == 1


async def test_the_same_chunk_again_is_not_counted_again(desk: Desk) -> None:
    chunk = delivered(*[a_notice(at=NOON + timedelta(seconds=n)) for n in range(5)])
    await desk.notify.handle(chunk)
    await desk.notify.handle(chunk)
    await desk.notify.handle(chunk[2:])
    assert (await desk.store.standing()).matters["paid-backorders/NUT-BOX-500"].count == 5


async def test_while_the_mail_server_is_away_nothing_is_lost(desk: Desk) -> None:
    desk.mail.stop()
    await desk.hears(a_notice())
    await desk.after(11)
    trouble = (await desk.store.standing()).trouble["ops"]
    assert (trouble.tries, trouble.why) == (1, "refused")
    await desk.after(1)
    assert (await desk.store.standing()).trouble["ops"].tries == 1, "it waits before it tries again"
    await desk.after(5)
    assert (await desk.store.standing()).trouble["ops"].tries == 2
    desk.mail.start()
    assert len(await desk.after(11)) == 1
    assert (await desk.store.standing()).trouble == {}


async def test_of_two_processes_one_tells_and_the_other_takes_over(desk: Desk, redis: Redis) -> None:
    other = desk.another()
    await desk.hears(a_notice())
    assert len(await desk.after(11)) == 1
    await desk.hears(a_notice(key="another", at=NOON))
    desk.clock.moves(11)
    await other.tick()
    assert len(desk.mail.mails) == 1, "it is not its turn"
    await redis.delete("turn:{notices}")  # as when the first one has died, and its turn has expired
    await other.tick()
    assert len(desk.mail.mails) == 2


async def test_who_dies_between_sending_and_noting_sends_once_more_and_no_more(desk: Desk, redis: Redis) -> None:
    class DyingStore(NoticeStore):
        async def note_told(self, *_: object) -> None:
            raise ConnectionResetError

    await desk.hears(a_notice())
    dying = desk.another(DyingStore(redis))
    desk.clock.moves(11)
    with pytest.raises(ConnectionResetError):
        await dying.tick()
    await redis.delete("turn:{notices}")
    assert len(await desk.after(1)) == 2
    assert len(await desk.after(60)) == 2


async def test_an_address_stands_in_no_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.mail.stop()
    caplog.set_level("DEBUG")
    await desk.hears(a_notice())
    await desk.after(11)
    assert "ops" in caplog.text
    assert "mailto" not in caplog.text
    assert str(desk.mail.port) not in caplog.text

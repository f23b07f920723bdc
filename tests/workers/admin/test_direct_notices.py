"""What is critical is told past Kafka and Redis while these are away, to a real mail server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from schemas.notice import Notice, NoticeSeverity
from tests.workers.notify.builders import Clock, a_notice, a_recipient
from tests.workers.notify.mail import MailServer
from workers.admin.direct_notices import AGAIN_SECONDS, DirectNotices
from workers.notify.recipients import Recipients

CRITICAL = a_notice("alert/OrdersDependencyAway/", severity=NoticeSeverity.CRITICAL)


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


class Direct:
    """The way past, with `open` for the usual one."""

    def __init__(self, mail: MailServer) -> None:
        self.clock, self.open = Clock(), False
        everybody = Recipients(
            recipients={
                "ops": a_recipient(url=SecretStr(mail.url())),
                "tea": a_recipient(name="tea", scopes=("shop:taobao/tea",), url=SecretStr(mail.url("tea"))),
            }
        )
        self._tell = DirectNotices(lambda: everybody, self._is_open, clock=self.clock)

    async def _is_open(self) -> bool:
        return self.open

    async def tell(self, *notices: Notice, stored: bool) -> bool:
        return await self._tell(notices, stored)


async def test_what_is_stored_and_can_be_told_as_usual_is_left_alone(mail: MailServer) -> None:
    direct = Direct(mail)
    direct.open = True
    assert await direct.tell(CRITICAL, stored=True)
    assert mail.mails == []


async def test_while_redis_is_away_those_concerned_are_told_of_what_is_critical_once(mail: MailServer) -> None:
    direct = Direct(mail)
    assert await direct.tell(CRITICAL, a_notice(), stored=True)
    assert await direct.tell(CRITICAL, stored=True)
    assert [one.to for one in mail.mails] == ["ops@shop.example"]
    direct.clock.moves(AGAIN_SECONDS)
    await direct.tell(CRITICAL, stored=True)
    assert len(mail.mails) == 2


async def test_while_kafka_is_away_only_what_was_told_whole_is_done_with(mail: MailServer) -> None:
    direct = Direct(mail)
    assert await direct.tell(CRITICAL, stored=False)
    assert not await direct.tell(CRITICAL, a_notice(), stored=False)
    assert not await direct.tell(a_notice(raised=False), stored=False)


async def test_a_recipient_that_is_away_is_tried_again(mail: MailServer) -> None:
    direct = Direct(mail)
    mail.stop()
    assert not await direct.tell(CRITICAL, stored=False)
    mail.start()
    assert await direct.tell(CRITICAL, stored=False)
    assert len(mail.mails) == 1

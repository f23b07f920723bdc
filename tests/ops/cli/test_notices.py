"""`orderfleet notices`, on a real Redis and a real mail server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.ops.cli.conftest import Run
from tests.workers.notify.builders import NOON, Clock, a_notice, delivered
from tests.workers.notify.mail import MailServer
from workers.notify.agent import NotifyAgent
from workers.notify.store import NoticeStore


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def recipients(tmp_path: Path, mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file names one recipient, whose address is a setting."""
    file = tmp_path / "notices.yaml"
    file.write_text("recipients:\n  ops: {language: en}\n")
    monkeypatch.setenv("ORDERFLEET_NOTICES_FILE", str(file))
    monkeypatch.setenv("ORDERFLEET_NOTICES_URLS", json.dumps({"ops": mail.url()}))
    return file


def test_list_tells_what_stands_and_who_was_told(redis_url: str, run: Run) -> None:
    async def hear() -> None:
        async with Redis.from_url(redis_url) as redis:
            agent = NotifyAgent(NoticeStore(redis), Clock())
            await agent.handle(delivered(a_notice(), a_notice(key="b", at=NOON + timedelta(seconds=1), count=4)))

    asyncio.run(hear())
    rows = [json.loads(line) for line in run("notices", "list", "--json").stdout.splitlines()]
    assert [(row["key"], row["count"], row["code"], row["told"]) for row in rows] == [
        ("paid-backorders/NUT-BOX-500", 1, "paid-backorders", {}),
        ("b", 4, "paid-backorders", {}),
    ]


def test_a_test_message_arrives(recipients: Path, mail: MailServer, run: Run) -> None:
    result = run("notices", "test", "ops")
    assert result.exit_code == 0, result.stderr
    assert [one.subject for one in mail.mails] == ["[orderfleet] info · new: this is a test: notices reach you"]


def test_a_test_message_that_does_not_arrive_says_so_without_the_address(
    recipients: Path, mail: MailServer, run: Run
) -> None:
    mail.stop()
    result = run("notices", "test", "ops")
    assert result.exit_code == 1
    assert "ops was not reached" in result.stderr
    assert str(mail.port) not in result.stderr


def test_nobody_of_that_name(recipients: Path, run: Run) -> None:
    result = run("notices", "test", "boss")
    assert (result.exit_code, "there are: ops" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("recipients: {ops: {zone: Mars/Base}}", "recipients.ops.zone is not usable"),
        ("recipients: {ops: {colour: red}}", "recipients.ops.colour is not usable"),
        ("recipients: {other: {}}", "recipient other has no address"),
        ("recipients: [", "is not valid YAML"),
    ],
)
def test_a_broken_file_is_refused_by_field(recipients: Path, run: Run, text: str, told: str) -> None:
    recipients.write_text(text)
    result = run("notices", "test", "ops")
    assert (result.exit_code, told in " ".join(result.stderr.split())) == (2, True), result.stderr

"""`orderfleet notices`, on a real Redis and a real mail server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from schemas.notice import Notice, NoticeSeverity
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


def hear(redis_url: str, *notices: Notice) -> None:
    async def work() -> None:
        async with Redis.from_url(redis_url) as redis:
            await redis.flushall()
            await NotifyAgent(NoticeStore(redis), time.time).handle(delivered(*notices))

    asyncio.run(work())


def test_list_tells_by_severity_and_scope_and_what_is_over(redis_url: str, run: Run) -> None:
    over = NOON + timedelta(seconds=1)
    hear(
        redis_url,
        a_notice("a", severity=NoticeSeverity.CRITICAL),
        a_notice("b", scope="shop:jd/main"),
        a_notice("c"),
        a_notice("c", raised=False, at=over),
    )
    asked = [["--minimum", "critical"], ["--scope", "shop:jd/*"], ["--past"]]
    found = [json.loads(run("notices", "list", *words, "--json").stdout)["key"] for words in asked]
    assert found == ["a", "b", "c"]
    assert "over at" in run("notices", "list", "--past").stdout
    assert run("notices", "list", "--minimum", "huge").exit_code == 2


def test_a_matter_is_taken_and_snoozed(
    redis_url: str, book_url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERFLEET_BOOK_URL", book_url)
    hear(redis_url, a_notice("a", at=datetime.now(UTC)))
    taken = run("notices", "take", "a", "--why", "on my way")
    assert taken.exit_code == 0, taken.stderr
    snoozed = run("notices", "snooze", "a", "--for", "2h", "--why", "known")
    assert (snoozed.exit_code, "nobody is told of a until" in snoozed.stderr) == (0, True), snoozed.stderr
    row = json.loads(run("notices", "list", "--json").stdout)
    assert row["taken_by"].startswith("terminal:")
    assert row["snoozed_until"]
    assert run("notices", "snooze", "a", "--for", "0s", "--why", "no").exit_code == 0
    assert run("notices", "take", "x", "--why", "y").exit_code == 1
    assert run("notices", "retry", "ops", "--why", "y").exit_code == 1
    assert run("notices", "sent", "--json").stdout == ""

"""`orderfleet book status|migrate|rebuild`, on a real broker and a real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from pydantic import SecretStr

from ops.cli.output import ExitCode
from ops.testbed.local_stack.broker import Broker
from schemas.namespace import use_prefix
from tests.kafka import create_topics, put, unique
from tests.ops.cli.conftest import Run, nobody_listens
from tests.workers.book.records import PARTITIONS
from tests.workers.book.stories import WAREHOUSES, Story
from workers.book.agent import BookKeeper
from workers.book.database import known_versions
from workers.book.projections import PROJECTIONS

NEWEST = known_versions()[-1][0]


@pytest.fixture
def book(broker: Broker, book_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty database, which the commands are told about, as of topics of the test's own."""
    name = unique("book")
    monkeypatch.setenv("ORDERFLEET_KAFKA", broker.address)
    monkeypatch.setenv("ORDERFLEET_BOOK_URL", book_url)
    monkeypatch.setenv("ORDERFLEET_PREFIX", name)
    use_prefix(name)
    names = [topic.name for topic in PROJECTIONS if not topic.per]
    create_topics(broker.address, [*names, *(_routed(each) for each in WAREHOUSES)], PARTITIONS)
    yield book_url
    use_prefix("")


def _routed(warehouse: str) -> str:
    [family] = [topic for topic in PROJECTIONS if topic.per]
    return family.of(warehouse)


def test_migrate_makes_the_tables_once(book: str, run: Run) -> None:
    first = run("book", "migrate", "--json")
    assert (first.exit_code, json.loads(first.stdout)) == (0, {"applied": list(range(1, NEWEST + 1))})
    again = run("book", "migrate")
    assert (again.exit_code, again.stdout.strip()) == (0, "steps applied: none was missing")


def test_migrate_refuses_tables_of_a_newer_version(book: str, run: Run) -> None:
    run("book", "migrate")
    with psycopg.connect(book, autocommit=True) as connection:
        connection.execute("UPDATE book.book SET version = version + 1")
    refused = run("book", "migrate")
    assert refused.exit_code == ExitCode.BAD
    assert f"of version {NEWEST + 1}" in " ".join(refused.stderr.split())


def test_status_says_so_when_there_is_no_book(book: str, run: Run) -> None:
    told = run("book", "status", "--json")
    assert told.exit_code == ExitCode.BAD
    assert json.loads(told.stdout)["version"] == 0
    assert "orderfleet book migrate" in told.stderr


def test_status_counts_orders_and_what_waits(book: str, run: Run) -> None:
    with BookKeeper(SecretStr(book), 1).session() as session:
        session.write(Story(1, orders=12).messages)
    told = run("book", "status", "--json")
    assert told.exit_code == 0, told.output
    status = json.loads(told.stdout)
    assert (status["orders"], status["version"], status["behind"]) == (12, NEWEST, 0)
    assert sum(status["stages"].values()) == 12
    assert "12 orders" in run("book", "status").stdout


def test_rebuild_reads_all_of_kafka(book: str, broker: Broker, run: Run) -> None:
    messages = Story(2, orders=20).messages
    for message in messages:
        put(broker.address, message.of, [(message.key.encode(), message.payload)])
    run("book", "migrate")
    done = run("book", "rebuild", "--yes", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["records"], told["orders"], told["orders_before"]) == (len(messages), 20, 0)
    assert json.loads(run("book", "status", "--json").stdout)["orders"] == 20


def test_rebuild_asks_first(book: str, run: Run) -> None:
    run("book", "migrate")
    with psycopg.connect(book, autocommit=True) as connection:
        before = connection.execute("SELECT generation FROM book.book").fetchall()
        assert run("book", "rebuild", stdin=b"n\n").exit_code == ExitCode.BAD
        assert connection.execute("SELECT generation FROM book.book").fetchall() == before
        assert run("book", "rebuild", stdin=b"y\n").exit_code == 0
        assert connection.execute("SELECT generation FROM book.book").fetchall() != before


@pytest.mark.parametrize("command", [["status"], ["migrate"], ["rebuild", "--yes"]])
def test_a_server_that_is_away_is_named_without_its_password(
    command: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERFLEET_BOOK_URL", f"postgresql://me:verysecret@{nobody_listens()}/book")
    away = run("book", *command)
    assert away.exit_code == ExitCode.AWAY
    assert "PostgreSQL" in away.stderr
    assert "verysecret" not in away.output


def test_no_address_is_a_mistake_of_the_settings(run: Run) -> None:
    missing = run("book", "status")
    assert missing.exit_code == ExitCode.USAGE
    assert "ORDERFLEET_BOOK_URL" in missing.stderr

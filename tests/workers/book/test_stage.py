"""The stage at work, as a process of its own on a real broker and PostgreSQL: killed, cut off, told to leave."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import SecretStr

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import Child, fleet_environment, worker
from ops.testbed.local_stack.postgres import PostgresServer
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.namespace import use_prefix
from tests.kafka import create_topics, put, unique, wait_until
from tests.postgres_servers import postgres_binaries
from tests.workers.book.looking import Look
from tests.workers.book.records import PARTITIONS, Message
from tests.workers.book.stories import WAREHOUSES, Story
from workers.book.projections import PROJECTIONS
from workers.book.reading import ends_of_topics, opened_reader
from workers.book.rebuild import rebuild
from workers.book.status import BookStatus, status
from workers.runtime.kafka.cluster import Cluster

KILLS: Final = int(os.environ.get("ORDERFLEET_TEST_KILLS", "3"))


@pytest.fixture(autouse=True)
def own_names() -> Iterator[None]:
    """Topics of this test's own."""
    use_prefix(unique("book"))
    yield
    use_prefix("")


class Fleet:
    """A broker's topics, a book, and processes that write it."""

    def __init__(self, broker: Broker, redis: RedisServer, url: str, folder: Path, shares: int = 1) -> None:
        self.cluster = Cluster(broker.address)
        self.url = url
        self._folder = folder
        self._written = 0
        self._environment = fleet_environment(
            broker.address,
            redis.url,
            PARTITIONS,
            {"ORDERFLEET_BOOK_URL": url, "ORDERFLEET_BOOK_SHARES": str(shares), "ORDERFLEET_SESSION_SECONDS": "2"},
        )
        self._address = broker.address
        names = [topic.name for topic in PROJECTIONS if not topic.per]
        routed = [topic.of(warehouse) for topic in PROJECTIONS if topic.per for warehouse in WAREHOUSES]
        create_topics(broker.address, names + routed, PARTITIONS)

    def write(self, messages: list[Message]) -> None:
        """To Kafka."""
        by_topic: dict[str, list[tuple[bytes, bytes]]] = {}
        for message in messages:
            by_topic.setdefault(message.of, []).append((message.key.encode(), message.payload))
        self._written += len(messages)
        for topic, records in by_topic.items():
            put(self._address, topic, records)

    @contextmanager
    def keeper(self, name: str = "book") -> Iterator[Child]:
        """A process of the stage."""
        child = worker(name, "book", self._folder, self._environment)
        child.start()
        try:
            child.wait_ready()
            yield child
        finally:
            child.stop()

    def status(self) -> BookStatus:
        """Asked of both servers."""
        with (
            psycopg.connect(self.url, options="-c search_path=book") as connection,
            opened_reader(self.cluster) as reader,
        ):
            return status(connection, ends_of_topics(reader))

    def caught_up(self) -> bool:
        """Whether the book has all that is in Kafka."""
        try:
            found = self.status()
        except psycopg.OperationalError:
            return False
        return found.version > 0 and found.behind == 0 and self._written == sum(topic.read for topic in found.topics)

    @contextmanager
    def look(self) -> Iterator[Look]:
        """The book's rows."""
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            yield Look(connection)

    def rows_after_rebuild(self) -> dict[str, list[dict[str, object]]]:
        """All of the book, made again."""
        rebuild(self.cluster, SecretStr(self.url), lambda read, total: None)
        with self.look() as look:
            return look.everything()


@pytest.fixture
def fleet(broker: Broker, redis_server: RedisServer, book_url: str, tmp_path: Path) -> Fleet:
    return Fleet(broker, redis_server, book_url, tmp_path)


def written(fleet: Fleet) -> int:
    """How many records the book has."""
    return sum(topic.read for topic in fleet.status().topics)


def test_rows_are_those_of_a_rebuild_however_often_it_is_killed(fleet: Fleet) -> None:
    stories = [Story(seed, orders=150).messages for seed in range(KILLS)]
    with fleet.keeper() as keeper:
        for messages in stories:
            fleet.write(messages)
            wait_until(lambda: written(fleet) > 0, what="progress")
            keeper.kill()
            keeper.start()
            keeper.wait_ready()
        wait_until(fleet.caught_up, seconds=60)
        with fleet.look() as look:
            found = look.everything()
    assert len(found["orders"]) >= 150
    assert found == fleet.rows_after_rebuild()


def test_it_goes_on_by_itself_when_postgresql_comes_back(
    broker: Broker, redis_server: RedisServer, tmp_path: Path
) -> None:
    with PostgresServer(tmp_path, binaries=postgres_binaries()) as postgres:
        fleet = Fleet(broker, redis_server, postgres.url, tmp_path)
        with fleet.keeper() as keeper:
            fleet.write(Story(1, orders=50).messages)
            wait_until(fleet.caught_up, seconds=60)
            for end in (postgres.kill, postgres.stop):
                end()
                fleet.write(Story(hash(end.__name__) % 1000, orders=50).messages)
                wait_until(lambda: "trying again" in keeper.log.read_text(), what="a word about it")
                postgres.start()
                wait_until(fleet.caught_up, seconds=60)
            assert keeper.starts == 1
        with fleet.look() as look:
            found = look.everything()
        assert found == fleet.rows_after_rebuild()


@pytest.mark.parametrize("away", [False, True], ids=["at work", "while PostgreSQL is away"])
def test_it_leaves_in_time(broker: Broker, redis_server: RedisServer, tmp_path: Path, away: bool) -> None:
    with PostgresServer(tmp_path, binaries=postgres_binaries()) as postgres:
        fleet = Fleet(broker, redis_server, postgres.url, tmp_path)
        with fleet.keeper() as keeper:
            fleet.write(Story(1, orders=200).messages)
            if away:
                postgres.stop()
            begun = time.monotonic()
            keeper.signal(signal.SIGTERM)
            wait_until(lambda: not keeper.running, seconds=10, what="the end")
            assert time.monotonic() - begun < 10
            assert keeper.exit_code == 0


def test_a_second_process_stands_by_and_takes_over(fleet: Fleet) -> None:
    with fleet.keeper("first") as first:
        wait_until(lambda: _writers(fleet) == 1, what="a writer")
        with fleet.keeper("second"):
            fleet.write(Story(1, orders=20).messages)
            wait_until(fleet.caught_up)
            assert _writers(fleet) == 1
            first.kill()
            fleet.write(Story(2, orders=20).messages)
            wait_until(fleet.caught_up)


def test_two_share_the_partitions_and_one_that_is_killed_comes_back_to_its_share(
    broker: Broker, redis_server: RedisServer, book_url: str, tmp_path: Path
) -> None:
    fleet = Fleet(broker, redis_server, book_url, tmp_path, shares=2)
    with fleet.keeper("first") as first, fleet.keeper("second"):
        wait_until(lambda: _writers(fleet) == 2, what="two writers")
        for seed in range(2):
            fleet.write(Story(seed, orders=80).messages)
            wait_until(lambda: written(fleet) > 0, what="progress")
            first.kill()
            first.start()
            first.wait_ready()
        wait_until(fleet.caught_up, seconds=60)
    with fleet.look() as look:
        found = look.everything()
    assert len(found["orders"]) >= 80
    assert found == fleet.rows_after_rebuild()


def _writers(fleet: Fleet) -> int:
    return fleet.status().writers


def test_a_rebuild_takes_nothing_from_readers_and_the_stage_goes_on_after_it(fleet: Fleet) -> None:
    with fleet.keeper():
        fleet.write(Story(1, orders=60).messages)
        wait_until(fleet.caught_up)
        with fleet.look() as look:
            before = look.everything()
            told: list[int] = []
            done = rebuild(fleet.cluster, SecretStr(fleet.url), lambda read, total: told.append(read))
            assert look.everything() == before
        assert (done.orders, done.orders_before, done.records) == (60, 60, told[-1])
        fleet.write(Story(2, orders=30).messages)
        wait_until(fleet.caught_up)
        with fleet.look() as look:
            assert look.everything() == fleet.rows_after_rebuild()

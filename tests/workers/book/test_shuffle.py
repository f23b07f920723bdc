"""Topics in any order, records again and again, in portions of any size: the same rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from schemas.revision import Newest
from schemas.topics import ORDERS_PLANNED
from tests.builders import a_planned_order, an_order
from tests.workers.book.looking import TABLES, Look
from tests.workers.book.records import Message, Topics
from tests.workers.book.stories import Story
from workers.book.agent import BookKeeper, BookSession

SLOW = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each try writes hundreds of records: the seed says enough
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SLOW
@given(seed=st.integers(0, 10**6), chunk=st.sampled_from([1, 7, 60, 500]), way=st.integers(0, 10**6))
def test_rows_do_not_depend_on_the_way_they_came(
    session: BookSession, look: Look, seed: int, chunk: int, way: int
) -> None:
    messages = Story(seed, orders=4 if chunk == 1 else 12).messages
    empty(session)
    session.write(messages)
    wanted = look.everything()
    assert wanted["orders"]
    assert wanted["timeline"]

    again = interleaved(random.Random(way), messages)
    empty(session)
    for start in range(0, len(again), chunk):
        session.write(again[start : start + chunk])

    found = look.everything()
    assert {table: found[table] for table in TABLES} == wanted


@pytest.mark.parametrize("seed", [1, 2])
def test_two_who_write_at_once_write_the_same_rows(book_url: str, look: Look, seed: int) -> None:
    """Events of stock are of another partition than their order: both write to its rows."""
    messages = Story(seed, orders=60).messages
    with BookKeeper(SecretStr(book_url), 1).session() as alone:
        alone.write(messages)
        wanted = look.everything()
        empty(alone)

    keepers = [BookKeeper(SecretStr(book_url), 2) for _ in range(2)]
    with keepers[0].session() as first, keepers[1].session() as second, ThreadPoolExecutor(2) as threads:
        shares = [[message for message in messages if keeper.takes((message.of, message.number))] for keeper in keepers]
        assert sum(map(len, shares)) == len(messages)
        assert all(shares)
        begin = Barrier(2)
        done = [
            threads.submit(_write, session, share, begin)
            for session, share in zip((first, second), shares, strict=True)
        ]
        for one in done:
            one.result(timeout=60)
    assert look.everything() == wanted


def _write(session: BookSession, messages: Sequence[Message], begin: Barrier) -> None:
    begin.wait(30)
    for start in range(0, len(messages), 40):
        session.write(messages[start : start + 40])


def interleaved(shuffled: random.Random, messages: Sequence[Message]) -> list[Message]:
    """Each partition in its order, but now and then some records of it once more; partitions in any order."""
    by_partition: dict[tuple[str, int], list[Message]] = {}
    for message in messages:
        by_partition.setdefault((message.of, message.number), []).append(message)
    places, told = dict.fromkeys(by_partition, 0), []
    while places:
        partition = shuffled.choice(sorted(places))
        at, records = places[partition], by_partition[partition]
        told.append(records[at])
        places[partition] = max(0, at - shuffled.randint(1, 9)) if shuffled.random() < 0.1 else at + 1
        if places[partition] == len(records):
            del places[partition]
    return told


def empty(session: BookSession) -> None:
    with session.connection.transaction():
        session.connection.execute(f"TRUNCATE {', '.join(TABLES)}, places")


# -- revisions -----------------------------------------------------------------------------------------------------

_REVISIONS = st.builds(
    "{:015d}.3{:03d}9999999.{:014d}.{}{}".format,
    st.integers(1, 2),
    st.integers(0, 1),
    st.integers(0, 3),
    st.sampled_from(["a" * 12, "b" * 12]),
    st.sampled_from(["", "", "+001", "+002"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(revisions=st.lists(_REVISIONS, min_size=1, max_size=8), chunk=st.integers(1, 8))
def test_the_plan_in_force_is_the_ledgers(session: BookSession, look: Look, revisions: list[str], chunk: int) -> None:
    topics = Topics()
    newest = Newest()
    for revision in revisions:
        newest = newest.after(revision)
        planned = a_planned_order(an_order(revision=revision))
        topics.add(ORDERS_PLANNED, planned.order.uid, planned)
    empty(session)
    for start in range(0, len(revisions), chunk):
        session.write(topics.messages[start : start + chunk])
    [row] = look.rows("orders")
    assert row["planned_revision"] == newest.revision
    assert row["repeated_revision"] == (newest.seen or None)
    assert [one["revision"] for one in look.rows("order_details")] == [newest.revision]

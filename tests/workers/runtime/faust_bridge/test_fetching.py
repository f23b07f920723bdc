"""Our way to pack fetches and to read their answers says what aiokafka's own says, bit for bit."""

from __future__ import annotations

import struct
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v10, FetchRequest_v11, FetchResponse_v11
from hypothesis import given
from hypothesis import strategies as st

from workers.runtime.faust_bridge.fetching import MOST_UNREAD, QuickFetch, fetch_quickly

Topics = list[tuple[str, list[tuple[Any, ...]]]]

FETCH = 1
NEW = {FETCH: (4, 17)}
HEADER = b"\0\0\0\7"

names = st.text(min_size=1, max_size=20)
int32s = st.integers(-1, 2**31 - 1)
int64s = st.integers(-1, 2**63 - 1)
wanted = st.lists(st.tuples(int32s, int64s, int32s), max_size=5)
told = st.tuples(
    int32s,
    st.integers(-1, 100),
    int64s,
    int64s,
    int64s,
    st.lists(st.tuples(int64s, int64s), max_size=3),
    int32s,
    st.binary(max_size=60),
)
answers = st.lists(st.tuples(names, st.lists(told, max_size=5)), max_size=4)


def quick(topics: Any = (), *, highwater: int | None = None) -> QuickFetch:
    state = SimpleNamespace(highwater=highwater, lso=highwater)
    return QuickFetch(FetchRequest(50, 1, 50 << 20, 0, list(topics), rack_id="机房"), lambda _: state)


def partition(number: int, *, error: int = 0, highwater: int = 7, records: bytes = b"") -> tuple[Any, ...]:
    return number, error, highwater, highwater, 0, [], -1, records


def read(fetch: QuickFetch, body: bytes) -> Topics:
    answered = BytesIO(HEADER + body)
    answered.seek(len(HEADER))
    answer: Topics = fetch.prepare(NEW).RESPONSE_TYPE.decode(answered).topics
    return answer


@given(st.lists(st.tuples(names, wanted), max_size=4))
def test_a_request_is_packed_as_aiokafka_packs_it(topics: list[tuple[str, list[tuple[int, int, int]]]]) -> None:
    stock = FetchRequest(50, 1, 50 << 20, 0, topics, rack_id="机房").prepare(NEW)
    assert type(stock) is FetchRequest_v11
    assert quick(topics).prepare(NEW).encode() == stock.encode()


@given(answers)
def test_an_answer_is_read_as_aiokafka_reads_it(topics: Topics) -> None:
    body = FetchResponse_v11(0, 0, 0, topics).encode()
    assert read(quick(), body) == FetchResponse_v11.decode(body).topics


def test_a_partition_of_which_nothing_new_is_told_is_left_out() -> None:
    quiet, grown = partition(0), partition(1, highwater=8)
    full, failed = partition(2, records=b"records"), partition(3, error=6)
    body = FetchResponse_v11(0, 0, 0, [("orders", [quiet, grown, full, failed])]).encode()
    assert read(quick(highwater=7), body) == [("orders", [grown, full, failed])]


@given(answers, st.data())
def test_an_answer_that_ends_early_is_refused(
    topics: list[tuple[str, list[tuple[Any, ...]]]], data: st.DataObject
) -> None:
    body = FetchResponse_v11(0, 0, 0, topics).encode()
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises((struct.error, EOFError, UnicodeDecodeError)):
        read(quick(), body[:cut])


def test_an_older_broker_is_spoken_to_by_aiokafka_itself() -> None:
    assert type(quick([("orders", [(0, 0, 1)])]).prepare({FETCH: (4, 10)})) is FetchRequest_v10


@pytest.mark.parametrize(("unread", "fetched"), [(0, ["a fetch"]), (MOST_UNREAD - 1, ["a fetch"]), (MOST_UNREAD, [])])
def test_nothing_is_fetched_while_much_lies_unread(unread: int, fetched: list[str]) -> None:
    """What else there is to do, such as finding the place of a partition, is done."""
    fetcher = SimpleNamespace(
        _records=dict.fromkeys(range(unread)),
        _proc_fetch_request=None,
        _get_actions_per_node=lambda _: (["a fetch"], {1: ["a place"]}, 0.2, False, []),
    )
    fetch_quickly(fetcher)

    assert fetcher._get_actions_per_node("an assignment") == (fetched, {1: ["a place"]}, 0.2, False, [])

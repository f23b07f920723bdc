"""Folding inventory events: in any order, with repeats, they give what a plain model gives, and what Redis holds."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from schemas.record import encode
from tests.workers.inventory.traffic import WAREHOUSES, Traffic
from workers.inventory.retention import MOVED_MS
from workers.inventory.snapshot import Snapshots
from workers.rebuild.contents import WAITING_FAMILIES, contents_of, read_contents
from workers.rebuild.replay import Movements, Replay, WarehouseReplay, milliseconds, packed

REMEMBER_MS = 45 * 86_400_000
DAY_MS = 86_400_000
START = datetime(2026, 11, 11, tzinfo=UTC)
STATES = ("held", "committed", "allocated", "released", "expired", "shipped")


def a_replay() -> WarehouseReplay:
    return WarehouseReplay("hangzhou", REMEMBER_MS, MOVED_MS)


def an_event(number: int, **fields: Any) -> dict[str, Any]:
    """An event as JSON has it, a second after the one before."""
    at = (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    event = {"sequence": number, "warehouse_id": "hangzhou", "kind": "noted", "at": at, "changes": []}
    return event | fields


def counted(number: int, sku: str = "A", units: int = 1) -> dict[str, Any]:
    return an_event(number, kind="counted", changes=[{"sku": sku, "on_hand": units}])


def recorded(number: int, order_uid: str = "o", **fields: Any) -> dict[str, Any]:
    given = {"order_uid": order_uid, "state": "committed", "revision": "1", "fence": number, "lines": {"A": 1}}
    return an_event(number, **{**given, **fields})


# -- against a model -----------------------------------------------------------------------------------------------

events = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.sampled_from(("on_hand", "held", "committed", "allocated", "transfer", "safety")),
        st.integers(-5, 5),
        st.sampled_from(("o1", "o2", "o3", "")),
        st.sampled_from(STATES),
        st.dictionaries(st.sampled_from("ABC"), st.integers(1, 9), max_size=3),
        st.sampled_from(("", "m1", "m2")),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(events, st.randoms(use_true_random=False))
def test_any_order_with_any_repeats_gives_what_the_model_gives(drawn: list[Any], rng: random.Random) -> None:
    stream, counters, records, messages = [], {}, {}, {}  # type: ignore[var-annotated]
    for number, (sku, counter, delta, order, state, lines, message) in enumerate(drawn, start=1):
        event = an_event(number, changes=[{"sku": sku, counter: delta}])
        counters[sku, counter] = counters.get((sku, counter), 0) + delta
        if order:
            event |= {"order_uid": order, "state": state, "lines": lines, "message_id": message}
            records[order] = (state, lines)
            messages.setdefault(order, {}).update(dict.fromkeys([message] if message else []))
        stream.append(event)
    offered = [*stream, *rng.choices(stream, k=len(stream))]
    rng.shuffle(offered)
    replay = a_replay()

    for event in offered:
        replay.offer(orjson.loads(orjson.dumps(event)))

    assert replay.sequence == len(stream)
    assert (replay.lost, replay.conflicts, replay.repeats) == ([], [], len(stream))
    found = {(sku, name): figure for sku, fields in replay.stock.items() for name, figure in fields.items()}
    assert {pair: n for pair, n in found.items() if n} == {pair: n for pair, n in counters.items() if n}
    assert {uid: (one.state, one.lines) for uid, one in replay.records.items()} == records
    assert {uid: dict.fromkeys(one.messages) for uid, one in replay.records.items()} == messages
    live: dict[tuple[str, str], int] = {}
    for state, lines in records.values():
        for sku, units in lines.items() if state in STATES[:3] else ():
            live[sku, state] = live.get((sku, state), 0) + units
    summed = {(sku, state): n for sku, sums in replay.sums.items() for state, n in sums.items() if n}
    assert summed == live


# -- against the scripts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_the_events_of_the_real_scripts_fold_to_what_redis_holds(redis: Redis, seed: int) -> None:
    traffic = Traffic(redis, seed)
    await traffic.stock()
    await traffic.run(400)
    replay = Replay(REMEMBER_MS, MOVED_MS)
    for warehouse in WAREHOUSES:
        async for event in Snapshots(redis).outbox(warehouse):
            replay.offer(encode(event))

    told = [content for one in replay for content in contents_of(one, REMEMBER_MS, 0)]

    found = [content async for content in read_contents(redis)]
    kept = [each for each in found if each.family not in ("order", "warehouses", *WAITING_FAMILIES)]
    assert sorted(each.line() for each in told) == sorted(each.line() for each in kept)
    assert {each.family for each in kept} >= {"stock", "reservation", "transfer", "moved", "sequence", "deadlines"}


# -- gaps, repeats, limits -----------------------------------------------------------------------------------------


def test_an_event_ahead_of_its_turn_waits() -> None:
    replay = a_replay()
    for number in (1, 3):
        replay.offer(counted(number))
    assert (replay.sequence, replay.newest, replay.advance()) == (1, 3, False)

    replay.offer(counted(2))

    assert replay.sequence == 3
    assert replay.stock == {"A": {"on_hand": 3}}


def test_a_number_that_never_comes_is_noted_as_lost() -> None:
    replay = a_replay()
    for number in (1, 4, 5, 7):
        replay.offer(counted(number))

    while not replay.advance():
        replay.skip_gap()

    assert replay.lost == [(2, 3), (6, 6)]
    assert replay.stock == {"A": {"on_hand": 4}}


def test_without_anything_behind_it_there_is_no_gap() -> None:
    replay = a_replay()
    replay.offer(counted(1))

    replay.skip_gap()

    assert (replay.sequence, replay.lost) == (1, [])


def test_it_stops_at_the_number_it_is_told_to() -> None:
    replay = a_replay()
    replay.offer(counted(1))
    assert not replay.advance(2)
    for number in (2, 3):
        replay.offer(counted(number))

    assert replay.sequence == 2
    assert replay.advance(2)
    replay.advance()
    assert replay.sequence == 3


def test_the_same_number_for_two_things_is_a_conflict() -> None:
    replay = a_replay()
    replay.offer(recorded(1, "o1"))
    replay.offer(recorded(1, "o1"))
    assert replay.conflicts == []

    replay.offer(recorded(1, "o2"))

    assert replay.conflicts == [1]
    assert set(replay.records) == {"o1"}


def test_what_another_version_says_with_more_words_is_no_conflict() -> None:
    replay = a_replay()
    replay.offer(recorded(1))
    replay.offer(recorded(1, something_new=3))

    assert replay.conflicts == []


def test_a_lost_event_that_turns_up_late_is_no_conflict() -> None:
    replay = a_replay()
    for number in (1, 3):
        replay.offer(counted(number))
    replay.skip_gap()

    replay.offer(counted(2, units=5))

    assert (replay.lost, replay.conflicts) == ([(2, 2)], [])


def test_what_is_no_event_is_counted_and_left_out() -> None:
    replay = Replay(REMEMBER_MS, MOVED_MS)
    for value in (b"", b"no json", b"[]", b"{}", b'{"warehouse_id": "x"}'):
        replay.offer(value)

    assert (replay.events, replay.unreadable) == (5, 5)


# -- records -------------------------------------------------------------------------------------------------------


def test_a_tombstone_is_forgotten_with_its_messages() -> None:
    replay = a_replay()
    replay.offer(recorded(1, state="shipped", message_id="m1", lines={}))
    record = replay.records["o"]
    assert record.fields()["wms:m1"] == "1"
    assert not replay.is_forgotten(record, record.at_ms + REMEMBER_MS - 1)
    assert replay.is_forgotten(record, record.at_ms + REMEMBER_MS)

    late = (START + timedelta(milliseconds=REMEMBER_MS, seconds=9)).isoformat().replace("+00:00", "Z")
    replay.offer(recorded(2, at=late))

    assert replay.records["o"].messages == ()


def test_a_message_of_which_only_on_hand_was_noted_is_marked_so_until_it_counts_for_the_order() -> None:
    replay = a_replay()
    replay.offer(recorded(1, kind="lost", message_id="m1", changes=[{"sku": "A", "on_hand": -2}]))
    assert replay.records["o"].fields()["wms:m1"] == "lost"
    assert list(replay.moved["A"].scores) == ["-2:o/m1/lost"]
    replay.offer(recorded(2, kind="short", message_id="m1"))
    assert replay.records["o"].fields()["wms:m1"] == "1"


def test_after_lost_events_counters_can_be_set_by_the_records() -> None:
    replay = a_replay()
    replay.offer(an_event(1, kind="counted", changes=[{"sku": "A", "on_hand": 9}]))
    replay.offer(recorded(3, lines={"A": 4}, changes=[{"sku": "A", "committed": 1}]))
    replay.skip_gap()
    assert replay.stock["A"]["committed"] == 1

    replay.settle_by_records()

    assert replay.stock["A"] == {"on_hand": 9, "committed": 4}


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.integers(1, 10**14 - 1), max_size=4))
def test_packed_lines_read_back(lines: dict[str, int]) -> None:
    flat = orjson.loads(packed(lines))
    assert dict(zip(flat[::2], flat[1::2], strict=True)) == lines


async def test_packed_lines_are_spelled_as_lua_spells_them(redis: Redis) -> None:
    skus = ["".join(map(chr, range(1, 128))), "茶叶/特级", "😀", 'a"b\\c', "\x00", "\u2028"]
    for sku in skus:
        spelled: Any = await redis.eval("return cjson.encode({ARGV[1], 7})", 0, sku)
        assert packed({sku: 7}).encode() == spelled


def test_movements_older_than_they_are_kept_go() -> None:
    moved = Movements()
    moved.add("-1:a", 10, DAY_MS)
    moved.add("-1:b", 10 + DAY_MS, DAY_MS)
    assert moved.scores == {"-1:b": 10 + DAY_MS}
    moved.add("-1:b", 20 + DAY_MS, DAY_MS)
    moved.add("-1:c", 15 + 2 * DAY_MS, DAY_MS)

    assert set(moved.scores) == {"-1:b", "-1:c"}


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001
def test_milliseconds_are_exact(moment: datetime) -> None:
    exact = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
    text = orjson.loads(orjson.dumps(exact, option=orjson.OPT_UTC_Z))
    assert milliseconds(text) == (exact - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

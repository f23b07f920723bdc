"""The raw record: bytes untouched, keyed by uid, told apart by state."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from channel_adapters.contract import RawOrder, UnreadablePayload
from schemas.codes import PayloadProblem
from schemas.dead_letter import DeadLetter
from schemas.record import decode
from schemas.topics import ORDERS_QUARANTINED, ORDERS_RAW
from workers.intake.raw import Arrival, Confirmed, dedupe_key, raw_record, unreadable_letter
from workers.intake.store import ShopKey
from workers.runtime.kafka.records import Record

SHOP = ShopKey("taobao", "flagship")
AT = datetime(2026, 11, 11, 0, 0, 1, 500_000, tzinfo=UTC)
POLLED = Arrival(shop=SHOP, source="poll", at=AT)
PUSHED = Arrival(shop=SHOP, source="webhook", at=AT)
MODIFIED = datetime(2026, 11, 11, tzinfo=UTC)


def order(
    payload: bytes = b'{"tid": 1}', modified: datetime | None = MODIFIED, platform_order_id: str = "1"
) -> RawOrder:
    return RawOrder(platform_order_id, modified, payload)


def test_a_record_carries_the_untouched_bytes_and_its_origin() -> None:
    record = raw_record(POLLED, order(b' {"tid":1,\n"x":"\\u6d59"}'))
    assert record.topic == "orders.raw.taobao"
    assert record.key == b"taobao:flagship:1"
    assert record.value == b' {"tid":1,\n"x":"\\u6d59"}'
    headers = dict(record.headers)
    assert headers["shop"] == b"flagship"
    assert headers["source"] == b"poll"
    assert headers["received-at"] == b"1794355201500"
    assert headers["dedupe-key"].startswith(b"taobao:flagship:1@1794355200000.")


def test_the_same_state_has_one_dedupe_key_by_whatever_way_it_came() -> None:
    assert dedupe_key(raw_record(POLLED, order())) == dedupe_key(raw_record(PUSHED, order()))


def test_other_bytes_another_time_or_another_order_are_another_state() -> None:
    states = [order(), order(b"{}"), order(modified=None), order(platform_order_id="2")]
    assert len({dedupe_key(raw_record(POLLED, each)) for each in states}) == 4


def test_an_order_id_that_is_no_unicode_still_makes_a_key() -> None:
    assert raw_record(POLLED, order(platform_order_id="9\ud800")).key == b"taobao:flagship:9?"


def test_a_ten_megabyte_order_is_taken_in() -> None:
    assert raw_record(POLLED, order(b"x" * (10 << 20))).topic == "orders.raw.taobao"


def test_an_order_too_large_for_its_topic_becomes_a_letter_that_names_it() -> None:
    record = raw_record(POLLED, order(b"x" * ORDERS_RAW.max_message_bytes))
    assert record.topic == "orders.quarantined"
    assert record.key == b"taobao:flagship:1"
    letter = decode(DeadLetter, record.value)
    assert (letter.stage, letter.reason, letter.key) == ("intake", "too-large", "taobao:flagship:1")
    assert (letter.topic, letter.partition, letter.offset) == ("orders.raw.taobao", -1, -1)
    assert letter.payload_base64 == ""
    assert "12,582,912 bytes" in letter.failures[0].tell("en")
    assert "按订单号" in letter.failures[0].tell("zh")


def test_an_unreadable_push_is_kept_whole_and_fits_its_topic() -> None:
    error = UnreadablePayload("broken-json", "line_items.0", PayloadProblem.NOT_JSON())
    record = unreadable_letter(PUSHED, b"{" * (10 << 20), error)
    letter = decode(DeadLetter, record.value)
    assert letter.reason == "broken-json"
    assert letter.failures[0].where == "line_items.0"
    assert len(letter.payload_base64) * 3 // 4 >= 10 << 20
    assert len(record.value) + 2048 < ORDERS_QUARANTINED.max_message_bytes
    assert record == unreadable_letter(PUSHED, b"{" * (10 << 20), error)


def state(number: int, payload: bytes = b"a") -> Record:
    return raw_record(POLLED, order(payload, platform_order_id=str(number)))


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 10))
def test_memory_of_what_was_confirmed_is_bounded_and_keeps_the_latest(numbers: list[int], capacity: int) -> None:
    confirmed = Confirmed(capacity)
    for number in numbers:
        confirmed.add([state(number)])
    assert len(confirmed) == min(capacity, len(set(numbers)))
    assert confirmed.news(state(number) for number in numbers[-1:]) == []


def test_an_order_that_came_lately_is_forgotten_last() -> None:
    confirmed = Confirmed(2)
    confirmed.add([state(1), state(2)])
    assert confirmed.news([state(1)]) == []
    confirmed.add([state(3)])
    assert confirmed.news([state(1), state(2), state(3)]) == [state(2)]


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([b"a", b"b", b"c"])), max_size=30), st.integers(1, 7))
def test_every_change_of_an_order_is_news_and_nothing_else_is(seen: list[tuple[int, bytes]], page: int) -> None:
    """A, B, A under one modify time: the third is news as the second was."""
    confirmed, published, expected = Confirmed(10), [], []
    last: dict[int, bytes] = {}
    for number, payload in seen:
        if last.get(number) != payload:
            expected.append(state(number, payload))
        last[number] = payload
    for start in range(0, len(seen), page):
        fresh = confirmed.news(state(*each) for each in seen[start : start + page])
        confirmed.add(fresh)
        published += fresh
    assert published == expected

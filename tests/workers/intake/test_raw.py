"""The raw record: bytes untouched, keyed by uid, told apart by state."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from channel_adapters.contract import RawOrder, UnreadablePayload
from schemas.dead_letter import DeadLetter
from schemas.record import decode
from schemas.text import Text
from schemas.topics import ORDERS_QUARANTINED, ORDERS_RAW
from workers.intake.raw import Arrival, Confirmed, dedupe_key, raw_record, unreadable_letter
from workers.intake.store import ShopKey

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
    assert "12,582,912 bytes" in letter.failures[0].problem
    assert "按订单号" in letter.failures[0].problem_zh


def test_an_unreadable_push_is_kept_whole_and_fits_its_topic() -> None:
    error = UnreadablePayload("broken-json", "line_items.0", Text(en="is not JSON", zh="不是 JSON"))
    record = unreadable_letter(PUSHED, b"{" * (10 << 20), error)
    letter = decode(DeadLetter, record.value)
    assert letter.reason == "broken-json"
    assert letter.failures[0].where == "line_items.0"
    assert len(letter.payload_base64) * 3 // 4 >= 10 << 20
    assert len(record.value) + 2048 < ORDERS_QUARANTINED.max_message_bytes
    assert record == unreadable_letter(PUSHED, b"{" * (10 << 20), error)


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 10))
def test_memory_of_what_was_confirmed_is_bounded_and_keeps_the_latest(keys: list[int], capacity: int) -> None:
    confirmed = Confirmed(capacity)
    for number in keys:
        confirmed.add(b"%d" % number)
    assert len(confirmed) == min(capacity, len(set(keys)))
    assert all(b"%d" % number in confirmed for number in keys[-1:])


def test_what_was_asked_for_lately_is_forgotten_last() -> None:
    confirmed = Confirmed(2)
    confirmed.add(b"a")
    confirmed.add(b"b")
    assert b"a" in confirmed
    confirmed.add(b"c")
    assert b"a" in confirmed
    assert b"b" not in confirmed

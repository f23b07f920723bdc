"""Money, times and JSON slices are read exactly, or refused with the path of the field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, StrictInt, StrictStr

from channel_adapters.contract import UnreadablePayload
from channel_adapters.reading import (
    Reading,
    beijing_time,
    buyer_key,
    iso_time,
    minor_units,
    read_model,
    share_out,
    unidentified,
    unix_time,
)
from channel_adapters.shop import Shop
from schemas.codes import HoldCode


def code_of(function: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(UnreadablePayload) as caught:
        function(*args, **options)
    assert caught.value.text.zh
    return caught.value.code


# -- money ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "fen"),
    [
        ("12.30", 1230),
        ("12.3", 1230),
        ("12", 1200),
        ("0", 0),
        ("0.01", 1),
        ("12.300", 1230),
        (" 5.00 ", 500),
        ("9999999999999.99", 999999999999999),
        (29.9, 2990),
        (29.0, 2900),
        (0.07, 7),
        (1234567.89, 123456789),
        (7, 700),
    ],
)
def test_an_amount_is_exact(wire: Any, fen: int) -> None:
    assert minor_units(wire, "payment") == fen


@pytest.mark.parametrize(
    "wire",
    [
        *("", ".", ".5", "1.234", "１２", "1,000.00", "¥5", "nan", "inf", "--1", "1.2.3", "99999999999999"),
        *(1e300, 0.1 + 0.2, float("nan"), float("inf"), 12.345),
    ],
)
def test_what_is_no_amount_is_refused(wire: Any) -> None:
    assert code_of(minor_units, wire, "payment") == "bad-money"


@pytest.mark.parametrize("wire", ["-1.00", -1, -0.01])
def test_a_negative_amount_is_refused_unless_the_field_allows_it(wire: Any) -> None:
    assert code_of(minor_units, wire, "payment") == "bad-money"
    assert minor_units(wire, "adjust_fee", negative=True) == -int(abs(float(wire)) * 100)


def test_minus_nothing_is_nothing() -> None:
    assert minor_units("-0.00", "payment") == 0


def test_a_currency_may_have_no_decimals_or_three() -> None:
    assert minor_units("500", "total", digits=0) == 500
    assert minor_units("500.00", "total", digits=0) == 500
    assert minor_units("1.234", "total", digits=3) == 1234
    assert code_of(minor_units, "1.5", "total", digits=0) == "bad-money"


@settings(deadline=None, database=None)
@given(st.integers(0, 10**14), st.sampled_from([0, 2, 3]))
def test_every_amount_survives_being_written_and_read(amount: int, digits: int) -> None:
    whole, part = divmod(amount, 10**digits)
    text = f"{whole}.{part:0{digits}d}" if digits else str(whole)
    if len(str(whole)) <= 13:
        assert minor_units(text, "x", digits=digits) == amount


@settings(deadline=None, database=None)
@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_shares_sum_exactly_and_are_within_one_of_their_proportion(amount: int, weights: list[int]) -> None:
    shares = share_out(amount, weights)
    assert sum(shares) == amount
    total = sum(weights)
    if total:
        assert all(abs(share * total - amount * weight) < total for share, weight in zip(shares, weights, strict=True))


def test_shares_of_nothing_are_equal() -> None:
    assert share_out(10, [0, 0, 0]) == [4, 3, 3]
    assert share_out(10, []) == []


# -- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-20 10:00:01", datetime(2026, 9, 20, 2, 0, 1, tzinfo=UTC)),
        ("2026-01-01 07:59:59", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-09-20", datetime(2026, 9, 19, 16, 0, 0, tzinfo=UTC)),
        ("2026-09-20T10:00:01+08:00", datetime(2026, 9, 20, 2, 0, 1, tzinfo=UTC)),
        ("2026-09-20T02:00:01+00:00", datetime(2026, 9, 20, 2, 0, 1, tzinfo=UTC)),
        (None, None),
        ("", None),
        ("0001-01-01 00:00:00", None),
        ("1970-01-01 08:00:00", None),
    ],
)
def test_beijing_text_is_read_as_utc(text: str | None, moment: datetime | None) -> None:
    read = beijing_time(text, "created")
    assert read == moment
    assert read is None or read.tzinfo is UTC


@pytest.mark.parametrize("number", [1789869634, 1789869634000, "1789869634", "1789869634000"])
def test_beijing_text_may_be_unix_time(number: Any) -> None:
    assert beijing_time(number, "created") == datetime(2026, 9, 20, 2, 0, 34, tzinfo=UTC)


@pytest.mark.parametrize("odd", [True, 1.5, [], {}, ["2026-09-20 10:00:34"], 10**30, -(10**18)])
def test_what_is_no_text_is_refused_as_a_time(odd: Any) -> None:
    assert code_of(beijing_time, odd, "created") == "bad-time"


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30 00:00:00", "2026-09-20 25:00:00", "0001-01-02 05:00:00Z9"])
def test_beijing_text_that_is_no_time_is_refused(text: str) -> None:
    assert code_of(beijing_time, text, "created") == "bad-time"


def test_unix_seconds_and_iso_text() -> None:
    assert unix_time(1789869634, "x") == datetime(2026, 9, 20, 2, 0, 34, tzinfo=UTC)
    assert unix_time(0, "x") is None
    assert code_of(unix_time, 10**18, "x") == "bad-time"
    assert iso_time("2026-09-20T10:00:01+08:00", "x") == datetime(2026, 9, 20, 2, 0, 1, tzinfo=UTC)
    assert iso_time("2026-09-20T02:00:01", "x", assume_utc=True) == datetime(2026, 9, 20, 2, 0, 1, tzinfo=UTC)
    assert code_of(iso_time, "2026-09-20T02:00:01", "x") == "bad-time"
    assert code_of(iso_time, "0001-01-01T00:00:00+14:00", "x") == "bad-time"


# -- JSON ----------------------------------------------------------------------------------------------------------


class Row(BaseModel):
    ids: list[StrictStr | StrictInt]
    count: int = Field(ge=0)


@pytest.mark.parametrize(
    ("payload", "code", "where", "words"),
    [
        (b'{"ids":["a",1.5],"count":1}', "bad-field", "ids.1", "should be a text"),
        (b'{"ids":[],"count":-1}', "bad-field", "count", "is out of range"),
        (b'{"ids":[],"count":1.5}', "bad-field", "count", "should be a whole number"),
        (b'{"ids":[],"count":"two"}', "bad-field", "count", "should be a whole number"),
        (b'{"ids":{},"count":1}', "bad-field", "ids", "should be a JSON list"),
        (b"[]", "bad-field", "", "should be a JSON object"),
        (b'{"ids":[]}', "missing-field", "count", "is missing"),
        (b'{"ids":', "broken-json", "", "is not valid JSON"),
    ],
)
def test_a_refusal_names_the_field_as_the_platform_does(payload: bytes, code: str, where: str, words: str) -> None:
    with pytest.raises(UnreadablePayload) as caught:
        read_model(Row, payload)
    assert (caught.value.code, caught.value.where, caught.value.text.en) == (code, where, words)


def test_a_refusal_never_quotes_a_value() -> None:
    with pytest.raises(UnreadablePayload) as caught:
        read_model(Row, b'{"ids":["a"],"count":"SECRET"}')
    assert "SECRET" not in repr(caught.value) + repr(caught.value.text)


@pytest.mark.parametrize("word", ["b" * 40, "wc-awaiting-shipment", "TRADE_NEW", 999])
def test_an_unknown_word_that_is_a_code_holds_the_order_and_is_told(word: object) -> None:
    reading = Reading(Shop("s"), "t")
    assert reading.lookup({"a": 1}, word, "lines.0.status", 2) == 2
    assert (list(reading.marks), list(reading.holds)) == ([f"lines.status?={word}"], [HoldCode.UNKNOWN_STATUS])


@pytest.mark.parametrize("word", ["b" * 41, "张伟", "Zhang Wei", "13812345678", "zhang@example.com", 13812345678])
def test_an_unknown_word_that_might_be_a_person_s_holds_the_order_and_is_not_told(word: object) -> None:
    reading = Reading(Shop("s"), "t")
    assert reading.lookup({"a": 1}, word, "status", 2) == 2
    assert (list(reading.marks), list(reading.holds)) == (["status?="], [HoldCode.UNKNOWN_STATUS])


# -- names ---------------------------------------------------------------------------------------------------------


def test_a_row_without_an_id_gets_one_from_its_bytes() -> None:
    assert unidentified(b"{}") == unidentified(b"{}")
    assert unidentified(b"{}") != unidentified(b"[]")
    assert unidentified(b"{}").payload == b"{}"


def test_a_buyer_is_known_within_a_shop_and_nowhere_else() -> None:
    key = buyer_key("taobao", "a", "someone")
    assert key == buyer_key("taobao", "a", "someone")
    assert (
        len({key, buyer_key("taobao", "b", "someone"), buyer_key("jd", "a", "someone"), buyer_key("taobao", "a", "x")})
        == 4
    )
    assert "someone" not in key
    assert buyer_key("taobao", "a", "") == ""

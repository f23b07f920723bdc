"""Bodies are cut into rows before they are parsed: one row that nobody can read leaves its neighbours alone."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_adapters.contract import RawOrder
from channel_adapters.envelope import MAX_ROWS, Envelope, raw_order, read_object, rows
from channel_adapters.fields import Id, Wire
from channel_adapters.limits import MAX_BODY_ELEMENTS, MAX_PAYLOAD_BYTES
from tests.channel_adapters.test_reading import code_of

BODY = (
    b'\xef\xbb\xbf {"a" : {"list":[ {"n":1.10} ,[2], "\\u4e2d" ], "one":{"x":1},"none":null,"empty":{ }},'
    b'"b":"\xe4\xb8\xad"}'
)


OPEN = Envelope(BODY)


def test_a_slice_is_the_bytes_as_they_stand() -> None:
    assert OPEN.rows("a", "list") == [b'{"n":1.10}', b"[2]", b'"\\u4e2d"']
    assert OPEN.value("a", "list") == b'[ {"n":1.10} ,[2], "\\u4e2d" ]'
    assert OPEN.value("b") == '"中"'.encode()
    assert OPEN.value("a", "missing") is None
    assert OPEN.value("b", "deeper") is None


def test_platforms_are_loose_about_lists() -> None:
    assert OPEN.rows("a", "one") == [b'{"x":1}']
    assert OPEN.rows("a", "none") == []
    assert OPEN.rows("a", "empty") == []
    assert OPEN.rows("a", "missing") == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a"', b'{"a":', b'{"a":[1,2', b'{"b":1 "a":2}', b'{"a":[1] [2]}', b"\xff"]
)
def test_what_cannot_be_cut_is_refused(body: bytes) -> None:
    assert code_of(lambda: Envelope(body).rows("a")) == "broken-json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, database=None)
@given(st.lists(JSON), st.sampled_from([None, 1, "\t"]))
def test_every_element_of_every_array_is_sliced(values: list[Any], indent: Any) -> None:
    body = json.dumps({"before": {"x": [1]}, "rows": values, "after": 0}, indent=indent).encode()
    assert [json.loads(part) for part in Envelope(body).rows("rows")] == values


def test_an_envelope_must_be_an_object() -> None:
    assert read_object(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert code_of(read_object, b"[1]") == "not-an-order"
    assert code_of(read_object, b"{") == "broken-json"
    assert code_of(read_object, b"[" * 100_000) == "too-deep"
    assert code_of(Envelope, b"[1]") == "not-an-order"


# -- one row that no parser takes ----------------------------------------------------------------------------------

POISON = {
    "half a surrogate pair": b'{"id":7,"note":"hurry \\ud83d"}',
    "not a number": b'{"id":7,"price":NaN}',
    "a number of 5,000 digits": b'{"id":7,"x":' + b"9" * 5000 + b"}",
    "nested 5,000 deep": b'{"id":7,"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "another encoding": '{"id":7,"note":"中文"}'.encode("gbk"),
    "a control character": b'{"id":7,"note":"a\x01b"}',
    "no comma": b'{"id":7,"a":1,"b":1 "c":2}',
    "a leading zero": b'{"id":7,"a":01}',
}


class Head(Wire):
    id: Id


def head(row: bytes) -> RawOrder:
    def identify(found: Head) -> tuple[str, datetime | None]:
        return found.id, None

    return raw_order(row, Head, identify)


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_poisoned_row_is_cut_out_as_it_stands(poison: bytes) -> None:
    body = b'{"rows":[{"id":1}, ' + poison + b' ,{"id":2}],"total":3}'
    cut = Envelope(body).rows("rows")
    assert cut == [b'{"id":1}', poison, b'{"id":2}']
    assert [head(row).platform_order_id for row in (cut[0], cut[2])] == ["1", "2"]


@pytest.mark.parametrize("name", sorted(POISON.keys() - {"no comma"}))
def test_a_poisoned_row_says_which_order_it_is(name: str) -> None:
    assert head(POISON[name]).platform_order_id == "7"
    assert head(POISON[name]).payload == POISON[name]


def test_what_does_not_say_which_order_it_is_travels_on_under_a_made_up_id() -> None:
    for row in (POISON["no comma"], b"{}", b"7", b'{"id":null}', b'{"id":6.9E+18}'):
        assert head(row).platform_order_id.startswith("unidentified-")
        assert head(row).payload == row


# -- limits --------------------------------------------------------------------------------------------------------


def test_a_body_is_counted_before_it_is_parsed() -> None:
    assert code_of(Envelope, b'{"rows":[' + b"{}," * MAX_BODY_ELEMENTS + b"{}]}") == "too-many-elements"
    assert code_of(Envelope, b" " * (8 * MAX_PAYLOAD_BYTES + 1)) == "too-large"
    assert code_of(rows, b"[" + b"0," * MAX_ROWS + b"0]") == "too-many-elements"
    assert code_of(rows, b"[" * (MAX_BODY_ELEMENTS + 1)) == "too-many-elements"
    assert code_of(read_object, b'{"rows":[' + b"{}," * MAX_BODY_ELEMENTS + b"{}]}") == "too-many-elements"

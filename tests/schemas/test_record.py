"""The wire form of records: two libraries, one meaning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.fulfillment import WmsEvent
from schemas.order import Order
from schemas.plan import PlannedOrder
from schemas.record import adapter, changed, decode, encode
from schemas.topics import TOPICS
from tests.builders import a_planned_order, an_order

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHIPPED = decode(WmsEvent, (EXAMPLES / "wms.events" / "shipped.json").read_bytes())
MESSAGES = [
    pytest.param(topic.model, path.read_bytes(), id=f"{topic.name}/{path.stem}")
    for topic in TOPICS
    if topic.model is not None
    for path in sorted((EXAMPLES / topic.name).glob("*.json"))
]


@pytest.mark.parametrize(("model", "message"), MESSAGES)
def test_both_libraries_read_the_same(model: type[object], message: bytes) -> None:
    assert decode(model, message) == adapter(model).validate_json(message)


@pytest.mark.parametrize(("model", "message"), MESSAGES)
def test_the_wire_form_is_what_other_libraries_write_too(model: type[object], message: bytes) -> None:
    """Digests are taken of it: another library must come to the same bytes."""
    value = decode(model, message)
    assert encode(value) == orjson.dumps(value, option=orjson.OPT_UTC_Z)


@given(
    text=st.text(st.characters(codec="utf-8"), max_size=20),
    at=st.integers(0, 7 * 10**15).map(lambda us: EPOCH + timedelta(microseconds=us)),
    units=st.integers(0, 2**53),
)
def test_any_text_time_and_number_survives(text: str, at: datetime, units: int) -> None:
    event = changed(SHIPPED, message_id=text, at=at, quantities={text: units})
    assert decode(WmsEvent, encode(event)) == event
    assert encode(event) == orjson.dumps(event, option=orjson.OPT_UTC_Z)


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    written = orjson.loads(encode(an_order())) | {"since_tomorrow": [1]}
    assert decode(Order, orjson.dumps(written)) == an_order()


def test_what_only_the_slower_reader_takes_is_taken() -> None:
    """A number written as text, by a WMS that means well."""
    written = orjson.loads((EXAMPLES / "wms.events" / "shipped.json").read_bytes())
    written["quantities"] = {"MUG-350": "2"}
    assert decode(WmsEvent, orjson.dumps(written)).quantities == {"MUG-350": 2}


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"null", b'{"order": 1}', b'"\xff"'])
def test_what_nobody_can_read_is_told_by_field(broken: bytes) -> None:
    with pytest.raises(ValidationError):
        decode(PlannedOrder, broken)


def test_every_field_at_fault_is_named() -> None:
    written = orjson.loads(encode(a_planned_order(an_order())))
    written["order"]["channel"], written["order"]["lines"][0]["quantity"] = 7, "many"
    with pytest.raises(ValidationError) as caught:
        decode(PlannedOrder, orjson.dumps(written))
    places = {".".join(map(str, one["loc"])) for one in caught.value.errors()}
    assert places == {"order.channel", "order.lines.0.quantity"}

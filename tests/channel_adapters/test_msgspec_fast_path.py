"""Two readers of one wire model: whatever the quick one takes, the judge takes too, and both read the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from channel_adapters.contract import ChannelError
from channel_adapters.douyin import wire as douyin
from channel_adapters.fields import Amount, Id, Number, Reference, Wire
from channel_adapters.jd import wire as jd
from channel_adapters.msgspec_fast_path import TypePreservingValidator, UnsupportedSchema, reader, twin
from channel_adapters.pinduoduo import wire as pinduoduo
from channel_adapters.registry import CHANNELS
from channel_adapters.shopify import wire as shopify
from channel_adapters.taobao import wire as taobao
from channel_adapters.woocommerce import wire as woocommerce
from ops.bench.orders import endless
from tests.channel_adapters.contract import ODD_VALUES, damaged


def _is_generic(model: type[BaseModel]) -> bool:
    return bool(model.__pydantic_generic_metadata__["parameters"])


HERE = Path(__file__).parent
WIRES = {
    "taobao": taobao,
    "pinduoduo": pinduoduo,
    "douyin": douyin,
    "jd": jd,
    "woocommerce": woocommerce,
    "shopify": shopify,
}
MODELS = {
    name: [
        each
        for each in vars(wire).values()
        if isinstance(each, type) and issubclass(each, BaseModel) and each.model_fields and not _is_generic(each)
    ]
    for name, wire in WIRES.items()
}
ALL = sorted(
    {each for models in MODELS.values() for each in models}, key=lambda model: (model.__module__, model.__name__)
)


MAIN: dict[str, type[BaseModel]] = {
    "taobao": taobao.FullTrade,
    "pinduoduo": pinduoduo.FullOrder,
    "douyin": douyin.FullOrder,
    "jd": jd.DetailOrder,
    "woocommerce": woocommerce.OrderObject,
    "shopify": shopify.CurrentOrderObject,
}
"""What the main template of each channel reads."""


def _recorded(channel: str) -> Iterator[bytes]:
    for path in sorted((HERE / channel / "payloads").glob("*.json")):
        try:
            yield from (raw.payload for raw in CHANNELS[channel].adapter.open_envelope(path.read_bytes()))
        except ChannelError:
            yield path.read_bytes()  # an error answer, a hint: no order, and read all the same


RECORDED = {channel: list(_recorded(channel)) for channel in CHANNELS}


def plain(value: Any) -> Any:
    """What a reader made, without its types of objects, and with the types of everything else."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, list | tuple):
        return type(value).__name__, [plain(each) for each in value]
    return type(value).__name__, repr(value)


def told(payload: bytes, read: Callable[[bytes], Any]) -> Any:
    try:
        return plain(read(payload))
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False, include_input=False)


def same(model: type[BaseModel], payload: bytes) -> None:
    assert told(payload, reader(model)) == told(payload, model.model_validate_json)


@pytest.mark.parametrize("model", ALL, ids=lambda model: f"{model.__module__.split('.')[1]}/{model.__name__}")
def test_every_wire_model_is_read_quickly(model: type[BaseModel]) -> None:
    assert twin(model).__struct_fields__ == tuple(model.model_fields)


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_a_shop_sends_on_any_day_needs_no_judge(channel: str) -> None:
    """Else it would be slow, and nobody would see it."""
    payloads = [record.value for record in islice(endless(), 200) if record.topic.endswith(channel)]
    quick = msgspec.json.Decoder(twin(MAIN[channel])).decode
    assert payloads
    assert all(quick(payload) for payload in payloads)


@pytest.mark.parametrize("channel", CHANNELS)
def test_recorded_and_simulated_orders_are_read_the_same(channel: str) -> None:
    simulated = [record.value for record in islice(endless(seed=3), 100) if record.topic.endswith(channel)]
    for payload in RECORDED[channel] + simulated:
        for model in MODELS[channel]:
            same(model, payload)


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize("channel", CHANNELS)
def test_damaged_orders_are_read_or_refused_the_same(channel: str, data: st.DataObject) -> None:
    payload = data.draw(st.sampled_from(RECORDED[channel]).flatmap(damaged))
    for model in MODELS[channel]:
        same(model, payload)


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.differing_executors])
@given(data=st.data())
@pytest.mark.parametrize("channel", CHANNELS)
def test_damaged_bytes_are_read_or_refused_the_same(channel: str, data: st.DataObject) -> None:
    payload = data.draw(st.sampled_from(RECORDED[channel]))
    at = data.draw(st.integers(0, len(payload) - 1))
    end = at + data.draw(st.integers(0, 3))
    broken = payload[:at] + data.draw(st.binary(max_size=3) | st.sampled_from(BITS)) + payload[end:]
    for model in MODELS[channel]:
        same(model, broken)


BITS = [
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"1",
    b"-",
    b"e5",
    b".0",
    b"null",
    b"true",
    b"NaN",
    b"\\ud800",
    b"\\u00",
]


class Scalars(Wire):
    """One field of each spelling that the channels use."""

    id: Id = "1"
    reference: Reference | None = None
    number: Number | None = None
    amount: Amount = "0"
    flag: bool = False
    count: Annotated[int, Field(ge=0, le=10**6)] = 0
    strict: Annotated[int, Field(strict=True)] = 0
    text: Annotated[str | None, Field(min_length=1, max_length=4)] = None
    anything: Any = None
    rows: Annotated[list[int], BeforeValidator(TypePreservingValidator(lambda value: value or []))] = Field(
        default_factory=list
    )


NUMBERS = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([0, 1, 10**19, 10**20, 10**20 - 1, 10**40, -1])
TEXTS = st.sampled_from(
    ["", "0", "1", "12\n", "\n12", "٣", "１", "1" * 20, "1" * 21, "x" * 41, "\U0001f600" * 4, "12345"]
)


@settings(max_examples=300, deadline=None, database=None)
@given(st.sampled_from(sorted(Scalars.model_fields)), NUMBERS | TEXTS | st.sampled_from(ODD_VALUES))
def test_every_spelling_is_read_or_refused_the_same(field: str, value: Any) -> None:
    same(Scalars, json.dumps({field: value}).encode())
    same(Scalars, json.dumps({field: value}, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "payload",
    [
        b'{"id":1,"id":2}',
        b'{"id":{},"id":2}',
        b'{"unknown":"\xff"}',
        b'{"\xff":1}',
        b'{"unknown":"\xed\xa0\x80"}',
        b'{"unknown":"\\ud800"}',
        b'{"unknown":01}',
        b'{"unknown":NaN,"id":3}',
        b'{"unknown":1e999,"id":-0}',
        b'{"id":1.0}',
        b'{"id":1e3}',
        b'{"strict":1.0}',
        b'{"count":"7"}',
        b'{"count":7.0}',
        b'{"rows":null}',
        b'\xef\xbb\xbf{"id":1}',
        b" {} ",
        b"{}x",
        b"null",
        b"",
        b"[" * 9999,
        b'{"unknown":' + b"[" * 9999,
    ],
)
def test_odd_json_is_read_or_refused_the_same(payload: bytes) -> None:
    same(Scalars, payload)


def test_what_only_the_judge_takes_is_taken() -> None:
    assert reader(Scalars)(b'{"count":"7","rows":null}').count == 7


class Validated(BaseModel):
    x: Annotated[str, BeforeValidator(str)]


class ValidatedWhole(BaseModel):
    x: str

    @model_validator(mode="after")
    def nothing(self) -> ValidatedWhole:
        return self


class Minding(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: str


class Stripping(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    x: str


class Lax(BaseModel):
    x: Annotated[int | str, Field(union_mode="left_to_right")]


class FloatFirst(BaseModel):
    x: Annotated[Annotated[float, Field(strict=True)] | Annotated[int, Field(strict=True)], Field()]


class Words(BaseModel):
    x: Annotated[str, Field(pattern=r"^\w+$")]


class Tree(BaseModel):
    x: list[Tree]


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (Validated, 1),
        (ValidatedWhole, "1"),
        (Minding, "1"),
        (Stripping, " 1 "),
        (Lax, "1"),
        (FloatFirst, 1),
        (Words, "é"),
        (Tree, []),
    ],
)
def test_a_model_that_says_more_is_read_by_the_judge_alone(model: type[BaseModel], value: Any) -> None:
    with pytest.raises(UnsupportedSchema):
        twin(model)
    same(model, json.dumps({"x": value, "y": 1}).encode())


def test_reading_stops_at_the_first_bad_entry_of_a_list() -> None:
    errors = told(b'{"rows":["x",' + b'"y",' * 10_000 + b'"z"]}', reader(Scalars))
    assert [error["loc"] for error in errors] == [("rows", 0)]

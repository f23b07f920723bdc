"""Each script's header is its contract: what it says of KEYS, ARGV and outcomes is what its typed wrapper does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from importlib.resources import files
from typing import NamedTuple

import pytest

from workers.inventory.calls import Calls
from workers.inventory.records import (
    ClaimOutcome,
    Count,
    CountOutcome,
    ExpireOutcome,
    Fence,
    FenceOutcome,
    LapseOutcome,
    LeaseOutcome,
    OrderState,
    Release,
    ReleaseOutcome,
    Reservation,
    ReservationState,
    Reserve,
    ReserveOutcome,
    Settlement,
    SettleOutcome,
    TrimOutcome,
)
from workers.runtime.scripts import ScriptCall

WAREHOUSE, ORDER = "hangzhou", "taobao:tea-house:1"
UNITS = {"CUP": 1, "NUT": 2, "TEA": 3}
INCLUDED = {"stock.lua", "revision.lua"}

calls = Calls(1000)
seen = Reservation(
    warehouse_id=WAREHOUSE, order_uid=ORDER, revision="r", state="held", quantities=UNITS, deadline_ms=1, fence=2
)
WRAPPED: dict[str, tuple[ScriptCall, type[StrEnum]]] = {
    "claim.lua": (calls.claim(ORDER, "r", [WAREHOUSE]), ClaimOutcome),
    "count.lua": (calls.count(WAREHOUSE, {sku: Count(on_hand=1, safety=2) for sku in UNITS}), CountOutcome),
    "expire.lua": (calls.expire(seen, 1), ExpireOutcome),
    "fence.lua": (calls.fence(Fence(WAREHOUSE, ORDER, 1)), FenceOutcome),
    "lapse.lua": (calls.lapse(ORDER, "r"), LapseOutcome),
    "lease.lua": (calls.lease(WAREHOUSE, "me", 1), LeaseOutcome),
    "release.lua": (calls.release(Release(WAREHOUSE, ORDER, "r", 1, UNITS)), ReleaseOutcome),
    "reserve.lua": (
        calls.reserve(Reserve(WAREHOUSE, ORDER, "r", 1, ReservationState.HELD, UNITS)),
        ReserveOutcome,
    ),
    "settle.lua": (calls.settle(Settlement(ORDER, "r", 1, OrderState.NOTHING, {}, {}, b"")), SettleOutcome),
    "trim.lua": (calls.trim(WAREHOUSE, "me", "0-1"), TrimOutcome),
}

EACH_SCRIPT = pytest.mark.parametrize("name", sorted(WRAPPED))


class Header(NamedTuple):
    """What stands on top of a script. Of a list without end: how many come before it."""

    keys: Sequence[str]
    endless_keys: bool
    arguments: int
    arguments_per_key: int
    outcomes: Sequence[str]


def header_of(name: str) -> Header:
    text = files("workers.inventory").joinpath("lua", name).read_text(encoding="utf-8")
    top = text[: text.index("]]")]
    keys = re.findall(r"^  KEYS\[(\d+)(\.\.)?\] +(.+?)(?:  |$)", top, re.MULTILINE)
    arguments = re.findall(r"^  ARGV(?:\[(\d+)(\.\.)?\])? +(.*)$", top, re.MULTILINE)
    assert [int(number) for number, _, _ in keys] == list(range(1, len(keys) + 1))
    endless = [words for number, more, words in arguments if more or not number]
    single = [int(number) for number, more, _ in arguments if number and not more]
    assert single == list(range(1, len(single) + 1))
    return Header(
        keys=[spelled for _, _, spelled in keys],
        endless_keys=any(more for _, more, _ in keys),
        arguments=len(single),
        arguments_per_key=0 if not endless else 2 if "two values" in endless[0] else 1,
        outcomes=re.findall(r"^    ([A-Z_]+)\b", top[top.index("  Returns") :], re.MULTILINE),
    )


def test_every_script_has_a_wrapper_here() -> None:
    scripts = {entry.name for entry in files("workers.inventory").joinpath("lua").iterdir()}
    assert scripts == WRAPPED.keys() | INCLUDED


@EACH_SCRIPT
def test_the_wrapper_gives_the_keys_that_the_header_names(name: str) -> None:
    header, call = header_of(name), WRAPPED[name][0]
    assert call.script.name == name
    spelled = list(header.keys)
    if header.endless_keys:
        spelled += [spelled[-1]] * (len(UNITS) - 1)
    assert len(call.keys) == len(spelled)
    for key, pattern in zip(call.keys, spelled, strict=True):
        filled = pattern.replace("<warehouse>", WAREHOUSE).replace("<order uid>", ORDER)
        stem, _, rest = filled.partition("<sku>")
        assert rest == ""
        assert key.removeprefix(stem) in UNITS if "<sku>" in filled else key == filled


@EACH_SCRIPT
def test_the_wrapper_gives_as_many_arguments_as_the_header_names(name: str) -> None:
    header, call = header_of(name), WRAPPED[name][0]
    assert len(call.args) == header.arguments + header.arguments_per_key * len(UNITS)


@EACH_SCRIPT
def test_the_header_and_the_enum_name_the_same_outcomes(name: str) -> None:
    assert set(header_of(name).outcomes) == {outcome.value for outcome in WRAPPED[name][1]}


@EACH_SCRIPT
def test_the_script_returns_each_outcome_and_no_other(name: str) -> None:
    text = files("workers.inventory").joinpath("lua", name).read_text(encoding="utf-8")
    body = text[text.index("]]") :]
    returned = set(re.findall(r"return \{ '([A-Z_]+)'", body))
    if "unknown_lines(" in body:
        returned.add("UNKNOWN_LINES")
    assert returned == {outcome.value for outcome in WRAPPED[name][1]}


@EACH_SCRIPT
def test_all_keys_of_a_call_share_one_hash_tag(name: str) -> None:
    tags = {re.search(r"\{(.+?)\}", key) for key in WRAPPED[name][0].keys}
    assert None not in tags
    assert len({tag[1] for tag in tags if tag}) == 1


@EACH_SCRIPT
def test_a_script_touches_no_key_that_it_was_not_given(name: str) -> None:
    """Keys are KEYS, or names that the body made of KEYS; none is written out."""
    text = files("workers.inventory").joinpath("lua", name).read_text(encoding="utf-8")
    written = re.findall(r"redis\.p?call\('[A-Z]+', *([^,)]+)", text[text.index("]]") :])
    assert [key for key in written if key.startswith("'")] == []

"""Each script's header is its contract: what it says of KEYS, ARGV and outcomes is what its typed wrapper does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from importlib.resources import files
from typing import NamedTuple

import pytest

from workers.inventory.calls import Calls
from workers.inventory.keys import stock_key
from workers.inventory.outcomes import (
    AllocateOutcome,
    ClaimOutcome,
    CountOutcome,
    DropReturnOutcome,
    ExpireOutcome,
    FenceOutcome,
    LeaseOutcome,
    MarkExpiredOutcome,
    RecordReturnOutcome,
    ReleaseOutcome,
    ReserveOutcome,
    SettleOutcome,
    ShipOutcome,
    ShortOutcome,
    StashReturnOutcome,
    TransferOutcome,
    TrimOutcome,
    WithdrawOutcome,
)
from workers.inventory.records import Count, OrderState, Reservation, ReservationState
from workers.inventory.snapshot import SnapshotOutcome, snapshot_call
from workers.inventory.steps import (
    Allocate,
    DropReturn,
    Fence,
    Lost,
    RecordReturn,
    Release,
    Reserve,
    Settlement,
    Ship,
    Short,
    StashReturn,
    Transfer,
    TransferAction,
    Withdraw,
)
from workers.runtime.redis.scripts import ScriptCall


class Rows(StrEnum):
    """A script that answers with rows has no outcomes."""


WAREHOUSE, ORDER, TRANSFER = "hangzhou", "taobao:tea-house:1", "t-1"
UNITS = {"CUP": 1, "NUT": 2, "TEA": 3}
INCLUDED = {"stock.lua", "reading.lua", "revision.lua", "physical.lua", "waiting.lua"}
OF_THE_WAITING_LIST = {"take.lua", "wait.lua", "leave.lua"}  # a family of their own, wrapped by waiting.py
HELD = ReservationState.HELD

calls = Calls(1000)
seen = Reservation(warehouse_id=WAREHOUSE, order_uid=ORDER, revision="r", state="held", quantities=UNITS, deadline_ms=1)
counts = {sku: Count(on_hand=1, safety=2) for sku in UNITS}
place = (WAREHOUSE, ORDER)
WRAPPED: dict[str, tuple[ScriptCall, type[StrEnum]]] = {
    "allocate.lua": (calls.allocate(Allocate(*place, UNITS)), AllocateOutcome),
    "claim.lua": (calls.claim(ORDER, "r", [WAREHOUSE]), ClaimOutcome),
    "count.lua": (calls.count(WAREHOUSE, counts), CountOutcome),
    "expire.lua": (calls.expire([seen] * len(UNITS), 1), ExpireOutcome),
    "fence.lua": (calls.fence(Fence(*place, 1)), FenceOutcome),
    "drop_return.lua": (calls.drop_return(DropReturn(ORDER, WAREHOUSE, "r")), DropReturnOutcome),
    "record_return.lua": (calls.record_return(RecordReturn(ORDER, WAREHOUSE, "r")), RecordReturnOutcome),
    "mark_expired.lua": (calls.mark_expired(ORDER, "r"), MarkExpiredOutcome),
    "lease.lua": (calls.lease(WAREHOUSE, "me", 1), LeaseOutcome),
    "look.lua": (calls.look(WAREHOUSE, [ORDER] * len(UNITS)), Rows),
    "release.lua": (calls.release(Release(*place, "r", 1, UNITS)), ReleaseOutcome),
    "stash_return.lua": (calls.stash_return(StashReturn(ORDER, WAREHOUSE, "r", "m", b"{}")), StashReturnOutcome),
    "reserve.lua": (calls.reserve(Reserve(*place, "r", 1, HELD, UNITS)), ReserveOutcome),
    "settle.lua": (calls.settle(Settlement(ORDER, "r", 1, OrderState.NOTHING, {}, {}, b"")), SettleOutcome),
    "ship.lua": (calls.ship(Ship(*place, "m", 1, UNITS)), ShipOutcome),
    "short.lua": (calls.short(Short(*place, "m", 1, "r", Lost.NONE, UNITS)), ShortOutcome),
    "transfer.lua": (calls.transfer(Transfer(WAREHOUSE, TRANSFER, TransferAction.SEND, 1, UNITS)), TransferOutcome),
    "snapshot.lua": (snapshot_call(WAREHOUSE, [stock_key(WAREHOUSE, s) for s in UNITS], [""] * 3), SnapshotOutcome),
    "trim.lua": (calls.trim(WAREHOUSE, "me", "0-1"), TrimOutcome),
    "withdraw.lua": (calls.withdraw(Withdraw(*place, "r", UNITS)), WithdrawOutcome),
}
EACH_SCRIPT = pytest.mark.parametrize("name", sorted(WRAPPED))


class Header(NamedTuple):
    """What stands on top of a script."""

    keys: Sequence[str]  # as the header spells them, one after the other, for as many SKUs as UNITS has
    arguments: int
    outcomes: set[str]


def read(name: str) -> tuple[str, str]:
    """A script's header and its body."""
    top, _, body = files("workers.inventory").joinpath("lua", name).read_text(encoding="utf-8").partition("]]")
    return top, body


def header_of(name: str) -> Header:
    top, _ = read(name)
    keys: list[str] = []
    for number, spelled in re.findall(r"^  KEYS\[(\S+)\] +(.+?)(?:  |$)", top, re.MULTILINE):
        assert number in ("..", str(len(keys) + 1), f"{len(keys) + 1}..")
        keys += [spelled] * (len(UNITS) if number.endswith("..") else 1)
    arguments = 0
    for number, words in re.findall(r"^  ARGV\[(\S+)\] +(.+)$", top, re.MULTILINE):
        assert number in (str(arguments + 1), f"{arguments + 1}..")
        per_sku = 2 if "two values" in words else 1
        arguments += per_sku * len(UNITS) if number.endswith("..") else 1
    outcomes = re.findall(r"^    ([A-Z_]+) ", top[top.index("  Returns") :], re.MULTILINE)
    return Header(keys, arguments, set(outcomes))


def outcomes_of(name: str) -> set[str]:
    return {outcome.value for outcome in WRAPPED[name][1]}


def test_every_script_has_a_wrapper_here() -> None:
    scripts = {entry.name for entry in files("workers.inventory").joinpath("lua").iterdir()}
    assert scripts == WRAPPED.keys() | INCLUDED | OF_THE_WAITING_LIST


@EACH_SCRIPT
def test_the_wrapper_gives_the_keys_that_the_header_names(name: str) -> None:
    call, spelled = WRAPPED[name][0], header_of(name).keys
    assert call.script.name == name
    skus = sorted(UNITS) * 2  # of what each SKU has twice, all of one kind stand before all of the other
    expected = []
    for key in spelled:
        sku = skus.pop(0) if "<sku>" in key else ""
        key = key.replace("<warehouse>", WAREHOUSE).replace("<order uid>", ORDER).replace("<transfer id>", TRANSFER)
        expected.append(key.replace("<sku>", sku))
    assert list(call.keys) == expected


@EACH_SCRIPT
def test_the_wrapper_gives_as_many_arguments_as_the_header_names(name: str) -> None:
    assert len(WRAPPED[name][0].args) == header_of(name).arguments


@EACH_SCRIPT
def test_the_header_and_the_enum_name_the_same_outcomes(name: str) -> None:
    assert header_of(name).outcomes == outcomes_of(name)


@EACH_SCRIPT
def test_the_script_returns_each_outcome_and_no_other(name: str) -> None:
    _, body = read(name)
    ends = re.findall(
        r"return (\{.*\}|'[A-Z_]+')|outcomes\[i\] = (.*)", body
    )  # a batch fills in its outcomes one by one
    returned = {word for end in ends for word in re.findall(r"'([A-Z_]+)'", "".join(end))}
    if "unknown_lines(" in body:
        returned.add("UNKNOWN_LINES")
    assert returned == outcomes_of(name)


@EACH_SCRIPT
def test_all_keys_of_a_call_share_one_hash_tag(name: str) -> None:
    assert len({re.findall(r"\{.+?\}", key)[0] for key in WRAPPED[name][0].keys}) == 1


@EACH_SCRIPT
def test_a_script_touches_no_key_that_it_was_not_given(name: str) -> None:
    """No key is written out in a script, so all come in as KEYS."""
    _, body = read(name)
    written = re.findall(r"redis\.p?call\('[A-Z]+', *([^,)]+)", body)
    assert [key for key in written if not re.match(r"KEYS\[|key$|counted\[i\]$|stock\[sku\]$", key)] == []

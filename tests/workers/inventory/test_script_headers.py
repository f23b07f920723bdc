"""Each script's header is its contract: what it says of KEYS, ARGV and outcomes is what its typed wrapper does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from importlib.resources import files
from typing import NamedTuple

import pytest

from workers.inventory.keys import stock_key
from workers.inventory.operations import (
    allocate,
    claim,
    count,
    decide,
    drop_return,
    expire,
    fence,
    lease,
    leave,
    mark_expired,
    read_reservations,
    record_return,
    release,
    reserve,
    settle,
    ship,
    short,
    snapshot,
    stash_return,
    take,
    transfer,
    trim,
    wait,
    withdraw,
)
from workers.inventory.operations.allocate import Allocate, AllocateOutcome
from workers.inventory.operations.claim import ClaimOutcome
from workers.inventory.operations.count import CountOutcome
from workers.inventory.operations.decide import Decide, DecideOutcome
from workers.inventory.operations.drop_return import DropReturn, DropReturnOutcome
from workers.inventory.operations.expire import ExpireOutcome
from workers.inventory.operations.fence import Fence, FenceOutcome
from workers.inventory.operations.lease import LeaseOutcome
from workers.inventory.operations.leave import LeaveOutcome
from workers.inventory.operations.mark_expired import MarkExpiredOutcome
from workers.inventory.operations.record_return import RecordReturn, RecordReturnOutcome
from workers.inventory.operations.release import Release, ReleaseOutcome
from workers.inventory.operations.reserve import Reserve, ReserveOutcome
from workers.inventory.operations.settle import Settlement, SettleOutcome
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.ship import Ship, ShipOutcome
from workers.inventory.operations.short import Lost, Short, ShortOutcome
from workers.inventory.operations.snapshot import SnapshotOutcome
from workers.inventory.operations.stash_return import StashReturn, StashReturnOutcome
from workers.inventory.operations.take import TakeOutcome
from workers.inventory.operations.transfer import Transfer, TransferAction, TransferOutcome
from workers.inventory.operations.trim import TrimOutcome
from workers.inventory.operations.wait import Wait, WaitOutcome
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import Count, OrderState, Reservation, ReservationState
from workers.runtime.redis.scripts import ScriptCall


class Rows(StrEnum):
    """A script that answers with rows has no outcomes."""


WAREHOUSE, ORDER, TRANSFER = "hangzhou", "taobao:tea-house:1", "t-1"
UNITS = {"CUP": 1, "NUT": 2, "TEA": 3}
INCLUDED = {"stock.lua", "reading.lua", "revision.lua", "physical.lua", "waiting.lua"}
HELD = ReservationState.HELD

context = CallContext(1000)
seen = Reservation(warehouse_id=WAREHOUSE, order_uid=ORDER, revision="r", state="held", quantities=UNITS, deadline_ms=1)
counts = {sku: Count(on_hand=1, safety=2) for sku in UNITS}
place = (WAREHOUSE, ORDER)
moved = Transfer(WAREHOUSE, TRANSFER, TransferAction.SEND, 1, UNITS)
ended = Settlement(ORDER, "r", 1, OrderState.NOTHING, {}, {}, b"")
stock_keys = [stock_key(WAREHOUSE, sku) for sku in UNITS]
CALLS: Sequence[tuple[ScriptCall, type[StrEnum]]] = [
    (allocate.call(Allocate(*place, UNITS), context), AllocateOutcome),
    (claim.call(ORDER, "r", [WAREHOUSE]), ClaimOutcome),
    (count.call(WAREHOUSE, counts, None, context), CountOutcome),
    (decide.call(Decide(ORDER, "d", "r", 0, b"{}"), context), DecideOutcome),
    (drop_return.call(DropReturn(ORDER, WAREHOUSE, "r")), DropReturnOutcome),
    (expire.call([seen] * len(UNITS), 1, context), ExpireOutcome),
    (fence.call(Fence(*place, 1), context), FenceOutcome),
    (lease.call(WAREHOUSE, "me", 1), LeaseOutcome),
    (leave.call(ORDER, "r"), LeaveOutcome),
    (mark_expired.call(ORDER, "r", context), MarkExpiredOutcome),
    (read_reservations.call(WAREHOUSE, [ORDER] * len(UNITS), context), Rows),
    (record_return.call(RecordReturn(ORDER, WAREHOUSE, "r")), RecordReturnOutcome),
    (release.call(Release(*place, "r", 1, UNITS), context), ReleaseOutcome),
    (reserve.call(Reserve(*place, "r", 1, HELD, UNITS), context), ReserveOutcome),
    (settle.call(ended, context), SettleOutcome),
    (ship.call(Ship(*place, "m", 1, UNITS), context), ShipOutcome),
    (short.call(Short(*place, "m", 1, "r", Lost.NONE, UNITS), context), ShortOutcome),
    (snapshot.call(WAREHOUSE, stock_keys, [""] * len(UNITS)), SnapshotOutcome),
    (stash_return.call(StashReturn(ORDER, WAREHOUSE, "r", "m", b"{}")), StashReturnOutcome),
    (take.call(ORDER, "r", 1, "take"), TakeOutcome),
    (transfer.call(moved, context), TransferOutcome),
    (trim.call(WAREHOUSE, "me", "0-1"), TrimOutcome),
    (wait.call(Wait(ORDER, "r", 1, b"{}", 0)), WaitOutcome),
    (withdraw.call(Withdraw(*place, "r", UNITS), context), WithdrawOutcome),
]
WRAPPED = {call.script.name: (call, outcomes) for call, outcomes in CALLS}
EACH_SCRIPT = pytest.mark.parametrize("name", sorted(WRAPPED))


class Header(NamedTuple):
    """What stands on top of a script."""

    keys: Sequence[str]  # as the header spells them, one after the other, for as many SKUs as UNITS has
    arguments: int
    outcomes: set[str]


def read(name: str) -> tuple[str, str]:
    """A script's header and its body."""
    folder = files(f"workers.inventory.operations.{name.removesuffix('.lua')}")
    top, _, body = folder.joinpath(name).read_text(encoding="utf-8").partition("]]")
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
    folders = [folder for folder in files("workers.inventory.operations").iterdir() if folder.is_dir()]
    scripts = {file.name for folder in folders for file in folder.iterdir() if file.name.endswith(".lua")}
    assert scripts == WRAPPED.keys() | INCLUDED


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

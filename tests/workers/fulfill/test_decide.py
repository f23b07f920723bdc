"""What each answer means, for every kind, instruction, reason and outcome; and what no answer may say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent, WmsEventKind
from schemas.plan import Disposition, PlannedOrder, ReviewOrder
from tests.builders import NOON, a_plan, a_planned_order, a_wms_event, an_order
from tests.sentences import reason_of
from workers.fulfill.decide import FollowUp, events_of, follow_up_of, note_of, race_of, step_of
from workers.fulfill.reading import Answered, read
from workers.inventory.operations.allocate import Allocate, AllocateOutcome
from workers.inventory.operations.drop_return import DropReturn
from workers.inventory.operations.ship import Ship, ShipOutcome
from workers.inventory.operations.short import Lost, Short, ShortOutcome
from workers.inventory.operations.stash_return import StashReturn
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import Answer, InstructionStatus, SupersededReturn
from workers.reserve.result import Instruction, Result
from workers.reserve.result import events_of as said_by_reserve
from workers.runtime.errors import PermanentError

STANDS = InstructionStatus(revision="r9", told="r1")
REASONS = ("not-there", "damaged", "address", "other", "")


def told(kind: str = "fulfil") -> FulfillmentInstruction:
    ordered = Result(told=(Instruction(warehouse_id="hangzhou", kind=InstructionKind(kind)),))
    [event] = said_by_reserve(a_planned_order(an_order(revision="r1")), ordered)
    assert isinstance(event, FulfillmentInstruction)
    return event


def answered(kind: str, instruction: str = "fulfil", reason: str = "") -> Answered:
    return read(a_wms_event(told(instruction), kind, "m", reason=reason))


@pytest.mark.parametrize("kind", [*WmsEventKind])
@pytest.mark.parametrize("instruction", [*InstructionKind])
@pytest.mark.parametrize("reason", REASONS)
def test_every_answer_takes_the_step_that_the_contract_says(kind: str, instruction: str, reason: str) -> None:
    step = step_of(answered(kind, instruction, reason), STANDS)
    expected: Any = {"shipped": Ship, "cancelled": Withdraw, "short": Short}.get(kind)
    if kind in ("accepted", "picked"):
        expected = type(None) if instruction == "cancel" else Allocate
    if kind == "rejected":
        lost = reason in ("not-there", "damaged")
        expected = type(None) if instruction != "fulfil" else Short if lost else Withdraw
    assert type(step) is expected
    if isinstance(step, Short):
        assert step.lost is {"not-there": Lost.SHELF, "damaged": Lost.UNITS}.get(reason, Lost.NONE)
    if isinstance(step, Short | Withdraw):
        assert step.revision == "r9"  # nothing newer was told since: the answer holds for the order as it is now


def test_an_answer_to_what_was_replaced_holds_for_its_own_revision_only() -> None:
    for standing in (InstructionStatus(revision="r9", told="r5"), InstructionStatus(revision="r9")):
        step = step_of(answered("cancelled"), standing)
        assert isinstance(step, Withdraw)
        assert step.revision == "r1"


@pytest.mark.parametrize("kind", [*WmsEventKind])
@pytest.mark.parametrize("instruction", [*InstructionKind])
def test_what_is_given_back_of_something_replaced_is_remembered(kind: str, instruction: str) -> None:
    gives_back = kind in ("short", "cancelled") or (kind == "rejected" and instruction == "fulfil")
    replaced = InstructionStatus(revision="r9", told="r5", replaced=("r1",))
    assert isinstance(note_of(answered(kind, instruction), replaced), StashReturn) is gives_back
    assert note_of(answered(kind, instruction), STANDS) is None


@pytest.mark.parametrize("kind", [*WmsEventKind])
@pytest.mark.parametrize("instruction", [*InstructionKind])
def test_what_was_given_back_before_is_void_once_a_change_is_followed(kind: str, instruction: str) -> None:
    follows = instruction == "change" and kind != "rejected"
    older, same = (STANDS._replace(overtaken=(SupersededReturn(revision, b"{}"),)) for revision in ("r0", "r1"))
    assert isinstance(note_of(answered(kind, instruction), older), DropReturn) is follows
    assert note_of(answered(kind, instruction), same) is None


OUTCOMES = (*AllocateOutcome, *ShipOutcome, *ShortOutcome, *WithdrawOutcome)
PLACED_ANEW = {(ShortOutcome, "NOTED"), (ShortOutcome, "REPEAT"), (WithdrawOutcome, "GIVEN_UP")}


@pytest.mark.parametrize(
    ("outcome", "standing"), [*product(OUTCOMES, (STANDS, InstructionStatus(revision="r9", told="r5")))]
)
def test_only_what_was_given_back_is_placed_anew(outcome: Any, standing: InstructionStatus) -> None:
    if outcome is ShipOutcome.NOTHING_KNOWN or outcome is ShipOutcome.MORE_THAN_TOLD:
        with pytest.raises(PermanentError):
            follow_up_of(answered("shipped"), standing, Answer(outcome))
        return
    anew = (type(outcome), str(outcome)) in PLACED_ANEW and standing is STANDS
    assert follow_up_of(answered("short"), standing, Answer(outcome)) is (FollowUp.ANEW if anew else FollowUp.DONE)


def test_refused_cancellations_and_changes_move_nothing() -> None:
    assert follow_up_of(answered("rejected", "cancel"), STANDS, None) is FollowUp.DONE
    assert follow_up_of(answered("rejected", "change"), STANDS, None) is FollowUp.CHANGE_REFUSED
    assert race_of(answered("rejected", "cancel"), None) == "too-late"
    assert race_of(answered("cancelled", "cancel"), Answer(WithdrawOutcome.RELEASED)) == "intercepted"
    assert race_of(answered("shipped"), Answer(ShipOutcome.SHIPPED)) == ""


@pytest.mark.parametrize("disposition", [one for one in Disposition if one is not Disposition.RESERVE])
@pytest.mark.parametrize("follow_up", [FollowUp.ANEW, FollowUp.ADDRESS, FollowUp.CHANGE_REFUSED])
def test_an_order_that_is_not_to_be_shipped_any_more_is_left_alone(
    disposition: Disposition, follow_up: FollowUp
) -> None:
    planned = a_planned_order(an_order(revision="r1"), a_plan(disposition=disposition))
    said = events_of(answered("short"), follow_up, planned, shipped=False)
    if disposition is not Disposition.IGNORE:
        assert said == []
    elif follow_up is FollowUp.CHANGE_REFUSED:
        assert [type(one) for one in said] == [ReviewOrder], "it ships as it was told before"
    else:
        assert [type(one) for one in said] == [PlannedOrder, ReviewOrder], (
            "the shop says that it ships, and it does not"
        )


@pytest.mark.parametrize(("returns", "review"), [(0, False), (8, False), (9, True), (12, True)])
@pytest.mark.parametrize("tries", [0, 9, 200])
def test_the_tenth_return_is_a_persons_however_often_it_waited_for_stock(
    returns: int, review: bool, tries: int
) -> None:
    revision = f"r1+{tries:03d}" if tries else "r1"
    planned = a_planned_order(an_order(revision=revision), a_plan("hangzhou", "beijing", returns=returns))
    events = events_of(answered("short", reason="damaged"), FollowUp.ANEW, planned, shipped=False)
    assert [type(event) for event in events] == [PlannedOrder, *[ReviewOrder] * review]
    again = events[0]
    assert isinstance(again, PlannedOrder)
    assert again.order.revision == f"r1+{tries + 1:03d}"
    assert again.plan.gave_up == ("hangzhou",)
    assert (again.plan.disposition is Disposition.REVIEW) == review
    assert planned.plan.gave_up == ()


def test_a_reason_in_a_warehouses_own_words_is_not_repeated() -> None:
    planned = a_planned_order(an_order(revision="r1"))
    [again] = events_of(answered("rejected", reason="Zhang San, 13800000000"), FollowUp.ANEW, planned, shipped=False)
    assert isinstance(again, PlannedOrder)
    assert "Zhang" not in reason_of(again)


GOOD = a_wms_event(told(), "shipped", "m")


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("bad-message-id", {"message_id": ""}),
        ("bad-message-id", {"message_id": "m" * 129}),
        ("bad-instruction-id", {"instruction_id": ""}),
        ("bad-instruction-id", {"instruction_id": "taobao:tea-house:1001@r1/beijing/fulfil"}),
        ("bad-instruction-id", {"instruction_id": "taobao:tea-house:1001@r1/hangzhou/explode"}),
        ("bad-instruction-id", {"instruction_id": "taobao:tea-house:1001@/hangzhou/fulfil"}),
        ("bad-instruction-id", {"instruction_id": "taobao:tea-house:1001@r1 r2/hangzhou/fulfil"}),
        ("bad-instruction-id", {"order_uid": "taobao:tea-house:1002"}),
        ("bad-quantities", {"quantities": {"NUT": -1}}),
        ("bad-quantities", {"quantities": {"NUT": 1_000_001}}),
        ("bad-quantities", {"quantities": {"NUT": 0}}),
        ("bad-quantities", {"quantities": {"": 1}}),
        ("bad-quantities", {"quantities": {"N\n": 1}}),
        ("bad-quantities", {"quantities": {str(number): 1 for number in range(501)}}),
        ("bad-time", {"at": datetime(2026, 11, 11)}),  # noqa: DTZ001  # that is the point
        ("bad-time", {"at": NOON.replace(year=1999)}),
        ("bad-time", {"at": NOON + timedelta(days=2)}),
    ],
)
def test_what_cannot_be_right_is_refused_with_a_reason_in_both_languages(reason: str, changes: dict[str, Any]) -> None:
    event: WmsEvent = replace(GOOD, **changes)
    with pytest.raises(PermanentError) as refused:
        read(event, int(NOON.timestamp() * 1000))
    assert refused.value.reason == reason
    [failure] = refused.value.failures
    assert failure.tell("en") != failure.tell("zh")


def test_an_order_id_may_hold_the_signs_that_part_an_instruction_id() -> None:
    uid = "shopify:mall:#1@2/hangzhou/3"
    event = replace(GOOD, order_uid=uid, instruction_id=f"{uid}@r1+001/hangzhou/change")
    assert read(event)[1:] == ("r1+001", InstructionKind.CHANGE)

"""What becomes of a decision, by what the order is: each refusal has a name, and refuses all of it."""
# ruff: noqa: E501  # a table: one case a row

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas.codes import HoldCode
from schemas.decision import (
    REFUSALS,
    AddedGift,
    Correction,
    Decision,
    DecisionKind,
    DecisionRefusal,
    LineCorrection,
    ReceiverCorrection,
    Settled,
)
from schemas.order import LineStatus, Order, OrderStatus
from schemas.plan import Candidate, Disposition, PlannedOrder
from schemas.record import encode
from schemas.revision import MOST_TRIES, is_same_state, tries_of
from tests.builders import a_line, a_plan, a_planned_order, an_order, no_receiver
from tests.workers.apply.fleet import BJ, HZ, NUT, a_decision, touched
from workers.apply.decide import Found, Known, judge, returned_of
from workers.decisions.standing import NOTHING, CorrectedLine, Standing
from workers.inventory.records import OrderState

KNOWN = Known({HZ, BJ}, {NUT, "OATBAR-12"}, {NUT: 5})
ORDER = an_order(lines=(a_line(quantity=2), a_line("OATBAR-12", line_id="2")))
RELEASE, HOLD, CANCEL = DecisionKind.RELEASE, DecisionKind.HOLD, DecisionKind.CANCEL
CORRECT, REDECIDE, NOTE = DecisionKind.CORRECT, DecisionKind.REDECIDE, DecisionKind.NOTE
SETTLE, SPLIT = DecisionKind.SETTLE_FLAG, DecisionKind.SPLIT
ALL_OF_IT = {"province": "上海", "city": "上海市", "street": "示例路", "name": "示例", "phone": "120-0000-0000"}


def in_review(order: Order = ORDER, *codes: str, **plan: Any) -> PlannedOrder:
    given: dict[str, Any] = {
        "disposition": Disposition.REVIEW,
        "candidates": (),
        "suggested": (Candidate(warehouse_id=HZ, rule="r"),),
        "hold_codes": codes or (HoldCode.RISK_REVIEW,),
    }
    return a_planned_order(order, a_plan(**{**given, **plan}))


def found(planned: PlannedOrder | None = None, **fields: Any) -> Found:
    planned = planned or in_review()
    return Found(planned.order.revision, OrderState.NOTHING, planned)._replace(**fields)


def correcting(correction: Correction, **fields: Any) -> Decision:
    return a_decision(ORDER, CORRECT, correction=correction, **fields)


def line(**fields: Any) -> Correction:
    return Correction(lines=(LineCorrection(**{"line_id": "1", **fields}),))


def receiver(**fields: Any) -> Correction:
    return Correction(receiver=ReceiverCorrection(**fields))


SHIPPED = touched(ORDER, status=OrderStatus.SHIPPED)
HELD = Standing(number=1, issued=f"{ORDER.revision}+002", held=True)
CANCELLED = Standing(number=1, issued=f"{ORDER.revision}+002", cancelled=True)
LAST = replace(ORDER, revision=f"{ORDER.revision}+{MOST_TRIES - 1}")

REFUSED: list[tuple[str, Decision, Found, DecisionRefusal, str]] = [
    ("nobody knows the order", a_decision(ORDER, HOLD), Found(), DecisionRefusal.UNKNOWN_ORDER, ""),
    ("the platform moved it", a_decision(touched(ORDER, -60), RELEASE), found(), DecisionRefusal.OVERTAKEN_BY_PLATFORM, "seen"),
    ("somebody else decided", a_decision(ORDER, CANCEL), found(standing=HELD), DecisionRefusal.OVERTAKEN_BY_DECISION, "seen"),
    ("it says not what it saw", a_decision(ORDER, RELEASE, seen=""), found(), DecisionRefusal.MAKES_NO_SENSE, "seen"),
    ("it has shipped here", a_decision(ORDER, CANCEL), found(state=OrderState.SHIPPED), DecisionRefusal.ALREADY_SHIPPED, ""),
    ("all units have left", a_decision(ORDER, HOLD), found(left={NUT: 2, "OATBAR-12": 1}), DecisionRefusal.ALREADY_SHIPPED, ""),
    ("the platform says shipped", a_decision(SHIPPED, HOLD), found(in_review(SHIPPED)), DecisionRefusal.OVERTAKEN_BY_PLATFORM, ""),
    ("held already", a_decision(ORDER, HOLD), found(standing=HELD), DecisionRefusal.MAKES_NO_SENSE, ""),
    ("cancelled already", a_decision(ORDER, REDECIDE), found(standing=CANCELLED, revision=f"{ORDER.revision}+002"), DecisionRefusal.OVERTAKEN_BY_DECISION, "seen"),
    ("cancelled, so not anew", a_decision(ORDER, REDECIDE, seen=""), found(standing=CANCELLED), DecisionRefusal.MAKES_NO_SENSE, ""),
    ("nothing to release", a_decision(ORDER, RELEASE), found(a_planned_order(ORDER)), DecisionRefusal.MAKES_NO_SENSE, ""),
    ("another has it", a_decision(ORDER, RELEASE, warehouse_id=BJ), found(a_planned_order(ORDER), told=(HZ,)), DecisionRefusal.ALREADY_TOLD, ""),
    ("no such warehouse", a_decision(ORDER, RELEASE, warehouse_id="mars"), found(), DecisionRefusal.UNKNOWN_WAREHOUSE, "warehouse_id"),
    ("not all of it there", a_decision(ORDER, RELEASE, warehouse_id=BJ), found(), DecisionRefusal.NO_STOCK, "warehouse_id"),
    ("no rule names one", a_decision(ORDER, RELEASE), found(in_review(suggested=())), DecisionRefusal.NO_SUGGESTION, ""),
    ("no receiver", a_decision(ORDER, RELEASE), found(in_review(replace(ORDER, ship_to=no_receiver()))), DecisionRefusal.NO_RECEIVER, ""),
    ("too often", a_decision(LAST, HOLD), found(in_review(LAST)), DecisionRefusal.TOO_MANY_DECISIONS, ""),
    ("no such reason", a_decision(ORDER, SETTLE, codes=("nonsense",)), found(), DecisionRefusal.MAKES_NO_SENSE, "codes"),
    ("no reason at all", a_decision(ORDER, SETTLE), found(), DecisionRefusal.MAKES_NO_SENSE, "codes"),
    ("no words", a_decision(ORDER, NOTE, why=" "), found(), DecisionRefusal.MAKES_NO_SENSE, "why"),
    ("too many words", a_decision(ORDER, HOLD, why="x" * 1001), found(), DecisionRefusal.MAKES_NO_SENSE, "why"),
    ("nobody", a_decision(ORDER, HOLD, who=""), found(), DecisionRefusal.MAKES_NO_SENSE, "who"),
    ("a warehouse to hold in", a_decision(ORDER, HOLD, warehouse_id=HZ), found(), DecisionRefusal.MAKES_NO_SENSE, "warehouse_id"),
    ("nothing corrected", correcting(Correction()), found(), DecisionRefusal.MAKES_NO_SENSE, "correction"),
    ("no such line", correcting(line(line_id="9", sku=NUT)), found(), DecisionRefusal.UNKNOWN_LINE, "lines.0.line_id"),
    ("more than bought", correcting(line(quantity=3)), found(), DecisionRefusal.QUANTITY_ABOVE_ORDER, "lines.0.quantity"),
    ("fewer than none", correcting(line(quantity=-1)), found(), DecisionRefusal.MAKES_NO_SENSE, "lines.0.quantity"),
    ("no such SKU", correcting(line(sku="NO-SUCH")), found(), DecisionRefusal.UNKNOWN_SKU, "lines.0.sku"),
    ("a line twice", correcting(Correction(lines=(LineCorrection(line_id="1", quantity=1),) * 2)), found(), DecisionRefusal.MAKES_NO_SENSE, "lines"),
    ("no such gift", correcting(Correction(gifts=(AddedGift(sku="X", quantity=1),))), found(), DecisionRefusal.UNKNOWN_SKU, "gifts.0.sku"),
    ("a gift of none", correcting(Correction(gifts=(AddedGift(sku=NUT, quantity=0),))), found(), DecisionRefusal.MAKES_NO_SENSE, "gifts.0"),
    ("a province that is none", correcting(receiver(**{**ALL_OF_IT, "province": "亚特兰蒂斯"})), found(), DecisionRefusal.UNKNOWN_PROVINCE, "receiver.province"),
    ("half of what is hidden", correcting(receiver(street="示例路")), found(), DecisionRefusal.MAKES_NO_SENSE, "receiver"),
    ("a line break in a name", correcting(receiver(**{**ALL_OF_IT, "name": "a\nb"})), found(), DecisionRefusal.MAKES_NO_SENSE, "receiver.name"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "now", "code", "where"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_cannot_be_is_refused_by_name_and_changes_nothing(
    decision: Decision, now: Found, code: DecisionRefusal, where: str
) -> None:
    decided = judge(decision, now, KNOWN)
    assert (decided.code, decided.where) == (code, where)
    assert (decided.issued, decided.settled, decided.number) == ("", None, now.standing.number)


def test_every_refusal_has_its_words_and_all_but_one_are_met_here() -> None:
    assert set(REFUSALS) == set(DecisionRefusal)
    met = {row[3] for row in REFUSED}
    assert set(DecisionRefusal) - met == {DecisionRefusal.BUSY}, "which the agent says: it knows the time"


def test_to_stop_an_order_is_right_whatever_it_is_by_now() -> None:
    decided = judge(a_decision(touched(ORDER, -60), HOLD), found(), KNOWN)
    assert decided.is_done


def test_a_release_settles_what_asks_now_for_this_order() -> None:
    settled = judge(a_decision(ORDER, RELEASE), found(), KNOWN).settled
    assert settled is not None
    assert settled.codes == (HoldCode.RISK_REVIEW, HoldCode.GRAY_ROLLOUT)
    assert settled.units == {NUT: 2, "OATBAR-12": 1}
    assert settled.warehouses == (HZ,)


def test_a_named_warehouse_with_the_stock_is_the_only_one() -> None:
    known = KNOWN._replace(available={NUT: 2, "OATBAR-12": 1})
    settled = judge(a_decision(ORDER, RELEASE, warehouse_id=BJ), found(), known).settled
    assert settled is not None
    assert settled.warehouses == (BJ,)


def test_an_operators_hold_is_never_settled_but_ended() -> None:
    planned = in_review(ORDER, HoldCode.OPERATOR_HOLD, HoldCode.RISK_REVIEW)
    standing = replace(HELD, issued="")
    settled = judge(a_decision(ORDER, RELEASE), found(planned, standing=standing), KNOWN).settled
    assert settled is not None
    assert HoldCode.OPERATOR_HOLD not in settled.codes


def test_settling_some_reasons_keeps_what_was_settled_before() -> None:
    planned = in_review(ORDER, HoldCode.RISK_REVIEW, HoldCode.GIFT_MISSING)
    standing = Standing(settled=Settled(codes=("x",), warehouses=(BJ,), split=True))
    decision = a_decision(ORDER, SETTLE, codes=(HoldCode.GIFT_MISSING,))
    settled = judge(decision, found(planned, standing=standing), KNOWN).settled
    assert settled is not None
    assert (settled.codes, settled.warehouses, settled.split) == (("x", HoldCode.GIFT_MISSING), (BJ,), True)


def test_a_split_is_consent_to_several_parcels() -> None:
    settled = judge(a_decision(ORDER, SPLIT), found(), KNOWN).settled
    assert settled is not None
    assert settled.split


def test_what_a_person_took_away_they_may_give_back() -> None:
    """No more than the buyer ordered, though less is to be shipped now."""
    order = replace(ORDER, lines=(a_line(quantity=1), ORDER.lines[1]))
    was = judge(correcting(line(quantity=1)), found(), KNOWN).before
    standing = Standing(lines=(CorrectedLine(line_id="1", quantity=1, before=was),))
    assert judge(correcting(line(quantity=2)), found(in_review(order), standing=standing), KNOWN).is_done


def test_a_line_that_has_left_cannot_be_corrected() -> None:
    order = replace(ORDER, lines=(a_line(status=LineStatus.SHIPPED), ORDER.lines[1]))
    decided = judge(correcting(line(quantity=0)), found(in_review(order)), KNOWN)
    assert decided.code is DecisionRefusal.UNKNOWN_LINE


def test_every_decision_that_changes_something_has_a_try_and_a_number_of_its_own() -> None:
    standing = NOTHING
    issued = []
    for number in range(1, 4):
        decided = judge(a_decision(ORDER, REDECIDE, number, seen=""), found(standing=standing), KNOWN)
        standing = Standing(number=decided.number, issued=decided.issued)
        issued.append(decided.issued)
        assert decided.number == number
    assert [tries_of(one) for one in issued] == [2, 4, 6]
    assert all(is_same_state(one, ORDER.revision) for one in issued)


def test_what_is_released_is_tried_everywhere_and_what_is_held_is_not() -> None:
    planned = in_review(gave_up=(HZ,), returns=3)
    now = found(planned)
    released = judge(a_decision(ORDER, RELEASE), now, KNOWN)
    held = judge(a_decision(ORDER, HOLD), now, KNOWN)
    tried = [returned_of(one, planned, 1000).tagged.upheld for one in (released, held)]
    assert [(one.gave_up, one.returns) for one in tried if one] == [((), 0), ((HZ,), 3)]


def test_no_answer_tells_who_lives_where() -> None:
    decided = judge(correcting(receiver(**ALL_OF_IT), why="示例 moved"), found(), KNOWN)
    assert decided.is_done
    told = encode(decided).decode()
    assert not any(word in told for word in ("示例", ALL_OF_IT["phone"], "上海"))


LEFT = found(state=OrderState.SHIPPED)


def test_what_has_left_is_acknowledged_and_nothing_changes() -> None:
    """A change that came too late asks for a person, who can do no more than to have seen it."""
    answer = judge(a_decision(ORDER, SETTLE, codes=("change-too-late",)), LEFT, KNOWN)
    assert answer.is_done
    assert (answer.issued, answer.settled, answer.revision) == ("", None, ORDER.revision)


@pytest.mark.parametrize("codes", [(), (HoldCode.OPERATOR_HOLD,)])
def test_what_has_left_is_acknowledged_with_what_was_seen(codes: tuple[str, ...]) -> None:
    answer = judge(a_decision(ORDER, SETTLE, codes=codes), LEFT, KNOWN)
    assert (answer.code, answer.where) == (DecisionRefusal.MAKES_NO_SENSE, "codes")


@pytest.mark.parametrize("kind", [RELEASE, HOLD, CANCEL, REDECIDE, SPLIT])
def test_what_has_left_is_not_decided_about(kind: DecisionKind) -> None:
    assert judge(a_decision(ORDER, kind), LEFT, KNOWN).code is DecisionRefusal.ALREADY_SHIPPED

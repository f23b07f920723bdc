"""Whether a person's decision can be applied to an order as it stands, and what it comes to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, NoReturn

from schemas.codes import HoldCode
from schemas.decision import (
    Correction,
    Decided,
    Decision,
    DecisionKind,
    DecisionRefusal,
    LineBefore,
    Settled,
    Upheld,
)
from schemas.order import Line, LineStatus, Order, OrderStatus, Privacy, lines_to_ship
from schemas.plan import Disposition, PlannedOrder, ReturnedOrder, TaggedOrder
from schemas.record import changed
from schemas.revision import MOST_TRIES, decided_try_of, is_same_state, tries_of
from workers.apply.reading import MAX_ID, MAX_WHO, Refused, check_read, check_receiver
from workers.decisions.standing import NOTHING, Standing, address_digest, corrected, fold, settled_as
from workers.inventory.availability import missing, wanted
from workers.inventory.records import OrderState

_FINISHED: Final = (OrderStatus.CANCELLED, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
_STOPS: Final = (DecisionKind.HOLD, DecisionKind.CANCEL)
_ANY_REVISION: Final = (DecisionKind.HOLD, DecisionKind.REDECIDE, DecisionKind.NOTE)
"""May be decided of an order whatever it is by now."""

_ADDED_ASK_NOT: Final = (HoldCode.GIFT_SURPLUS, HoldCode.GIFT_WITHOUT_MAIN)
"""What tagging finds about a gift that a person added."""


class Found(NamedTuple):
    """The order, as it stands when a decision about it is looked at."""

    revision: str = ""
    state: OrderState | None = None
    planned: PlannedOrder | None = None  # None: nobody knows the order (any more)
    told: Collection[str] = ()  # warehouses that are told to ship it
    left: Mapping[str, int] = {}  # units that have left these, by SKU
    standing: Standing = NOTHING


class Known(NamedTuple):
    """What the rules and the catalogue know. `available`: what the named warehouse could give the order, by SKU."""

    warehouses: Collection[str]
    skus: Collection[str]
    available: Mapping[str, int] = {}


def judge(decision: Decision, found: Found, known: Known) -> Decided:
    """What becomes of the decision: done, or refused with why."""
    answer = answer_to(decision, revision=found.revision, number=found.standing.number)
    try:
        check_read(decision)
        planned = _known_order(found)
        _check_newest(decision, found)
        if decision.kind is DecisionKind.NOTE:
            return answer
        if decision.kind is DecisionKind.SETTLE_FLAG and _has_left(found, planned.order):
            return _acknowledged(decision, answer)
        _check_open(decision, found, planned.order)
        effect = _effect(decision, found, planned, known)
    except Refused as refused:
        return changed(answer, code=refused.code, where=refused.where)
    return changed(effect(answer), issued=_issued(found), number=found.standing.number + 1)


def answer_to(decision: Decision, code: DecisionRefusal | None = None, **known: Any) -> Decided:
    """What was decided, without personal data, and why it is not applied."""
    return Decided(
        decision_id=decision.decision_id[:MAX_ID],
        order_uid=decision.order_uid,
        kind=decision.kind,
        who=decision.who[:MAX_WHO],
        at=decision.at if decision.at.tzinfo is not None else decision.at.replace(tzinfo=UTC),
        code=code,
        **known,
    )


class _Effect(NamedTuple):
    """What a decision adds to its answer."""

    settled: Settled | None = None
    correction: Correction = Correction()
    before: tuple[LineBefore, ...] = ()
    receiver_before: str = ""

    def __call__(self, answer: Decided) -> Decided:
        return changed(
            answer,
            settled=self.settled,
            lines=self.correction.lines,
            gifts=self.correction.gifts,
            before=self.before,
            receiver_before=self.receiver_before,
        )


# -- may anything be decided of it? ----------------------------------------------------------------------------------


def _known_order(found: Found) -> PlannedOrder:
    if found.planned is None:
        raise Refused(DecisionRefusal.UNKNOWN_ORDER)
    return found.planned


def _check_newest(decision: Decision, found: Found) -> None:
    """What a person looked at must still be what is: but to stop an order is right whatever it is by now."""
    if not decision.seen:
        if decision.kind not in _ANY_REVISION:
            _refuse(DecisionRefusal.MAKES_NO_SENSE, "seen")
        return
    if decision.kind is DecisionKind.HOLD or decision.kind is DecisionKind.NOTE:
        return
    if decision.seen != found.revision and not is_same_state(decision.seen, found.revision):
        _refuse(DecisionRefusal.OVERTAKEN_BY_PLATFORM, "seen")
    issued = found.standing.issued
    if issued and is_same_state(decision.seen, issued) and tries_of(decision.seen) < tries_of(issued):
        _refuse(DecisionRefusal.OVERTAKEN_BY_DECISION, "seen")


def _check_open(decision: Decision, found: Found, order: Order) -> None:
    if _has_left(found, order):
        _refuse(DecisionRefusal.ALREADY_SHIPPED)
    if order.status in _FINISHED and decision.kind not in (DecisionKind.CANCEL, DecisionKind.REDECIDE):
        _refuse(DecisionRefusal.OVERTAKEN_BY_PLATFORM)
    if tries_of(_base(found)) + 2 > MOST_TRIES:
        _refuse(DecisionRefusal.TOO_MANY_DECISIONS)


def _has_left(found: Found, order: Order) -> bool:
    to_ship = wanted(lines_to_ship(order))
    return found.state is OrderState.SHIPPED or bool(to_ship and found.left and not missing(to_ship, found.left))


def _acknowledged(decision: Decision, answer: Decided) -> Decided:
    """Nothing changes for goods that have left, but who was asked has seen it: the order waits for nobody any more."""
    if not decision.codes or HoldCode.OPERATOR_HOLD in decision.codes:
        _refuse(DecisionRefusal.MAKES_NO_SENSE, "codes")
    return answer


def _base(found: Found) -> str:
    """The newest try of the order's state, whether it has taken effect or is on its way."""
    issued = found.standing.issued
    return max(found.revision, issued) if is_same_state(found.revision, issued) else found.revision


def _issued(found: Found) -> str:
    return decided_try_of(_base(found))


# -- what it comes to ------------------------------------------------------------------------------------------------


def _effect(decision: Decision, found: Found, planned: PlannedOrder, known: Known) -> _Effect:
    match decision.kind:
        case DecisionKind.RELEASE:
            return _Effect(settled=_released(decision, found, planned, known))
        case DecisionKind.CORRECT:
            return _corrected(decision, found, planned, known)
        case DecisionKind.SPLIT:
            return _Effect(settled=_more(found, planned, (), split=True))
        case DecisionKind.SETTLE_FLAG:
            return _Effect(settled=_more(found, planned, _flags(decision, planned)))
    again = found.standing.held if decision.kind is DecisionKind.HOLD else found.standing.cancelled
    if again:  # held or cancelled before; and what is cancelled is not decided anew before it is released
        _refuse(DecisionRefusal.MAKES_NO_SENSE)
    return _Effect()


def _released(decision: Decision, found: Found, planned: PlannedOrder, known: Known) -> Settled:
    """All that asks for a person now is settled, and where it ships from."""
    plan, standing = planned.plan, found.standing
    in_review = plan.disposition is Disposition.REVIEW or standing.held or standing.cancelled
    if found.told and not in_review and decision.warehouse_id not in (None, *found.told):
        _refuse(DecisionRefusal.ALREADY_TOLD)
    if not in_review and decision.warehouse_id is None:
        _refuse(DecisionRefusal.MAKES_NO_SENSE)
    to_ship = lines_to_ship(planned.order)
    if planned.order.ship_to.privacy is Privacy.MISSING and HoldCode.LOCAL_PICKUP not in planned.order.holds:
        _refuse(DecisionRefusal.NO_RECEIVER)
    if decision.warehouse_id is not None:
        if decision.warehouse_id not in known.warehouses:
            _refuse(DecisionRefusal.UNKNOWN_WAREHOUSE, "warehouse_id")
        if missing(wanted(to_ship), known.available):
            _refuse(DecisionRefusal.NO_STOCK, "warehouse_id")
        warehouses: Sequence[str] = (decision.warehouse_id,)
    else:
        suggested = [one.warehouse_id for one in (*plan.suggested, *plan.candidates)]
        warehouses = [one for one in suggested if one not in plan.gave_up] or suggested
        if to_ship and not warehouses and not standing.cancelled:
            _refuse(DecisionRefusal.NO_SUGGESTION)
    before = standing.settled.codes if standing.settled else ()
    codes = (*before, *plan.hold_codes, HoldCode.GRAY_ROLLOUT)  # a person's consent is what a rollout asks for
    codes = tuple(code for code in codes if code != HoldCode.OPERATOR_HOLD)
    split = standing.settled is not None and standing.settled.split
    return settled_as(planned.order, codes, dict.fromkeys(warehouses), split=split)


def _more(found: Found, planned: PlannedOrder, codes: Collection[str], *, split: bool = False) -> Settled:
    """What was settled before, and this."""
    before = found.standing.settled or Settled()
    return settled_as(planned.order, (*before.codes, *codes), before.warehouses, split=split or before.split)


def _flags(decision: Decision, planned: PlannedOrder) -> Sequence[str]:
    strange = [code for code in decision.codes if code not in planned.plan.hold_codes]
    if strange or not decision.codes or HoldCode.OPERATOR_HOLD in decision.codes:
        _refuse(DecisionRefusal.MAKES_NO_SENSE, "codes")
    return decision.codes


# -- corrections -----------------------------------------------------------------------------------------------------


def _corrected(decision: Decision, found: Found, planned: PlannedOrder, known: Known) -> _Effect:
    correction, order = decision.correction or Correction(), planned.order
    lines = {line.line_id: line for line in order.lines if line.status is LineStatus.OPEN}
    for number, wish in enumerate(correction.lines):
        line = lines.get(wish.line_id)
        if line is None:
            _refuse(DecisionRefusal.UNKNOWN_LINE, f"lines.{number}.line_id")
        if wish.quantity is not None and wish.quantity > _ordered(line, found.standing):
            _refuse(DecisionRefusal.QUANTITY_ABOVE_ORDER, f"lines.{number}.quantity")
        if wish.sku is not None and wish.sku not in known.skus:
            _refuse(DecisionRefusal.UNKNOWN_SKU, f"lines.{number}.sku")
    for number, gift in enumerate(correction.gifts):
        if gift.sku not in known.skus:
            _refuse(DecisionRefusal.UNKNOWN_SKU, f"gifts.{number}.sku")
        if any(main not in lines for main in gift.bound_to):
            _refuse(DecisionRefusal.UNKNOWN_LINE, f"gifts.{number}.bound_to")
    check_receiver(correction, order)
    effect = _Effect(
        correction=correction,
        before=tuple(
            LineBefore(line_id=wish.line_id, sku=lines[wish.line_id].sku, quantity=lines[wish.line_id].quantity)
            for wish in correction.lines
        ),
        receiver_before=address_digest(order) if correction.receiver is not None else "",
    )
    return effect._replace(settled=_settled_after(decision, found, planned, effect))


def _ordered(line: Line, standing: Standing) -> int:
    """What the buyer ordered of it: a person may have corrected it before."""
    before = next((one.before for one in standing.lines if one.line_id == line.line_id), ())
    return max(line.quantity, *(one.quantity for one in before), 0)


def _settled_after(decision: Decision, found: Found, planned: PlannedOrder, effect: _Effect) -> Settled | None:
    """What was settled is settled for the order as it is corrected: it was a person who made it so."""
    before = found.standing.settled
    added = bool(decision.correction and decision.correction.gifts)
    if before is None and not added:
        return None
    answer = effect(answer_to(decision, issued="-"))
    then = fold(found.standing, answer, effect.correction.receiver)
    order, _ = corrected(planned.order, then)
    codes = (*(before.codes if before else ()), *(_ADDED_ASK_NOT if added else ()))
    return settled_as(order, codes, before.warehouses if before else (), split=before is not None and before.split)


# -- what follows ----------------------------------------------------------------------------------------------------


def returned_of(decided: Decided, planned: PlannedOrder, at_ms: int) -> ReturnedOrder:
    """The order, to be decided anew with what stands now. The same for a repeat, byte by byte."""
    order, plan = changed(planned.order, revision=decided.issued), planned.plan
    fresh = decided.kind in (DecisionKind.RELEASE, DecisionKind.REDECIDE)  # a person wants it tried everywhere
    upheld = (
        Upheld(number=decided.number)
        if fresh
        else Upheld(number=decided.number, gave_up=plan.gave_up, returns=plan.returns)
    )
    tagged = TaggedOrder(order=order, tags=planned.tags, flags=planned.flags, upheld=upheld)
    return ReturnedOrder(tagged=tagged, at=datetime.fromtimestamp(at_ms / 1000, UTC))


def _refuse(code: DecisionRefusal, where: str = "") -> NoReturn:
    raise Refused(code, where)

"""The books know from the topics alone what a warehouse still owes an answer, has shipped, or has given back."""

from __future__ import annotations

from itertools import permutations

import pytest

from ops.testbed.oracle.accounts import Account
from ops.testbed.oracle.parcels import Parcel
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.plan import Disposition
from tests.builders import a_line, a_planned_order, a_wms_event, an_order
from workers.reserve.result import Instruction, Result, events_of

NUT = "NUT-BOX-500"


def told(kind: str = "fulfil", revision: str = "r1", quantity: int = 2) -> FulfillmentInstruction:
    order = an_order(lines=(a_line(quantity=quantity),), revision=revision)
    ordered = Result(told=(Instruction(warehouse_id="hangzhou", kind=InstructionKind(kind)),))
    [event] = events_of(a_planned_order(order), ordered)
    assert isinstance(event, FulfillmentInstruction)
    return event


def shipped(units: int, revision: str = "r1", message_id: str = "m") -> WmsEvent:
    return a_wms_event(told(revision=revision), "shipped", message_id, quantities={NUT: units})


def parcel(*messages: FulfillmentInstruction | WmsEvent) -> Parcel:
    kept = Parcel()
    for message in messages:
        kept.hear(message) if isinstance(message, WmsEvent) else kept.tell(message)
    return kept


CANCEL, CHANGE = told("cancel", "r2"), told("change", "r2", 1)


@pytest.mark.parametrize(
    ("messages", "live", "left", "waiting"),
    [
        ((told(),), True, False, True),
        ((told(), shipped(1)), True, False, True),
        ((told(), shipped(1), shipped(1)), True, True, False),
        ((told(), a_wms_event(told(), "short")), False, False, False),
        ((told(), a_wms_event(told(), "rejected")), False, False, False),
        ((told(), CANCEL), False, False, True),
        ((told(), CANCEL, a_wms_event(CANCEL, "cancelled")), False, False, False),
        ((told(), CANCEL, a_wms_event(CANCEL, "rejected")), False, False, True),
        ((told(), CANCEL, a_wms_event(CANCEL, "rejected"), shipped(2)), False, True, False),
        ((told(), CANCEL, a_wms_event(CANCEL, "rejected"), a_wms_event(told(), "short")), False, False, False),
        ((told(), CHANGE, shipped(1, "r2")), True, True, False),
        ((told(), CHANGE, a_wms_event(CHANGE, "rejected"), shipped(1)), True, False, True),
        ((told(), CHANGE, a_wms_event(CHANGE, "rejected"), shipped(2)), True, True, False),
        ((told(), a_wms_event(told(), "short"), told(revision="r3")), True, False, True),
    ],
)
def test_a_parcel_stands_as_told_and_answered_in_whatever_order_it_is_read(
    messages: tuple[FulfillmentInstruction | WmsEvent, ...], live: bool, left: bool, waiting: bool
) -> None:
    for order in permutations(messages):
        kept = parcel(*order)
        assert (kept.live, kept.left, kept.waiting) == (live, left, waiting)


def account(**parcels: Parcel) -> Account:
    return Account(planned="r1", disposition=Disposition.RESERVE, ordered={NUT: 2}, routed=parcels)


def test_an_order_that_left_is_shipped_and_one_in_two_places_is_doubled() -> None:
    whole = parcel(told(), shipped(2))
    assert account(hangzhou=whole).place() == "shipped"
    assert not account(hangzhou=whole, beijing=parcel(told(), a_wms_event(told(), "short"))).doubled
    assert account(hangzhou=whole, beijing=parcel(told())).doubled
    assert account(hangzhou=whole, beijing=parcel(told(), CANCEL, shipped(1))).doubled
    assert account(hangzhou=parcel(told(), shipped(2), shipped(1, message_id="n"))).doubled


def test_an_order_that_a_warehouse_sent_to_a_person_is_told_from_other_reviews() -> None:
    assert Account(planned="r1", disposition=Disposition.REVIEW, sent_back=True).place() == "wms-review"
    assert Account(planned="r1", disposition=Disposition.REVIEW).place() == "review"

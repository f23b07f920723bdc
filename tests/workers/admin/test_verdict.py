"""Where an order is, in one sentence, when it has stock and waits for a person."""

from __future__ import annotations

import pytest

from schemas.plan import Disposition, PlannedOrder
from tests.builders import NOON, a_plan, a_planned_order, an_order
from workers.admin.evidence import Evidence, Read
from workers.admin.scan import Found
from workers.admin.verdict import verdict
from workers.inventory.records import OrderSnapshot, OrderState


def seen(planned: PlannedOrder, state: OrderState) -> Evidence:
    uid, revision = planned.order.uid, planned.order.revision
    ledger = OrderSnapshot(order_uid=uid, revision=revision, state=state, settled=True, holdings={"hangzhou": {"A": 1}})
    found = Found(topic="orders.planned", partition=0, offset=1, at=NOON, key=uid.encode(), value=b"")
    return Evidence(order_uid=uid, ledger=ledger, planned=[Read(found, planned)])


def in_review(code: str) -> PlannedOrder:
    return a_planned_order(an_order("1"), a_plan(disposition=Disposition.REVIEW, hold_codes=(code,)))


def test_an_order_whose_address_a_warehouse_rejected_says_so_and_what_to_do() -> None:
    told = verdict(seen(in_review("wms-address"), OrderState.COMMITTED))
    assert told.en.startswith("the warehouse rejected its address: it waits in orders.review")
    assert "reserved in hangzhou" in told.en
    assert "review correct" in told.zh


@pytest.mark.parametrize("state", [OrderState.HELD, OrderState.COMMITTED])
def test_one_that_waits_for_another_reason_is_not_said_to_wait_for_a_warehouse(state: OrderState) -> None:
    told = verdict(seen(in_review("gift-missing"), state))
    assert told.en.startswith("it waits in orders.review: a person must decide; its stock stays reserved in hangzhou")


def test_one_that_has_left_has_left_whatever_is_reviewed() -> None:
    assert verdict(seen(in_review("wms-address"), OrderState.SHIPPED)).en == "all of it has left"

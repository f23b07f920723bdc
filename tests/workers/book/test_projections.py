"""What the book says of an order, as its records come."""

from __future__ import annotations

from datetime import timedelta

from schemas.codes import PlanReason
from schemas.dead_letter import DeadLetter, Failure
from schemas.decision import Correction, Decided, Decision, DecisionKind, DecisionRefusal, ReceiverCorrection
from schemas.fulfillment import FulfillmentInstruction, WmsEventKind
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.plan import Backorder, DeferredOrder, Disposition, PlannedOrder, TransferRequest, to_review
from schemas.record import changed
from schemas.revision import retry_of
from schemas.topics import (
    INVENTORY_EVENTS,
    ORDERS_BACKORDERED,
    ORDERS_DECIDED,
    ORDERS_DECISIONS,
    ORDERS_DEFERRED,
    ORDERS_PLANNED,
    ORDERS_QUARANTINED,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
)
from tests.builders import NOON, a_cancelled_order, a_plan, a_planned_order, a_wms_event, an_order, an_unpaid_order
from tests.workers.book.looking import Look
from tests.workers.book.records import Topics
from tests.workers.book.stories import an_instruction
from workers.book.agent import BookSession


def retried(planned: PlannedOrder, disposition: Disposition = Disposition.RESERVE) -> PlannedOrder:
    """Decided anew, under a retry revision."""
    order = changed(planned.order, revision=retry_of(planned.order.revision))
    return changed(planned, order=order, plan=a_plan("hangzhou", disposition=disposition))


class Way:
    """One order's way, written to the book step by step."""

    def __init__(self, session: BookSession, look: Look) -> None:
        self._session = session
        self._look = look
        self._topics = Topics()
        self._done = 0

    def stage(self, uid: str) -> str:
        """As the book says now."""
        new = self._topics.messages[self._done :]
        self._done = len(self._topics.messages)
        self._session.write(new)
        return str(self._look.order(uid)["stage"])

    def planned(self, planned: PlannedOrder) -> str:
        self._topics.add(ORDERS_PLANNED, planned.order.uid, planned)
        return self.stage(planned.order.uid)

    def review(self, planned: PlannedOrder, code: str) -> str:
        self._topics.add(ORDERS_REVIEW, planned.order.uid, to_review(planned, code, PlanReason.NO_RULE()))
        return self.stage(planned.order.uid)

    def told(self, planned: PlannedOrder, warehouse: str = "hangzhou", kind: str = "fulfil", parcels: int = 1) -> str:
        instruction = an_instruction(planned, warehouse, kind, parcels)
        self._topics.add(ORDERS_ROUTED, planned.order.uid, instruction, member=warehouse)
        return self.stage(planned.order.uid)

    def backordered(self, planned: PlannedOrder) -> str:
        self._topics.add(ORDERS_BACKORDERED, planned.order.uid, Backorder(planned=planned, missing={"NUT-BOX-500": 1}))
        return self.stage(planned.order.uid)

    def decided(self, decided: Decided) -> str:
        self._topics.add(ORDERS_DECIDED, decided.order_uid, decided)
        return self.stage(decided.order_uid)

    def answered(self, told: FulfillmentInstruction, kind: WmsEventKind) -> str:
        self._topics.add(WMS_EVENTS, told.order_uid, a_wms_event(told, kind))
        return self.stage(told.order_uid)


def test_an_order_that_ships(session: BookSession, look: Look) -> None:
    way, planned = Way(session, look), a_planned_order()
    assert way.planned(a_planned_order(an_unpaid_order())) == "unpaid"
    assert way.planned(planned) == "planned"
    assert way.told(planned) == "routed"
    assert way.answered(an_instruction(planned), WmsEventKind.ACCEPTED) == "routed"
    assert way.answered(an_instruction(planned), WmsEventKind.SHIPPED) == "shipped"
    [shipment] = look.rows("shipments")
    assert (shipment["state"], shipment["wms_kind"]) == ("shipped", "shipped")
    assert {row["kind"] for row in look.rows("timeline")} == {"planned", "told-fulfil", "wms-accepted", "wms-shipped"}


def test_an_order_whose_change_concerns_no_warehouse_stays_with_it(session: BookSession, look: Look) -> None:
    topics, planned = Topics(), a_planned_order()
    uid = planned.order.uid
    paid_later = a_planned_order(an_order(modified_at=NOON + timedelta(hours=1)))
    topics.add(ORDERS_PLANNED, uid, planned)
    topics.add(ORDERS_ROUTED, uid, an_instruction(planned), member="hangzhou")
    topics.add(ORDERS_PLANNED, uid, paid_later)
    session.write(topics.messages)
    assert look.order(uid)["stage"] == "planned"
    found = InventoryEvent(
        event_id="hangzhou/1",
        sequence=1,
        warehouse_id="hangzhou",
        kind=InventoryEventKind.CHANGED,
        at=NOON,
        changes=(),
        order_uid=uid,
        revision=paid_later.order.revision,
        state="committed",
    )
    topics.add(INVENTORY_EVENTS, "hangzhou", found)
    session.write(topics.messages[-1:])
    assert look.order(uid)["stage"] == "routed"


def test_an_order_in_two_parcels_is_shipped_when_both_are(session: BookSession, look: Look) -> None:
    way, planned = Way(session, look), a_planned_order()
    way.planned(planned)
    way.told(planned, "hangzhou", parcels=2)
    assert way.told(planned, "chengdu", parcels=2) == "routed"
    assert way.answered(an_instruction(planned), WmsEventKind.SHIPPED) == "part-shipped"
    assert way.answered(an_instruction(planned, "chengdu"), WmsEventKind.SHIPPED) == "shipped"
    assert look.order(planned.order.uid)["shipped_from"] == ["chengdu", "hangzhou"]


def test_an_order_of_which_a_part_still_waits_is_not_shipped(session: BookSession, look: Look) -> None:
    way, planned = Way(session, look), a_planned_order()
    way.planned(planned)
    way.told(planned)
    again = retried(planned)  # hangzhou has given back what it found damaged, and nobody else has it
    way.planned(again)
    assert way.backordered(again) == "backordered"
    assert way.answered(an_instruction(planned), WmsEventKind.SHIPPED) == "backordered"
    found = retried(again)  # stock has come
    way.planned(found)
    way.told(found)
    assert way.answered(an_instruction(found), WmsEventKind.SHIPPED) == "shipped"


def test_review_ends_with_a_later_decision_and_comes_back(session: BookSession, look: Look) -> None:
    way, planned = Way(session, look), a_planned_order()
    way.planned(planned)
    assert way.review(planned, "sku-unknown") == "review"
    released = retried(planned)
    assert way.planned(released) == "planned"
    assert way.told(released) == "routed"
    assert way.review(released, "wms-address") == "review"  # of the same revision: the warehouse has looked at it
    assert look.order(planned.order.uid)["review_codes"] == ["wms-address"]


def test_an_older_state_that_comes_to_review_later_is_not_what_is_looked_at(session: BookSession, look: Look) -> None:
    way, older = Way(session, look), a_planned_order()
    newer = a_planned_order(an_order(modified_at=NOON + timedelta(hours=1)))
    way.planned(newer)
    way.review(newer, "no-rule")
    assert way.review(older, "sku-unknown") == "review"
    row = look.order(older.order.uid)
    assert (row["review_revision"], row["review_codes"]) == (newer.order.revision, ["no-rule"])


def test_who_has_seen_a_change_that_came_too_late_is_not_asked_again(session: BookSession, look: Look) -> None:
    way, planned = Way(session, look), a_planned_order()
    uid = planned.order.uid
    way.planned(planned)
    way.told(planned)
    way.answered(an_instruction(planned), WmsEventKind.SHIPPED)
    assert way.review(planned, "change-too-late") == "review"
    decided = Decided(
        decision_id="1",
        order_uid=uid,
        kind=DecisionKind.SETTLE_FLAG,
        who="li",
        at=NOON,
        revision=planned.order.revision,
    )
    refused = changed(decided, decision_id="2", code=DecisionRefusal.BUSY)
    assert way.decided(refused) == "review"
    assert way.decided(decided) == "shipped"
    later = a_planned_order(an_order(modified_at=NOON + timedelta(hours=1)))
    way.planned(later)
    assert way.review(later, "change-too-late") == "review"  # another change


def test_a_state_that_the_platform_repeats_changes_nothing(session: BookSession, look: Look) -> None:
    """It has a greater revision, and no stage answers it: what was decided of that state before goes on to hold."""
    way, planned = Way(session, look), a_planned_order()
    way.planned(planned)
    way.told(planned)
    released = retried(planned)
    again = changed(planned, order=changed(planned.order, revision=_received_later(planned.order.revision)))
    assert again.order.revision > released.order.revision
    assert way.planned(again) == "routed"
    assert way.planned(released) == "planned"
    assert way.backordered(released) == "backordered"
    assert way.planned(retried(released, Disposition.RELEASE)) == "cancelled"


def _received_later(revision: str) -> str:
    stamp, rank, received, digest = revision.split(".")
    return f"{stamp}.{rank}.{int(received) + 60_000:014d}.{digest}"


def test_a_cancelled_order_is_looked_at_when_its_goods_may_have_left(session: BookSession, look: Look) -> None:
    way, planned = Way(session, look), a_planned_order()
    way.planned(planned)
    way.told(planned)
    order = a_cancelled_order(modified_at=NOON + timedelta(hours=1))
    cancelled = a_planned_order(order, a_plan(disposition=Disposition.RELEASE))
    assert way.planned(cancelled) == "cancelled"
    assert way.told(cancelled, kind="cancel") == "cancelled"
    assert look.rows("shipments")[0]["state"] == "cancelling"
    assert way.review(cancelled, "deleted-after-told") == "review"
    way.answered(an_instruction(cancelled, kind="cancel"), WmsEventKind.CANCELLED)
    assert look.rows("shipments")[0]["state"] == "cancelled"


def test_what_waits_says_for_what(session: BookSession, look: Look) -> None:
    topics, later = Topics(), NOON + timedelta(days=9)
    sold_ahead = a_planned_order(an_order("1"), a_plan("hangzhou", disposition=Disposition.DEFER))
    short = a_planned_order(an_order("2"))
    topics.add(ORDERS_PLANNED, sold_ahead.order.uid, sold_ahead)
    topics.add(ORDERS_DEFERRED, sold_ahead.order.uid, DeferredOrder(planned=sold_ahead, not_before=later))
    request = TransferRequest(
        transfer_id="t-1",
        order_uid=short.order.uid,
        revision=short.order.revision,
        to_warehouse="hangzhou",
        quantities={"NUT-BOX-500": 1},
    )
    topics.add(ORDERS_PLANNED, short.order.uid, short)
    topics.add(TRANSFERS_REQUESTED, short.order.uid, request)
    session.write(topics.messages)
    assert [(row["stage"], row["not_before"]) for row in look.rows("orders")] == [
        ("deferred", later),
        ("transfer", None),
    ]
    assert [row["quantities"] for row in look.rows("transfers")] == [{"NUT-BOX-500": 1}]


def test_stock_that_an_order_holds(session: BookSession, look: Look) -> None:
    topics, uid = Topics(), a_planned_order().order.uid
    for sequence, kind in ((8, InventoryEventKind.EXPIRED), (7, InventoryEventKind.HELD)):
        event = InventoryEvent(
            event_id=f"hangzhou/{sequence}",
            sequence=sequence,
            warehouse_id="hangzhou",
            kind=kind,
            at=NOON,
            changes=(),
            order_uid=uid,
            state=kind.value,
        )
        topics.add(INVENTORY_EVENTS, "hangzhou", event)
    began = InventoryEvent(
        event_id="hangzhou/9",
        sequence=9,
        warehouse_id="hangzhou",
        kind=InventoryEventKind.BEGAN_ANEW,
        at=NOON,
        changes=(),
    )
    topics.add(INVENTORY_EVENTS, "hangzhou", began)
    session.write(topics.messages)
    [shipment] = look.rows("shipments")
    assert (shipment["state"], shipment["stock_sequence"]) == ("expired", 8)
    assert [row["began_sequence"] for row in look.rows("warehouses")] == [9]


def test_a_decision_and_what_became_of_it(session: BookSession, look: Look) -> None:
    topics, uid = Topics(), a_planned_order().order.uid
    correction = Correction(receiver=ReceiverCorrection(name="秘密-name", street="秘密-street"))
    for number, code in enumerate((None, DecisionRefusal.NO_STOCK, None)):
        decision = Decision(
            decision_id=f"d-{number}",
            order_uid=uid,
            kind=DecisionKind.CORRECT,
            who="lin",
            at=NOON + timedelta(minutes=number),
            why="秘密-why",
            correction=correction,
        )
        topics.add(ORDERS_DECISIONS, uid, decision)
        answer = Decided(
            decision_id=decision.decision_id, order_uid=uid, kind=decision.kind, who="lin", at=decision.at, code=code
        )
        if number < 2:
            topics.add(ORDERS_DECIDED, uid, answer)
    session.write(topics.messages)
    assert [(row["state"], row["refusal"]) for row in look.rows("decisions")] == [
        ("done", None),
        ("refused", "no-stock"),
        ("pending", None),
    ]
    assert "秘密" not in str(look.everything())


def test_a_dead_letter(session: BookSession, look: Look) -> None:
    topics = Topics()
    letter = DeadLetter(
        letter_id="orders.raw.taobao/3/17",
        stage="normalize",
        reason="bad-money",
        failures=(Failure(attempt="trade", where="payment", problem="no amount"),),
        topic="orders.raw.taobao",
        partition=3,
        offset=17,
        key="taobao:tea-house:1001",
        headers={},
        payload_base64="",
    )
    topics.add(ORDERS_QUARANTINED, letter.key, letter)
    topics.add(ORDERS_QUARANTINED, "digest:00", changed(letter, letter_id="orders.raw.taobao/3/18", key="digest:00"))
    session.write(topics.messages)
    assert [row["order_uid"] for row in look.rows("dead_letters")] == ["taobao:tea-house:1001", None]


# -- bad input -----------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_noted_and_the_rest_goes_on(session: BookSession, look: Look) -> None:
    topics, planned = Topics(), a_planned_order()
    uid = planned.order.uid
    topics.add(ORDERS_PLANNED, uid, b"{no json")
    topics.add(ORDERS_PLANNED, uid, changed(planned, order=changed(planned.order, uid="no order's")))
    topics.add(ORDERS_PLANNED, uid, planned)
    session.write(topics.messages)
    assert [(row["record_offset"], row["reason"]) for row in look.rows("skipped")] == [
        (0, "unreadable"),
        (1, "unreadable"),
    ]
    assert [row["uid"] for row in look.rows("orders")] == [uid]
    assert set(session.places().values()) == {3}


def test_what_postgresql_cannot_hold_is_cleaned_or_left_out(session: BookSession, look: Look) -> None:
    topics = Topics()
    good = [a_planned_order(an_order(str(number))) for number in range(1, 8)]
    for planned in good:
        topics.add(ORDERS_PLANNED, "k", planned)
    zero = an_order("0\0x", lines=(changed(good[0].order.lines[0], sku="A\0B", title="\0"),))
    topics.add(ORDERS_PLANNED, "k", a_planned_order(zero))
    too_long = an_order("9", lines=(changed(good[0].order.lines[0], quantity=10**30),))
    topics.add(ORDERS_PLANNED, "k", a_planned_order(too_long))
    session.write(topics.messages)
    rows = {row["platform_order_id"]: row for row in look.rows("orders")}
    assert sorted(rows) == ["0\ufffdx", *map(str, range(1, 8)), "9"]
    assert rows["0\ufffdx"]["skus"] == ["A\ufffdB"]
    assert rows["9"]["units"] == 2**63 - 1
    assert look.rows("skipped") == []


def test_no_name_street_or_word_of_a_buyer_is_in_the_book(session: BookSession, look: Look) -> None:
    topics = Topics()
    secrets = {
        name: f"秘密-{name}" for name in ("town", "street", "name", "phone", "postcode", "token", "receiver_key")
    }
    ship_to = changed(an_order().ship_to, **secrets)
    order = an_order(ship_to=ship_to, buyer_remark="秘密-remark", seller_memo="秘密-memo", buyer_key="秘密-key")
    planned = a_planned_order(order)
    old = changed(planned, plan=changed(planned.plan, explanation=None, reason="秘密-reason"))
    instruction = changed(an_instruction(planned), buyer_remark="秘密-remark", seller_memo="秘密-memo")
    event = changed(a_wms_event(instruction, "shipped"), tracking_number="秘密-number")
    topics.add(ORDERS_PLANNED, order.uid, planned)
    topics.add(ORDERS_REVIEW, order.uid, to_review(old, "sku-unknown", PlanReason.NO_RULE()))
    topics.add(ORDERS_DEFERRED, order.uid, DeferredOrder(planned=planned, not_before=None))
    topics.add(ORDERS_BACKORDERED, order.uid, Backorder(planned=planned, missing={}))
    topics.add(ORDERS_ROUTED, order.uid, instruction, member="hangzhou")
    topics.add(WMS_EVENTS, order.uid, event)
    assert all("秘密".encode() in message.payload for message in topics.messages)
    session.write(topics.messages)
    everything = str(look.everything())
    assert order.uid in everything
    assert "浙江省" in everything
    assert "秘密" not in everything

"""Random ways of orders through the topics: what stages, warehouses and the ledger might say of them."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import count

from schemas.codes import PlanReason
from schemas.dead_letter import DeadLetter
from schemas.decision import Decided, Decision, DecisionKind, DecisionRefusal
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEventKind
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.order import OrderStatus
from schemas.plan import Backorder, DeferredOrder, Disposition, PlannedOrder, TransferRequest, to_review
from schemas.record import changed
from schemas.revision import received, retry_of
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
from tests.builders import NOON, a_flag, a_line, a_plan, a_planned_order, a_wms_event, an_order
from tests.workers.book.records import Message, Topics

WAREHOUSES = ("hangzhou", "chengdu", "shanghai-cold")
_CODES = ("sku-unknown", "gift-missing", "wms-address", "partly-shipped")
_DISPOSITIONS = (*[Disposition.RESERVE] * 5, Disposition.REVIEW, Disposition.DEFER, Disposition.RELEASE)


def an_instruction(
    planned: PlannedOrder, warehouse_id: str = "hangzhou", kind: str = "fulfil", parcels: int = 1
) -> FulfillmentInstruction:
    """What a warehouse is told of an order."""
    order = planned.order
    return FulfillmentInstruction(
        instruction_id=f"{order.uid}@{order.revision}/{warehouse_id}/{kind}",
        kind=InstructionKind(kind),
        order_uid=order.uid,
        revision=order.revision,
        warehouse_id=warehouse_id,
        channel=order.channel,
        shop_id=order.shop_id,
        platform_order_id=order.platform_order_id,
        purchased=(),
        gifts=(),
        ship_to=order.ship_to,
        placed_at=order.placed_at,
        parcels=parcels,
    )


class Story:
    """Some orders, from a seed."""

    def __init__(self, seed: int, orders: int) -> None:
        self._random = random.Random(seed)
        self._topics = Topics()
        self._sequences = {warehouse: count(1) for warehouse in WAREHOUSES}
        self._clock = NOON
        for number in range(orders):
            self._tell(f"{number}")

    @property
    def messages(self) -> list[Message]:
        """As they were written."""
        return self._topics.messages

    def _now(self) -> datetime:
        self._clock += timedelta(milliseconds=self._random.choice((0, 1, 900, 60_000)))
        return self._clock

    def _tell(self, number: str) -> None:
        shop = self._random.choice(("tea-house", "coffee-bar"))
        for state in range(self._random.randint(1, 3)):
            order = an_order(
                number,
                shop_id=shop,
                modified_at=NOON + timedelta(minutes=state),
                placed_at=NOON + timedelta(seconds=self._random.randint(0, 9)),
                status=self._random.choice((OrderStatus.TO_SHIP, OrderStatus.SHIPPED)),
                lines=(a_line(self._random.choice(("A", "B", "C")), self._random.randint(1, 3)),),
            )
            plan = a_plan(*self._random.sample(WAREHOUSES, 2), disposition=self._random.choice(_DISPOSITIONS))
            planned = a_planned_order(order, plan, flags=(a_flag(),) if self._random.random() < 0.3 else ())
            self._pass(planned)
            if self._random.random() < 0.3:  # the platform repeats the state
                later = changed(order, revision=received(order.revision, NOON + timedelta(hours=1)))
                self._planned(changed(planned, order=later))
            for _ in range(self._random.choice((0, 0, 1, 2))):
                again = changed(planned.order, revision=retry_of(planned.order.revision))
                planned = changed(planned, order=again)
                self._pass(planned)

    def _planned(self, planned: PlannedOrder) -> None:
        for _ in range(self._random.choice((1, 1, 1, 2))):  # a worker died before it could acknowledge
            self._topics.add(ORDERS_PLANNED, planned.order.uid, planned, self._now())

    def _pass(self, planned: PlannedOrder) -> None:
        self._planned(planned)
        disposition, uid = planned.plan.disposition, planned.order.uid
        if disposition is Disposition.REVIEW:
            self._review(planned)
        elif disposition is Disposition.DEFER:
            self._topics.add(ORDERS_DEFERRED, uid, DeferredOrder(planned=planned, not_before=self._now()), self._now())
        elif disposition is Disposition.RESERVE:
            self._random.choice((self._route, self._route, self._wait, self._transfer))(planned)

    def _review(self, planned: PlannedOrder) -> None:
        held = to_review(planned, self._random.choice(_CODES), PlanReason.NO_RULE())
        self._topics.add(ORDERS_REVIEW, planned.order.uid, held, self._now())

    def _wait(self, planned: PlannedOrder) -> None:
        short = Backorder(planned=planned, missing={"A": self._random.randint(1, 3)})
        self._topics.add(ORDERS_BACKORDERED, planned.order.uid, short, self._now())

    def _transfer(self, planned: PlannedOrder) -> None:
        order = planned.order
        request = TransferRequest(
            transfer_id=f"{order.uid}@{order.revision}",
            order_uid=order.uid,
            revision=order.revision,
            to_warehouse="hangzhou",
            quantities={"A": 1},
        )
        self._topics.add(TRANSFERS_REQUESTED, order.uid, request, self._now())

    def _route(self, planned: PlannedOrder) -> None:
        uid, warehouses = planned.order.uid, self._random.sample(WAREHOUSES, self._random.choice((1, 1, 2)))
        for warehouse in warehouses:
            kind = self._random.choice(("fulfil", "fulfil", "change", "cancel"))
            told = an_instruction(planned, warehouse, kind, len(warehouses))
            self._topics.add(ORDERS_ROUTED, uid, told, self._now(), warehouse)
            self._stock(told)
            for said in self._random.sample(list(WmsEventKind), self._random.randint(0, 3)):
                event = a_wms_event(told, said, at=self._now())
                for _ in range(self._random.choice((1, 1, 2))):
                    self._topics.add(WMS_EVENTS, uid, event, self._now())
            if self._random.random() < 0.2:
                self._review(planned)
                self._decide(planned)
        if self._random.random() < 0.1:
            self._set_aside(planned)

    def _stock(self, told: FulfillmentInstruction) -> None:
        sequence = next(self._sequences[told.warehouse_id])
        anew = self._random.random() < 0.05
        event = InventoryEvent(
            event_id=f"{told.warehouse_id}/{sequence}",
            sequence=sequence,
            warehouse_id=told.warehouse_id,
            kind=InventoryEventKind.BEGAN_ANEW if anew else self._random.choice(list(InventoryEventKind)[:5]),
            at=self._now(),
            changes=(),
            order_uid="" if anew else told.order_uid,
            revision="" if anew else told.revision,
            state="" if anew else self._random.choice(("held", "committed", "allocated", "released")),
        )
        self._topics.add(INVENTORY_EVENTS, told.warehouse_id, event, self._now())

    def _decide(self, planned: PlannedOrder) -> None:
        uid, number = planned.order.uid, self._random.randint(1, 3)
        decision = Decision(
            decision_id=f"{uid}/{number}",
            order_uid=uid,
            kind=DecisionKind.RELEASE,
            who="lin",
            at=NOON,
            why="the buyer asked",
        )
        answer = Decided(
            decision_id=decision.decision_id,
            order_uid=uid,
            kind=decision.kind,
            who=decision.who,
            at=NOON,
            code=self._random.choice((None, DecisionRefusal.NO_STOCK)),
            revision=planned.order.revision,
        )
        for _ in range(self._random.choice((1, 2))):
            self._topics.add(ORDERS_DECISIONS, uid, decision, self._now())
            self._topics.add(ORDERS_DECIDED, uid, answer, self._now())

    def _set_aside(self, planned: PlannedOrder) -> None:
        letter = DeadLetter(
            letter_id=f"orders.planned/1/{planned.order.uid}",  # one letter is about one record, of one key
            stage="reserve",
            reason=self._random.choice(("bug", "unreadable")),
            failures=(),
            topic="orders.planned",
            partition=1,
            offset=0,
            key=planned.order.uid,
            headers={},
            payload_base64="",
        )
        self._topics.add(ORDERS_QUARANTINED, planned.order.uid, letter, self._now())
        self._topics.add(ORDERS_PLANNED, planned.order.uid, b"{", self._now())

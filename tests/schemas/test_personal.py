"""What counts as personal is what a record keeps out of its repr."""

from __future__ import annotations

from schemas.fulfillment import FulfillmentInstruction
from schemas.inventory import InventoryEvent
from schemas.order import Order, Privacy
from schemas.personal import personal_fields, without_personal
from schemas.plan import DeferredOrder
from schemas.record import encode
from schemas.topics import TOPICS
from tests.builders import a_planned_order, a_ship_to, an_order

MARK = "张三-marker"


def test_the_fields_of_a_person_are_found_at_every_depth() -> None:
    assert {"ship_to.name", "ship_to.phone", "buyer_remark"} <= set(personal_fields(Order))
    assert "planned.order.ship_to.street" in personal_fields(DeferredOrder)
    assert "ship_to.token" in personal_fields(FulfillmentInstruction)
    assert personal_fields(InventoryEvent) == ()


def test_without_them_an_order_ships_the_same_goods_to_nobody() -> None:
    receiver = a_ship_to(name=MARK, phone=MARK, street=MARK, town=MARK, postcode=MARK, token=MARK, receiver_key=MARK)
    planned = a_planned_order(an_order("1", ship_to=receiver, buyer_remark=MARK, seller_memo=MARK))

    emptied = without_personal(planned)

    assert MARK in encode(planned).decode()
    assert MARK not in encode(emptied).decode()
    assert emptied.order.lines == planned.order.lines
    assert emptied.order.ship_to.privacy is Privacy.MISSING
    assert emptied.order.ship_to.province == planned.order.ship_to.province
    assert without_personal(emptied) == emptied


def test_every_topic_that_carries_a_receiver_is_seen() -> None:
    carrying = {topic.base for topic in TOPICS if topic.model and personal_fields(topic.model)}

    assert carrying >= {"orders.planned", "orders.routed", "orders.deferred", "wms.events"}

"""Sales for tests, and how each channel writes them."""

from __future__ import annotations

from ops.testbed.simulators.payloads.order_objects import ORDER_OF
from ops.testbed.simulators.places import PLACES
from ops.testbed.simulators.sale import Item, Sale, Stage

__all__ = ["ORDER_OF", "a_sale"]


def a_sale(items: list[Item], *, channel: str = "taobao", stage: Stage = Stage.PAID) -> Sale:
    """A sale of a buyer in Hangzhou."""
    return Sale(
        channel=channel,
        shop_id="shop",
        order_id="1",
        serial=1,
        story="",
        expected=(),
        items=items,
        place=PLACES[0][0],
        buyer=1,
        stage=stage,
    )

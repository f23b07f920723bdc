"""Sales for tests, and how each channel writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops.simulators.payloads import douyin, jd, pinduoduo, shopify, taobao, woocommerce
from ops.simulators.places import PLACES
from ops.simulators.sale import Item, Sale, Stage

ORDER_OF: dict[str, Callable[[Sale], dict[str, Any]]] = {
    "taobao": taobao.trade,
    "pinduoduo": pinduoduo.order_info,
    "douyin": douyin.shop_order,
    "jd": jd.order_info,
    "woocommerce": woocommerce.order,
    "shopify": shopify.order,
}


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

"""How each channel writes an order object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import orjson

from ops.testbed.simulators.payloads import douyin, jd, pinduoduo, shopify, taobao, woocommerce
from ops.testbed.simulators.payloads.writing import Json
from ops.testbed.simulators.sale import Sale

ORDER_OF: Final[Mapping[str, Callable[[Sale], Json]]] = {
    "taobao": taobao.trade,
    "pinduoduo": pinduoduo.order_info,
    "douyin": douyin.shop_order,
    "jd": jd.order_info,
    "woocommerce": woocommerce.order,
    "shopify": shopify.order,
}


def order_object(sale: Sale) -> bytes:
    """The whole order object as its platform would give it now."""
    return orjson.dumps(ORDER_OF[sale.channel](sale))

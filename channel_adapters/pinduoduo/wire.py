"""What we read of a Pinduoduo order (open platform docs: pdd.order.information.get). All other fields are ignored.

Amounts are yuan, as JSON numbers on the wire and as text in the docs; statuses are numbers, and come as text, too.
Times are Beijing text, "" while it has not happened. What is marked `Loose` decides nothing: it is left out when odd.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field, StrictFloat, StrictStr

from channel_adapters.fields import (
    Count,
    Key,
    Lines,
    Loose,
    Number,
    NumberOrText,
    NumberStatus,
    Reference,
    Rows,
    Wire,
    Word,
)

# The likely type first: weighing both takes twice the time. A whole number is read as 29.0, which is exact up to 2^53.
Money = Annotated[StrictFloat | StrictStr, Field(union_mode="left_to_right")]


class Item(Wire):
    """A line of the order. It has no id of its own: order and sku name it."""

    goods_id: Reference | None = None
    sku_id: Reference | None = None
    outer_id: Word = None
    goods_name: Loose[Word] = None
    goods_price: Money
    goods_count: Count


class FullItem(Item):
    """A line of the detail answer."""

    sku_id: Reference
    outer_id: Word


class Gift(Wire):
    """A gift; with an `order_sn` of its own it ships with that order. Empty ones stand for "no gift"."""

    goods_id: Loose[Reference] = None
    sku_id: Loose[Reference] = None
    outer_id: Loose[Word] = None
    goods_name: Loose[Word] = None
    goods_price: Loose[Money] = None
    goods_count: Loose[Count] = None
    order_sn: Loose[Word] = None


class ServiceFee(Wire):
    """A paid service, such as the carrier the buyer chose."""

    service_fee: Loose[Money] = None


class OrderTag(Wire):
    """A tag of the order: 1 = it has it."""

    name: Number
    value: Loose[NumberOrText] = None


class PromotionDetail(Wire):
    """An activity; its amount is already inside the order's discounts."""

    promotion_type: Loose[Number] = None


class RelatedOrder(Wire):
    """Another order of the same purchase."""

    order_sn: Key
    relation_type: Loose[NumberOrText] = None


class StepOrderInfo(Wire):
    """How far a presale with a deposit is paid."""

    step_trade_status: NumberStatus
    advanced_paid_fee: Loose[Money] = None


class WarePart(Wire):
    """One ware of a bundle, and how many pieces of it each bundle has."""

    ware_sn: Loose[Word] = None
    ware_name: Loose[Word] = None
    ware_quantity: Loose[Count] = None


class DepotInfo(Wire):
    """What the platform's warehouse module knows of the goods."""

    ware_sub_info_list: Loose[Rows[WarePart]] = None


AnItem = TypeVar("AnItem", bound=Item)


class AnyOrder(Wire, Generic[AnItem]):
    """An order, with its lines as `AnItem`."""

    order_sn: Key
    order_status: NumberStatus
    refund_status: NumberStatus
    confirm_status: NumberStatus = None
    group_status: NumberStatus = None
    risk_control_status: NumberStatus = None
    trade_type: NumberOrText | None = None
    is_pre_sale: NumberOrText | None = None
    is_lucky_flag: Loose[NumberOrText] = None
    is_stock_out: Loose[NumberOrText] = None
    free_sf: Loose[NumberOrText] = None
    delivery_one_day: Loose[NumberOrText] = None
    gift_order_status: Loose[NumberOrText] = None
    created_time: Number
    updated_at: Number
    pay_time: Word = None
    confirm_time: Word = None
    last_ship_time: Loose[Word] = None
    pre_sale_time: Word = None
    pay_amount: Money
    discount_amount: Loose[Money] = None
    platform_discount: Loose[Money] = None
    seller_discount: Loose[Money] = None
    capital_free_discount: Loose[Money] = None
    postage: Loose[Money] = None
    service_fee_detail: Loose[Rows[ServiceFee]] = None
    promotion_detail_list: Loose[Rows[PromotionDetail]] = None
    step_order_info: Loose[StepOrderInfo] = None
    item_list: Lines[AnItem]
    gift_list: Loose[Rows[Gift]] = None
    related_order_list: Loose[Rows[RelatedOrder]] = None
    order_tag_list: Loose[Rows[OrderTag]] = None
    order_depot_info: Loose[DepotInfo] = None
    province: Loose[Word] = None
    city: Loose[Word] = None
    town: Loose[Word] = None
    receiver_name: Loose[Word] = None
    receiver_phone: Loose[Word] = None
    receiver_address: Loose[Word] = None
    address: Loose[Word] = None
    contact_mobile: Loose[Word] = None
    receiver_name_mask: Loose[Word] = None
    receiver_phone_mask: Loose[Word] = None
    receiver_address_mask: Loose[Word] = None
    open_address_id: Loose[Word] = None
    open_address_id_2: Loose[Word] = None
    buyer_memo: Loose[Word] = None
    remark: Loose[Word] = None
    remark_tag: Loose[NumberOrText] = None
    cat_id_1: Loose[Number] = None
    cat_id_2: Loose[Number] = None
    cat_id_3: Loose[Number] = None
    cat_id_4: Loose[Number] = None
    bonded_warehouse: Loose[Word] = None


class FullOrder(AnyOrder[FullItem]):
    """The detail answer and the rows of today's lists: all that decides whether it may ship is there."""

    confirm_status: NumberStatus
    group_status: NumberStatus
    risk_control_status: NumberStatus


class LeanOrder(AnyOrder[Item]):
    """A row of an older or poorer list: `confirm_time` says whether the deal is made."""


Order = FullOrder | LeanOrder


class OrderId(Wire):
    """Just enough of an order to key it."""

    order_sn: Key
    updated_at: Any = None


class Ending(Wire):
    """Just enough of an order to know that it is over."""

    order_sn: Key
    updated_at: Number
    order_status: Any = None
    refund_status: Any = None
    confirm_status: Any = None
    group_status: Any = None

"""What we read of a Pinduoduo order (open platform docs: pdd.order.information.get). All other fields are ignored.

Amounts are yuan, as JSON numbers on the wire and as text in the docs. Times are Beijing text, "" while it has not
happened.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

_IN_TURN = Field(union_mode="left_to_right")  # the likely type first: weighing all of them takes twice the time

Id = Annotated[StrictInt | StrictStr, _IN_TURN]
Money = Annotated[StrictFloat | StrictStr, _IN_TURN]  # a whole number is read as 29.0, which is exact up to 2^53


class Wire(BaseModel):
    """Validated straight from bytes, never changed."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Item(Wire):
    """A line of the order. It has no id of its own: order and sku name it."""

    goods_id: Id | None = None
    sku_id: Id | None = None
    outer_id: str | None = None
    goods_name: str | None = None
    goods_price: Money
    goods_count: Annotated[int, Field(le=1_000_000)]


class FullItem(Item):
    """A line of the detail answer."""

    sku_id: Id
    outer_id: str | None


class Gift(Item):
    """A gift; with an `order_sn` of its own it ships with that order."""

    goods_price: Money = 0
    order_sn: str | None = None


class ServiceFee(Wire):
    """A paid service, such as the carrier the buyer chose."""

    service_name: str | None = None
    service_fee: Money | None = None


class OrderTag(Wire):
    """A tag of the order: 1 = it has it."""

    name: str
    value: int | None = None


class PromotionDetail(Wire):
    """An activity; its amount is already inside the order's discounts."""

    promotion_type: Id | None = None


class RelatedOrder(Wire):
    """Another order of the same purchase."""

    order_sn: str
    relation_type: int | None = None


class StepOrderInfo(Wire):
    """How far a presale with a deposit is paid."""

    step_trade_status: int
    advanced_paid_fee: Money | None = None


AnItem = TypeVar("AnItem", bound=Item)


class AnyOrder(Wire, Generic[AnItem]):
    """An order, with its lines as `AnItem`."""

    order_sn: str = Field(min_length=1)
    order_status: int
    refund_status: int
    confirm_status: int | None = None
    group_status: int | None = None
    risk_control_status: int | None = None
    trade_type: int | None = None
    is_pre_sale: int | None = None
    is_lucky_flag: int | None = None
    is_stock_out: int | None = None
    free_sf: int | None = None
    delivery_one_day: int | None = None
    gift_order_status: int | None = None
    created_time: str
    updated_at: str
    pay_time: str | None = None
    confirm_time: str | None = None
    last_ship_time: str | None = None
    pre_sale_time: str | None = None
    pay_amount: Money
    discount_amount: Money | None = None
    platform_discount: Money | None = None
    seller_discount: Money | None = None
    capital_free_discount: Money | None = None
    postage: Money | None = None
    service_fee_detail: list[ServiceFee] | None = None
    promotion_detail_list: list[PromotionDetail] | None = None
    step_order_info: StepOrderInfo | None = None
    item_list: list[AnItem]
    gift_list: list[Gift] | None = None
    related_order_list: list[RelatedOrder] | None = None
    order_tag_list: list[OrderTag] | None = None
    province: str | None = None
    city: str | None = None
    town: str | None = None
    receiver_name: str | None = None
    receiver_phone: str | None = None
    receiver_address: str | None = None
    address: str | None = None
    contact_mobile: str | None = None
    receiver_name_mask: str | None = None
    receiver_phone_mask: str | None = None
    receiver_address_mask: str | None = None
    open_address_id: str | None = None
    open_address_id_2: str | None = None
    buyer_memo: str | None = None
    remark: str | None = None
    remark_tag: int | None = None
    cat_id_1: Id | None = None
    cat_id_2: Id | None = None
    cat_id_3: Id | None = None
    cat_id_4: Id | None = None
    bonded_warehouse: str | None = None


class FullOrder(AnyOrder[FullItem]):
    """The detail answer and the rows of today's lists: all that decides whether it may ship is there."""

    confirm_status: int
    group_status: int
    risk_control_status: int
    postage: Money
    discount_amount: Money


class LeanOrder(AnyOrder[Item]):
    """A row of an older or poorer list: `confirm_time` says whether the deal is made."""


Order = FullOrder | LeanOrder


class OrderId(Wire):
    """Just enough of an order to key it."""

    order_sn: str = Field(min_length=1)
    updated_at: str | None = None

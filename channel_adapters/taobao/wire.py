"""What we read of a Taobao trade (TOP API metadata: taobao.trade.fullinfo.get). All other fields are ignored.

Absent and null mean the same: a field comes back only when it was asked for, and is left out until it happens.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

_IN_TURN = Field(union_mode="left_to_right")  # the likely type first: weighing all of them takes twice the time

Id = Annotated[StrictInt | StrictStr, _IN_TURN]
Money = Annotated[StrictStr | StrictInt | StrictFloat, _IN_TURN]
Flag = Annotated[StrictBool | StrictInt | StrictStr | None, _IN_TURN]

T = TypeVar("T")
Listed = Annotated[list[T] | T | None, Field(union_mode="left_to_right")]
"""The platform is loose about lists: one element may stand alone, and none may be null or missing."""


class Wire(BaseModel):
    """Validated straight from bytes, never changed."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SubOrder(Wire):
    """One line of the trade. The lean form: its own status and its share of the payment may be missing."""

    oid: Id | None = None
    oid_str: str | None = None
    num_iid: Id | None = None
    outer_iid: str | None = None
    sku_id: Id | None = None
    outer_sku_id: str | None = None
    title: str | None = None
    price: Money
    num: Annotated[int, Field(le=1_000_000)]
    discount_fee: Money | None = None
    divide_order_fee: Money | None = None
    status: str | None = None
    refund_status: str | None = None
    consign_time: str | None = None
    invoice_no: str | None = None
    is_free_gift: Flag = None
    gift_mids: Id | list[Id] | None = None
    is_service_order: Flag = None
    is_oversold: Flag = None
    inv_type: Id | None = None
    store_code: str | None = None
    f_type: str | None = None
    timing_promise: str | None = None
    promise_service: str | None = None
    estimate_con_time: str | None = None


class FullSubOrder(SubOrder):
    """One line of the detail answer."""

    divide_order_fee: Money
    status: str


class SubOrders(Wire):
    """TOP wraps each list into an object with one key."""

    order: Listed[SubOrder] = None


class FullSubOrders(Wire):
    """The lines of the detail answer."""

    order: list[FullSubOrder]


class PromotionDetail(Wire):
    """A discount, or a gift that is only announced in words (gift_item_name)."""

    promotion_name: str | None = None
    promotion_id: str | None = None
    discount_fee: Money | None = None
    gift_item_name: str | None = None
    gift_item_id: Id | None = None
    gift_item_num: Id | None = None


class PromotionDetails(Wire):
    """The promotions of the trade."""

    promotion_detail: Listed[PromotionDetail] = None


class ServiceTag(Wire):
    """A logistics service word, such as `lgType=-4;key=value`."""

    service_tag: str | None = None
    service_type: str | None = None


class ServiceTagList(Wire):
    """The service words of one line."""

    logistic_service_tag: Listed[ServiceTag] = None


class LogisticsTag(Wire):
    """The service words, and the line (oid) or trade they belong to."""

    order_id: Id | None = None
    logistic_service_tag_list: ServiceTagList | None = None


class ServiceTags(Wire):
    """The logistics services of the trade."""

    logistics_tag: Listed[LogisticsTag] = None


L = TypeVar("L", bound=SubOrders | FullSubOrders | None)


class AnyTrade(Wire, Generic[L]):
    """A trade, with its lines as `L`."""

    tid: Id | None = None
    tid_str: str | None = None
    status: str
    type: str | None = None
    payment: Money
    discount_fee: Money | None = None
    post_fee: Money | None = None
    created: str
    modified: str
    pay_time: str | None = None
    timeout_action_time: str | None = None
    est_con_time: str | None = None
    delivery_time: str | None = None
    buyer_open_uid: str | None = None
    buyer_message: str | None = None
    seller_memo: str | None = None
    seller_flag: int | None = None
    receiver_name: str | None = None
    receiver_state: str | None = None
    receiver_city: str | None = None
    receiver_district: str | None = None
    receiver_town: str | None = None
    receiver_address: str | None = None
    receiver_zip: str | None = None
    receiver_mobile: str | None = None
    receiver_phone: str | None = None
    oaid: str | None = None
    top_hold: Flag = None
    team_buy_hold: Flag = None
    share_group_hold: Flag = None
    ofp_hold: Flag = None
    delay_create_delivery: Flag = None
    step_trade_status: str | None = None
    step_paid_fee: Money | None = None
    promotion_details: PromotionDetails | None = None
    service_tags: ServiceTags | None = None
    is_gift: Flag = None
    scenario_group: str | None = None
    txp_receive_method: str | None = None
    new_presell: Flag = None
    general_new_presell: Flag = None
    orders: L


class FullTrade(AnyTrade[FullSubOrders]):
    """The detail answer: each line says where it stands and what was paid for it."""


class ListTrade(AnyTrade[SubOrders | None]):
    """A list row, or a detail that was asked for few fields: a line may leave it to the trade."""


Trade = FullTrade | ListTrade


class TradeId(Wire):
    """Just enough of a trade to key it."""

    tid: Id | None = None
    tid_str: str | None = None
    modified: str | None = None

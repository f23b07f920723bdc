"""What we read of a Taobao trade (TOP API metadata: taobao.trade.fullinfo.get). All other fields are ignored.

Absent and null mean the same: a field comes back only when it was asked for, and is left out until it happens.
Nearly all is text; a number in its place is read as text, only more slowly.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from channel_adapters.fields import Count, Flag, Lines, Loose, Number, Rows, TextAmount, TextStatus, Wire, Word
from channel_adapters.msgspec_fast_path import TypePreservingValidator


class SubOrder(Wire):
    """One line of the trade. The lean form: its own status and its share of the payment may be missing.

    Ids stand twice, as number and as text: one good form is enough, see lines.id_of.
    """

    oid: Any = None
    oid_str: Any = None
    num_iid: Any = None
    outer_iid: Word = None
    sku_id: Loose[Word] = None
    outer_sku_id: Word = None
    title: Loose[Word] = None
    price: TextAmount
    num: Count
    discount_fee: Loose[TextAmount] = None
    divide_order_fee: TextAmount | None = None
    status: TextStatus = None
    refund_status: TextStatus = None
    consign_time: Loose[Word] = None
    invoice_no: Loose[Word] = None
    is_free_gift: Flag = None
    gift_mids: Any = None
    is_service_order: Flag = None
    is_oversold: Flag = None
    combine_item_info: Any = None
    inv_type: Loose[Word] = None
    store_code: Loose[Word] = None
    f_type: Loose[Word] = None
    timing_promise: Loose[Word] = None
    promise_service: Loose[Word] = None
    estimate_con_time: Loose[Word] = None


class FullSubOrder(SubOrder):
    """One line of the detail answer."""

    divide_order_fee: TextAmount
    status: TextStatus


class SubOrders(Wire):
    """TOP wraps each list into an object with one key, and leaves the key of an empty list out."""

    order: Lines[SubOrder] = Field(default_factory=list)


class FullSubOrders(Wire):
    """The lines of the detail answer."""

    order: Lines[FullSubOrder] = Field(default_factory=list)


class PromotionDetail(Wire):
    """A discount, or a gift that is only announced in words (gift_item_name)."""

    promotion_name: Loose[Word] = None
    promotion_id: Loose[Word] = None
    discount_fee: Loose[TextAmount] = None
    gift_item_name: Loose[Word] = None
    gift_item_id: Loose[Number] = None
    gift_item_num: Loose[Word] = None


class PromotionDetails(Wire):
    """The promotions of the trade."""

    promotion_detail: Loose[Rows[PromotionDetail]] = None


class ServiceTag(Wire):
    """A logistics service word, such as `lgType=-4;key=value`."""

    service_tag: Loose[Word] = None
    service_type: Loose[Word] = None


class ServiceTagList(Wire):
    """The service words of one line."""

    logistic_service_tag: Loose[Rows[ServiceTag]] = None


class LogisticsTag(Wire):
    """The service words, and the line (oid) or trade they belong to."""

    order_id: Loose[Number] = None
    logistic_service_tag_list: Loose[ServiceTagList] = None


class ServiceTags(Wire):
    """The logistics services of the trade."""

    logistics_tag: Loose[Rows[LogisticsTag]] = None


def _wrapped(value: Any) -> Any:
    """The list alone, as an app gets it that asks for the simplified form."""
    return {"order": value} if isinstance(value, list) else value


class ListTrade(Wire):
    """A list row, or a detail that was asked for few fields: a line may leave it to the trade."""

    tid: Any = None
    tid_str: Any = None
    status: TextStatus
    type: TextStatus = None
    payment: TextAmount
    total_fee: Loose[TextAmount] = None
    discount_fee: Loose[TextAmount] = None
    post_fee: Loose[TextAmount] = None
    created: str
    modified: str
    pay_time: Word = None
    timeout_action_time: Loose[Word] = None
    est_con_time: Loose[Word] = None
    delivery_time: Loose[Word] = None
    buyer_open_uid: Loose[Word] = None
    buyer_message: Loose[Word] = None
    seller_memo: Loose[Word] = None
    seller_flag: Loose[Number] = None
    receiver_name: Loose[Word] = None
    receiver_state: Loose[Word] = None
    receiver_city: Loose[Word] = None
    receiver_district: Loose[Word] = None
    receiver_town: Loose[Word] = None
    receiver_address: Loose[Word] = None
    receiver_zip: Loose[Word] = None
    receiver_mobile: Loose[Word] = None
    receiver_phone: Loose[Word] = None
    oaid: Loose[Word] = None
    top_hold: Flag = None
    team_buy_hold: Flag = None
    share_group_hold: Flag = None
    ofp_hold: Flag = None
    delay_create_delivery: Flag = None
    step_trade_status: TextStatus = None
    step_paid_fee: Loose[TextAmount] = None
    promotion_details: Loose[PromotionDetails] = None
    service_tags: Loose[ServiceTags] = None
    is_gift: Flag = None
    scenario_group: Loose[Word] = None
    txp_receive_method: Loose[Word] = None
    new_presell: Flag = None
    general_new_presell: Flag = None
    orders: Annotated[SubOrders, BeforeValidator(TypePreservingValidator(_wrapped))]


class FullTrade(ListTrade):
    """The detail answer: each line says where it stands and what was paid for it."""

    orders: Annotated[FullSubOrders, BeforeValidator(TypePreservingValidator(_wrapped))]  # type: ignore[assignment]  # never changed


Trade = ListTrade


class TradeId(Wire):
    """Just enough of a trade to key it, and to know whether it is over. Read leniently: see mapping.trade_id."""

    tid: Any = None
    tid_str: Any = None
    status: Any = None
    created: Any = None
    modified: Any = None

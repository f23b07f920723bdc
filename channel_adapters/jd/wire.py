"""The fields we use of JD's order object, as order.search, order.enSearch and order.get send it.

Money is yuan as text; counts are text. Ids are text here and numbers elsewhere. `itemExt`, `sendpayMap` and
`popSignMap` are JSON inside a text. Empty objects are written as `{}`, `[]`, "" or null.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from channel_adapters.fields import Key, Lines, Loose, Number, Rows, TextAmount, TextStatus, Word
from channel_adapters.fields import Wire as PlainWire


class Wire(PlainWire):
    """The wire spells names in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel)


class Head(Wire):
    """What keys an order object. Lenient about time: the templates say what is wrong with it."""

    order_id: Key
    modified: Any = None


class Ending(Wire):
    """Just enough of an order to know that it is over."""

    order_id: Key
    modified: Number
    order_start_time: Any = None
    order_state: Any = None


class ItemExt(Wire):
    """What the text `itemExt` holds. `sku_uuid` is the line's id: the same skuId can stand on two lines."""

    sku_uuid: Loose[Key] = None
    cid: Loose[Word] = None


class Item(Wire):
    """One line. An empty gift has neither id nor pieces."""

    sku_id: Key | None
    jd_price: TextAmount
    item_total: TextAmount
    outer_sku_id: Word = None
    sku_name: Loose[Word] = None
    service_name: Loose[Word] = None
    item_ext: Any = None


class Coupon(Wire):
    """`coupon_type` is a number, or number and name: `34-全品类满减`. `sku_id` is empty unless it is for one item."""

    coupon_type: Loose[Word] = None
    coupon_price: Loose[TextAmount] = None
    sku_id: Loose[Word] = None


class Consignee(Wire):
    """`county` is the district. `desen_mobile` is a stable hash of the phone number."""

    fullname: Loose[Word] = None
    mobile: Loose[Word] = None
    telephone: Loose[Word] = None
    full_address: Loose[Word] = None
    province: Loose[Word] = None
    city: Loose[Word] = None
    county: Loose[Word] = None
    town: Loose[Word] = None
    desen_mobile: Loose[Word] = Field(default=None, alias="desen_mobile")
    oaid: Loose[Word] = None


class ParcelItem(Wire):
    """What a parcel holds of one line."""

    sku_uuid: Word = None
    sku_id: Word = None
    num: Number


class Parcel(Wire):
    """A parcel that has left."""

    skus: Rows[ParcelItem] = Field(default_factory=list)


class LeanOrder(Wire):
    """An order asked for with few `optional_fields`: what is needed to know who bought what, and whether it may go."""

    order_id: Key
    order_state: TextStatus
    pay_type: TextStatus
    order_payment: TextAmount
    order_start_time: str
    modified: str
    item_info_list: Lines[Item]
    order_type: TextStatus
    store_order: TextStatus
    return_order: TextStatus
    order_total_price: Loose[TextAmount] = None
    freight_price: Loose[TextAmount] = None
    balance_used: Loose[TextAmount] = None
    tax_fee: Loose[TextAmount] = None
    service_fee: Loose[TextAmount] = None
    payment_confirm_time: Word = None
    parent_order_id: Loose[Word] = None
    direct_parent_order_id: Loose[Word] = None
    op_pick_date: Loose[Word] = None
    order_remark: Loose[Word] = None
    vender_remark: Loose[Word] = None
    vender_remark_level_flag: Loose[Word] = None
    open_id_buyer: Loose[Word] = Field(default=None, alias="open_id_buyer")
    xid_buyer: Loose[Word] = Field(default=None, alias="xid_buyer")
    pin: Loose[Word] = None
    consignee_info: Loose[Consignee] = None
    coupon_detail_list: Loose[Rows[Coupon]] = None
    partial_logistics_info_model: Loose[Rows[Parcel]] = None
    sendpay_map: Any = None
    pop_sign_map: Any = None
    order_mark_desc: Any = None


class DetailItem(Item):
    """A line that says everything we ask for."""

    outer_sku_id: Word
    sku_name: Loose[Word]
    item_ext: Any


class DetailOrder(LeanOrder):
    """An order with all that we ask for."""

    item_info_list: Lines[DetailItem]  # type: ignore[assignment]  # narrower, and never changed
    order_total_price: Loose[TextAmount]
    freight_price: Loose[TextAmount]
    payment_confirm_time: Word
    consignee_info: Loose[Consignee]

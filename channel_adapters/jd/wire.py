"""The fields we use of JD's order object, as order.search, order.enSearch and order.get send it.

Money is yuan as text; counts are text. Ids are text here and numbers elsewhere. `itemExt`, `sendpayMap` and
`popSignMap` are JSON inside a text. Empty objects are written as `{}`, `[]`, "" or null.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from channel_adapters.fields import EXACT
from channel_adapters.quick import Repair

T = TypeVar("T")


def _listed(value: Any) -> Any:
    """A list where the platform wrote null, `{}`, "" or one bare object."""
    if not value:
        return []
    return [value] if isinstance(value, dict) else value


def _labels(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$"), EXACT]
Short = Annotated[str, Field(max_length=40)]
"""Money, a count, a code or a time, as the platform wrote it."""

Listed = Annotated[list[T], BeforeValidator(Repair(_listed))]
Labels = Annotated[dict[str, Any], BeforeValidator(Repair(_labels))]


class Wire(BaseModel):
    """Numbers in the place of text become text; unknown fields are ignored. The wire spells names in camelCase."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, alias_generator=to_camel)


class Head(Wire):
    """What keys an order object. Lenient about time: the templates say what is wrong with it."""

    order_id: Id
    modified: Any = None


class ItemExt(Wire):
    """What the text `itemExt` holds. `sku_uuid` is the line's id: the same skuId can stand on two lines."""

    sku_uuid: Id | None = None
    cid: str | None = ""


class Item(Wire):
    sku_id: Id
    jd_price: Short
    item_total: Short
    outer_sku_id: str | None = ""
    sku_name: str | None = ""
    service_name: str | None = ""
    item_ext: str | None = ""


class Coupon(Wire):
    """`coupon_type` is a number, or number and name: `34-全品类满减`. `sku_id` is empty unless it is for one item."""

    coupon_type: str = ""
    coupon_price: Short = "0"
    sku_id: str | None = ""


class Consignee(Wire):
    """`county` is the district. `desen_mobile` is a stable hash of the phone number."""

    fullname: str | None = ""
    mobile: str | None = ""
    telephone: str | None = ""
    full_address: str | None = ""
    province: str | None = ""
    city: str | None = ""
    county: str | None = ""
    town: str | None = ""
    desen_mobile: str | None = Field(default="", alias="desen_mobile")
    oaid: str | None = ""


class ParcelItem(Wire):
    sku_uuid: str | None = ""
    sku_id: str | None = ""
    num: Short = "0"


class Parcel(Wire):
    skus: Listed[ParcelItem] = Field(default_factory=list)


class LeanOrder(Wire):
    """An order asked for with few `optional_fields`: what is needed to know who bought what, and whether it may go."""

    order_id: Id
    order_state: Short
    pay_type: Short
    order_payment: Short
    order_start_time: Short
    modified: Short
    item_info_list: tuple[Item, ...]
    order_type: Short
    store_order: str | None
    return_order: Short
    order_total_price: Short | None = None
    freight_price: Short | None = None
    balance_used: Short | None = None
    tax_fee: Short | None = None
    service_fee: Short | None = None
    payment_confirm_time: Short | None = None
    parent_order_id: Short | None = None
    direct_parent_order_id: Short | None = None
    op_pick_date: Short | None = None
    order_remark: str | None = ""
    vender_remark: str | None = ""
    vender_remark_level_flag: Short | None = None
    open_id_buyer: str | None = Field(default="", alias="open_id_buyer")
    xid_buyer: str | None = Field(default="", alias="xid_buyer")
    pin: str | None = ""
    consignee_info: Consignee | None = None
    coupon_detail_list: Listed[Coupon] = Field(default_factory=list)
    partial_logistics_info_model: Listed[Parcel] = Field(default_factory=list)
    sendpay_map: Any = None
    pop_sign_map: Any = None
    order_mark_desc: Labels = Field(default_factory=dict)


class DetailItem(Item):
    """A line that says everything we ask for."""

    outer_sku_id: str | None
    sku_name: str
    item_ext: str


class DetailOrder(LeanOrder):
    """An order with all that we ask for."""

    item_info_list: tuple[DetailItem, ...]
    order_total_price: Short
    freight_price: Short
    payment_confirm_time: Short | None
    consignee_info: Consignee

"""The fields we use of doudian's order object, as `/order/searchList` and `/order/orderDetail` send it.

Money is integer fen, times are unix seconds, and 0 means that it has not happened. Numbers are strict: these fields
are JSON integers on the wire, and text or `true` in their place is damage. `sku_id` is an integer above 2^53.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from channel_adapters.fields import EXACT, Number
from channel_adapters.quick import Repair

T = TypeVar("T")


def _listed(value: Any) -> Any:
    """A list where the platform wrote null, `{}` or one bare object."""
    if not value:
        return []
    return [value] if isinstance(value, dict) else value


Fen = Annotated[int, Field(strict=True, ge=0, le=10**14)]
Seconds = Annotated[int, Field(strict=True, ge=0, le=10**11)]
Count = Annotated[int, Field(strict=True, ge=0, le=10**6)]
Word = Annotated[int, Field(strict=True)]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$"), EXACT]
Listed = Annotated[list[T], BeforeValidator(Repair(_listed))]


class Wire(BaseModel):
    """Numbers in the place of text (ids above all) become text; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Head(Wire):
    """What keys an order object. Lenient about time: the templates say what is wrong with it."""

    order_id: Id
    update_time: Any = None


class Named(Wire):
    """A place of an address."""

    name: str | None = ""


class Address(Wire):
    """`town` is the district, `street` the town below it."""

    province: Named | None = None
    city: Named | None = None
    town: Named | None = None
    street: Named | None = None
    detail: str | None = ""
    encrypt_detail: str | None = ""


class Tag(Wire):
    key: str = ""


class Spec(Wire):
    name: str = ""
    value: str = ""


class Campaign(Wire):
    campaign_name: str | None = ""


class AfterSale(Wire):
    after_sale_status: Word = 0
    after_sale_type: Word = 0
    refund_status: Word = 0


class Phase(Wire):
    """One payment of a deposit presale."""

    current_phase: Word
    pay_success: bool
    sku_order_id: str = ""
    phase_payable_price: Fen = 0
    phase_close_time: Seconds = 0


class ParcelItem(Wire):
    sku_order_id: str = ""
    product_count: Count = 0


class Parcel(Wire):
    product_info: Listed[ParcelItem] = Field(default_factory=list)


class Discount(Wire):
    """What one giver took off, by means."""

    total_amount: Fen = 0
    coupon_amount: Fen = 0
    full_discount_amount: Fen = 0
    redpack_amount: Fen = 0


class Discounts(Wire):
    shop_discount_detail: Discount | None = None
    platform_discount_detail: Discount | None = None
    kol_discount_detail: Discount | None = None


class SkuOrder(Wire):
    """A sub-order. Fields without a default are those that every shop's app may see."""

    order_id: Id
    order_status: Word
    item_num: Count
    origin_amount: Fen
    after_sale_info: AfterSale | None
    sum_amount: Fen | None = None
    pay_amount: Fen | None = None
    main_status: Word | None = None
    ship_time: Seconds = 0
    sku_id: Number | None = ""
    code: str | None = ""
    out_sku_id: Number | None = ""
    product_name: str | None = ""
    goods_type: Word = 0
    order_type: Word = 0
    trade_type: Word = 0
    pre_sale_type: Word = 0
    given_product_type: str | None = ""
    master_sku_order_id_list: Listed[str] = Field(default_factory=list)
    sku_order_tag_ui: Listed[Tag] = Field(default_factory=list)
    campaign_info: Listed[Campaign] = Field(default_factory=list)
    spec: Listed[Spec] = Field(default_factory=list)
    promise_info: str | None = ""
    first_cid: Word = 0
    second_cid: Word = 0
    third_cid: Word = 0
    fourth_cid: Word = 0


class ReducedOrder(Wire):
    """A shop order as an app with a small data package sees it: no receiver, no tags, money of the whole order only."""

    order_id: Id
    order_status: Word
    create_time: Seconds
    update_time: Seconds
    pay_amount: Fen
    sku_order_list: tuple[SkuOrder, ...]
    main_status: Word | None = None
    promotion_amount: Fen | None = None
    post_amount: Fen = 0
    pay_time: Seconds = 0
    pay_type: Word | None = None
    order_expire_time: Seconds = 0
    exp_ship_time: Seconds = 0
    appointment_ship_time: Seconds = 0
    buyer_words: str | None = ""
    seller_words: str | None = ""
    seller_remark_stars: Word | None = None
    doudian_open_id: str | None = ""
    open_id: str | None = ""
    open_address_id: str | None = ""
    post_addr: Address | None = None
    mask_post_addr: Address | None = None
    encrypt_post_receiver: str | None = ""
    encrypt_post_tel: str | None = ""
    post_receiver: str | None = ""
    post_tel: str | None = ""
    mask_post_receiver: str | None = ""
    mask_post_tel: str | None = ""
    order_phase_list: Listed[Phase] = Field(default_factory=list)
    logistics_info: Listed[Parcel] = Field(default_factory=list)
    promotion_detail: Discounts | None = None
    promotion_shop_amount: Fen = 0
    promotion_platform_amount: Fen = 0
    promotion_talent_amount: Fen = 0
    shop_order_tag_ui: Listed[Tag] = Field(default_factory=list)
    user_tag_ui: Listed[Tag] = Field(default_factory=list)
    address_tag_ui: Listed[Tag] = Field(default_factory=list)
    promise_info: str | None = ""


class FullSkuOrder(SkuOrder):
    """A sub-order with nothing held back."""

    sum_amount: Fen
    pay_amount: Fen
    main_status: Word
    product_name: str
    code: str
    given_product_type: str


class FullOrder(ReducedOrder):
    """A shop order with nothing held back."""

    sku_order_list: tuple[FullSkuOrder, ...]
    main_status: Word
    promotion_amount: Fen
    post_amount: Fen
    pay_time: Seconds
    post_addr: Address
    buyer_words: str | None
    seller_words: str | None

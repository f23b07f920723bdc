"""The fields we use of doudian's order object, as `/order/searchList` and `/order/orderDetail` send it.

Money is integer fen, times are unix seconds, and 0 means that it has not happened. These fields are JSON integers on
the wire; their text is read as well, a fraction is not: it would be yuan. `sku_id` is an integer above 2^53.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from channel_adapters.fields import EXACT, Flag, Lines, Loose, Number, NumberStatus, Rows, Wire
from channel_adapters.msgspec_fast_path import TypePreservingValidator


def whole(value: Any) -> int | None:
    """A whole number, or the text of one; None, which no field takes, for anything else."""
    if type(value) is int:
        return value
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 20 else None


def _sale(value: Any) -> Any:
    """What is no after-sale at all is one that nobody knows; `[]` and "" are none."""
    if value is None or isinstance(value, dict):
        return value
    return {"after_sale_status": "?"} if value else {}


WHOLE: Final = BeforeValidator(TypePreservingValidator(whole))

Whole = Annotated[int, WHOLE]
Fen = Annotated[int, Field(ge=0, le=10**14), WHOLE]
Seconds = Annotated[int, Field(ge=0, le=10**14), WHOLE]
"""Unix seconds, or milliseconds: `unix_time` tells them apart."""
Count = Annotated[int, Field(ge=0, le=10**6), WHOLE]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$"), EXACT]


class Head(Wire):
    """What keys an order object. Lenient about time: the templates say what is wrong with it."""

    order_id: Id
    update_time: Any = None


class Stopped(Head):
    """What an order object says when it is over, whatever stands beside it."""

    create_time: Any = None
    order_status: Any = None
    main_status: Any = None


class Named(Wire):
    """A place of an address."""

    name: Loose[str] = ""


class Address(Wire):
    """`town` is the district, `street` the town below it."""

    province: Loose[Named] = None
    city: Loose[Named] = None
    town: Loose[Named] = None
    street: Loose[Named] = None
    detail: Loose[str] = ""
    encrypt_detail: Loose[str] = ""


class Tag(Wire):
    """A label of the platform."""

    key: Loose[str] = ""


class Spec(Wire):
    """One choice that the buyer made: a size, a colour."""

    name: Loose[str] = ""
    value: Loose[str] = ""


class Campaign(Wire):
    """An activity that the line was sold in."""

    campaign_name: Loose[str] = ""


class BundlePart(Wire):
    """One of the things that a bundle is made of."""

    sku_id: Loose[Number] = ""
    code: Loose[str] = ""
    product_name: Loose[str] = ""
    item_num: Count


class AfterSale(Wire):
    """Where the refund, return or exchange of a line stands."""

    after_sale_status: NumberStatus = 0
    after_sale_type: NumberStatus = 0
    refund_status: NumberStatus = 0


class Phase(Wire):
    """One payment of a deposit presale. One that does not say that it is paid is not."""

    current_phase: NumberStatus = None
    pay_success: Flag = None
    phase_payable_price: Loose[Fen] = 0
    phase_close_time: Loose[Seconds] = 0


class ParcelItem(Wire):
    """So many units of a sub-order in a parcel."""

    sku_order_id: str = ""
    product_count: Count = 0


class Parcel(Wire):
    """A parcel that has left."""

    product_info: Rows[ParcelItem] = Field(default_factory=list)


class Discount(Wire):
    """What one giver took off, by means."""

    total_amount: Loose[Fen] = 0
    coupon_amount: Loose[Fen] = 0
    full_discount_amount: Loose[Fen] = 0
    redpack_amount: Loose[Fen] = 0


class Discounts(Wire):
    """What each giver took off."""

    shop_discount_detail: Loose[Discount] = None
    platform_discount_detail: Loose[Discount] = None
    kol_discount_detail: Loose[Discount] = None


class SkuOrder(Wire):
    """A sub-order. Fields without a default are those that every shop's app may see."""

    order_id: Id
    order_status: NumberStatus
    item_num: Count
    origin_amount: Fen
    after_sale_info: Annotated[AfterSale | None, BeforeValidator(TypePreservingValidator(_sale))]
    sum_amount: Loose[Fen] = None
    pay_amount: Fen | None = None
    main_status: NumberStatus = None
    ship_time: Seconds | None = 0
    sku_id: Loose[Number] = ""
    code: str | None = ""
    out_sku_id: Number | None = ""
    product_name: Loose[str] = ""
    goods_type: NumberStatus = 0
    order_type: NumberStatus = 0
    trade_type: NumberStatus = 0
    pre_sale_type: NumberStatus = 0
    given_product_type: NumberStatus = ""
    master_sku_order_id_list: Loose[Rows[str]] = None
    bundle_sku_info: Loose[Rows[BundlePart]] = None
    sku_order_tag_ui: Loose[Rows[Tag]] = None
    campaign_info: Loose[Rows[Campaign]] = None
    spec: Loose[Rows[Spec]] = None
    promise_info: Loose[str] = ""
    first_cid: Loose[Whole] = 0
    second_cid: Loose[Whole] = 0
    third_cid: Loose[Whole] = 0
    fourth_cid: Loose[Whole] = 0


class ReducedOrder(Wire):
    """A shop order as an app with a small data package sees it: no receiver, no tags, money of the whole order only."""

    order_id: Id
    order_status: NumberStatus
    create_time: Seconds
    update_time: Seconds
    pay_amount: Fen
    sku_order_list: Lines[SkuOrder]
    main_status: NumberStatus = None
    promotion_amount: Loose[Fen] = None
    post_amount: Loose[Fen] = 0
    pay_time: Seconds | None = 0
    pay_type: NumberStatus = None
    order_expire_time: Loose[Seconds] = 0
    exp_ship_time: Loose[Seconds] = 0
    appointment_ship_time: Seconds | None = 0
    buyer_words: Loose[str] = ""
    seller_words: Loose[str] = ""
    seller_remark_stars: Loose[Whole] = None
    doudian_open_id: Loose[str] = ""
    open_id: Loose[str] = ""
    open_address_id: Loose[str] = ""
    post_addr: Loose[Address] = None
    mask_post_addr: Loose[Address] = None
    encrypt_post_receiver: Loose[str] = ""
    encrypt_post_tel: Loose[str] = ""
    post_receiver: Loose[str] = ""
    post_tel: Loose[str] = ""
    mask_post_receiver: Loose[str] = ""
    mask_post_tel: Loose[str] = ""
    order_phase_list: Rows[Phase] = Field(default_factory=list)
    logistics_info: Loose[Rows[Parcel]] = None
    promotion_detail: Loose[Discounts] = None
    promotion_shop_amount: Loose[Fen] = 0
    promotion_platform_amount: Loose[Fen] = 0
    promotion_talent_amount: Loose[Fen] = 0
    shop_order_tag_ui: Loose[Rows[Tag]] = None
    user_tag_ui: Loose[Rows[Tag]] = None
    address_tag_ui: Loose[Rows[Tag]] = None
    promise_info: Loose[str] = ""


class FullSkuOrder(SkuOrder):
    """A sub-order with nothing held back."""

    sum_amount: Loose[Fen]
    pay_amount: Fen
    main_status: NumberStatus
    product_name: Loose[str]
    code: str | None
    given_product_type: NumberStatus


class FullOrder(ReducedOrder):
    """A shop order with nothing held back."""

    sku_order_list: Lines[FullSkuOrder]  # type: ignore[assignment]  # never changed
    main_status: NumberStatus
    promotion_amount: Loose[Fen]
    post_amount: Loose[Fen]
    pay_time: Seconds | None
    post_addr: Loose[Address]
    buyer_words: Loose[str]
    seller_words: Loose[str]

"""A Pinduoduo order, as `pdd.order.information.get` gives it (PDD API docs; money is yuan as JSON numbers)."""

from __future__ import annotations

from typing import Final

from ops.testbed.simulators.payloads.writing import Json, beijing, beijing_or
from ops.testbed.simulators.sale import Item, Oddity, Sale, Stage, yuan

_GROUP: Final = {Stage.GROUPING: 0}
_CONFIRMED_AFTER = 1  # seconds from payment to the completed group

_FIXED: Final = {
    "is_lucky_flag": 1,
    "is_stock_out": 0,
    "stock_out_handle_status": -1,
    "mkt_biz_type": 0,
    "free_sf": 0,
    "self_contained": 0,
    "return_freight_payer": 0,
}

_TAIL: Final = {
    "invoice_status": 0,
    "bonded_warehouse": "",
    "cat_id_1": 1,
    "cat_id_2": 10,
    "cat_id_3": 100,
    "cat_id_4": 0,
    "group_role": 1,
    "shipping_type": 0,
    "only_support_replace": 0,
    "delivery_one_day": 0,
}

_DEPOT: Final[Json] = {
    "depot_id": "",
    "depot_code": "",
    "depot_name": "",
    "depot_type": None,
    "ware_id": "",
    "ware_sn": "",
    "ware_name": "",
    "ware_type": 0,
    "ware_sub_info_list": [],
}


def order_info(sale: Sale) -> Json:
    """The whole order; rows of the increment list are the same."""
    return {
        "order_sn": sale.order_id,
        **_statuses(sale),
        **_FIXED,
        **_times(sale),
        **_money(sale),
        "item_list": [_item(item) for item in sale.items if not item.gift],
        "gift_list": [_item(item) for item in sale.items if item.gift],
        "gift_delivery_list": [],
        "extra_delivery_list": [],
        "resend_delivery_list": [],
        "card_info_list": [],
        "service_fee_detail": [],
        "order_tag_list": [{"name": "no_trace_delivery", "value": 0}, {"name": "ship_hold", "value": 0}],
        "order_depot_info": _DEPOT,
        "step_order_info": _steps(sale),
        "logistics_id": 115 if sale.shipped_at else 0,
        "tracking_number": f"ZT{sale.serial:013d}" if sale.shipped_at else "",
        "buyer_memo": sale.remark,
        "remark": sale.memo,
        "remark_tag": 1 if sale.memo else None,
        "remark_tag_name": "红色" if sale.memo else "",
        **_receiver(sale),
        **_TAIL,
        "group_order_id": 900000000000 + sale.serial,
    }


def _number(fen: int) -> float:
    return fen // 100 if fen % 100 == 0 else fen / 100


def _statuses(sale: Sale) -> Json:
    """Four fields, read together. A failed group is told by confirm_status and group_status 2."""
    refunded = sale.stage is Stage.REFUNDED
    failed_group = refunded and sale.story == "group-failed"
    asked = sale.stage is Stage.CANCEL_REQUESTED
    order_status = 2 if sale.shipped_at else 1
    return {
        "trade_type": 1 if sale.presale else 0,
        "order_status": 9 if sale.oddity is Oddity.STATUS else order_status,
        "refund_status": 4 if refunded else 2 if asked else 1,
        "after_sales_status": 10 if refunded else 2 if asked else 0,
        "confirm_status": 2 if failed_group else int(_confirmed(sale)),
        "group_status": 2 if failed_group else _GROUP.get(sale.stage, 1),
        "risk_control_status": int(sale.stage is Stage.UNDER_REVIEW),
        "is_pre_sale": int(sale.presale or sale.ships_after > 0),
    }


def _confirmed(sale: Sale) -> bool:
    return bool(sale.paid_at) and sale.stage is not Stage.GROUPING


def _times(sale: Sale) -> Json:
    confirmed_at = max(sale.paid_at, sale.placed_at) if _confirmed(sale) else 0
    return {
        "created_time": beijing(sale.placed_at),
        "pay_time": beijing_or(sale.paid_at, ""),
        "confirm_time": beijing_or(confirmed_at, ""),
        "updated_at": beijing(sale.modified_at),
        "shipping_time": beijing_or(sale.shipped_at, ""),
        "receive_time": "",
        "last_ship_time": beijing_or(confirmed_at and confirmed_at + 2 * 86400, ""),
        "pre_sale_time": beijing_or(sale.ship_not_before, ""),
        "promise_delivery_time": "",
        "urge_shipping_time": "",
    }


def _money(sale: Sale) -> Json:
    return {
        "goods_amount": _number(sale.goods_total),
        "discount_amount": _number(sale.discount),
        "platform_discount": _number(sale.platform_discount),
        "seller_discount": _number(sale.discount - sale.platform_discount),
        "capital_free_discount": 0,
        "order_change_amount": 0,
        "postage": _number(sale.postage),
        "pay_amount": float(yuan(sale.total) + ("5" if sale.oddity is Oddity.MONEY else "")),
        "pay_type": "ALIPAY",
        "pay_no": f"XP{sale.serial:028d}",
        "inner_transaction_id": f"XP{sale.serial:028d}",
        "duo_duo_pay_reduction": 0,
    }


def _item(item: Item) -> Json:
    goods = item.goods
    return {
        "goods_id": 700000000000 + goods.number,
        "sku_id": 800000000000 + goods.number,
        "outer_id": goods.sku,
        "outer_goods_id": f"SPU-{goods.number:04d}",
        "goods_name": goods.title,
        "goods_spec": "默认",
        "goods_price": _number(item.price),
        "goods_count": item.quantity,
        "goods_img": "https://img.example.com/pdd/default.jpeg",
    }


def _steps(sale: Sale) -> Json | None:
    if not sale.presale:
        return None
    complete = bool(sale.paid_at)
    return {
        "step_trade_status": 2 if complete else 1,
        "advanced_paid_fee": _number(sale.deposit),
        "step_paid_fee": _number(sale.total if complete else sale.deposit),
        "step_discount_amount": 0,
    }


def _receiver(sale: Sale) -> Json:
    """Ciphertext only while the order is to ship, masks unless it is under review."""
    place, key = sale.place, f"{sale.buyer:04d}"
    to_ship = sale.stage in (Stage.PAID, Stage.CANCEL_REQUESTED)
    masked = sale.stage is not Stage.UNDER_REVIEW
    where = f"{place.province}{place.city}{place.district}"
    return {
        "country": "中国",
        "country_id": 0,
        "province": place.province,
        "province_id": int(place.province_code),
        "city": place.city or "省直辖县级行政区划",
        "city_id": int(place.city_code) // 100,
        "town": place.district,
        "town_id": int(place.district_code),
        "receiver_name": f"~AgAAAAExampleCipherName{key}~0~" if to_ship else "",
        "receiver_phone": f"$AgAAAAExampleCipherPhone{key}$0$" if to_ship else "",
        "receiver_address": f"~AgAAAAExampleCipherAddress{key}~0~" if to_ship else "",
        "address": f"~AgAAAAExampleCipherFullAddress{key}~0~" if to_ship else "",
        "receiver_name_mask": "测*" if masked else "",
        "receiver_phone_mask": f"120****{key}" if masked else "",
        "receiver_address_mask": "样***号" if masked else "",
        "address_mask": f"{where}样***号" if masked else "",
        "open_address_id": f"OPENADDR{sale.buyer:020d}",
    }

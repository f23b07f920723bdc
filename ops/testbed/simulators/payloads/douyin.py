"""A Douyin shop order, as `/order/orderDetail` gives it (Douyin API docs; money is fen, times are unix seconds)."""

from __future__ import annotations

from typing import Final

from ops.testbed.simulators.payloads.writing import Json
from ops.testbed.simulators.sale import Item, Oddity, Sale, Stage

PRESALE_TRADE: Final = 2
UNKNOWN_STATUS: Final = 998

_STATUS: Final = {
    Stage.UNPAID: (1, 1, "待支付"),
    Stage.DEPOSIT_PAID: (1, 103, "部分支付"),
    Stage.PAID: (2, 2, "备货中"),
    Stage.CANCEL_REQUESTED: (2, 2, "备货中"),
    Stage.CLOSED: (4, 4, "已关闭"),
    Stage.REFUNDED: (4, 21, "发货前退款完结"),
    Stage.SHIPPED: (3, 3, "已发货"),
}
"""order_status, main_status and its description."""

_DESCRIBED: Final = {1: "待支付", 2: "备货中", 3: "已发货", 4: "已关闭", UNKNOWN_STATUS: "未知"}

_ZERO_AMOUNTS: Final = dict.fromkeys(
    (
        "post_insurance_amount",
        "modify_amount",
        "modify_post_amount",
        "promotion_talent_amount",
        "promotion_pay_amount",
        "author_cost_amount",
        "tax_amount",
        "promotion_redpack_amount",
        "promotion_redpack_platform_amount",
        "promotion_redpack_talent_amount",
    ),
    0,
)

_ORDER_FIXED: Final = {
    "shop_id": 10000001,
    "shop_name": "样例小店",
    "open_id": "",
    "order_level": 2,
    "order_type": 0,
    "order_type_desc": "普通订单",
    "trade_type": 0,
    "trade_type_desc": "普通",
    "biz": 2,
    "biz_desc": "小店自卖",
    "b_type": 2,
    "b_type_desc": "抖音",
    "sub_b_type": 1,
    "sub_b_type_desc": "app内-原生",
    "app_id": 0,
    "packing_amount": 0,
    "post_promotion_amount": 0,
    "serial_number_list": [],
    "shop_order_tag_ui": [],
    "user_tag_ui": [],
    "address_tag_ui": [],
    "promise_info": "",
}

_SKU_FIXED: Final = {
    "order_level": 3,
    "order_type": 0,
    "order_type_desc": "普通订单",
    "logistics_receipt_time": 0,
    "confirm_receipt_time": 0,
    "out_sku_id": "",
    "out_product_id": "0",
    "supplier_id": "",
    "product_pic": "https://img.example.com/dy/default.png",
    "spec": [{"name": "规格", "value": "默认"}],
    "post_amount": 0,
    "has_tax": False,
    "goods_type": 0,
    "pre_sale_type": 0,
    "reduce_stock_type": 1,
    "receive_type": 1,
    "first_cid": 20001,
    "second_cid": 20002,
    "third_cid": 20003,
    "fourth_cid": 0,
    "inventory_list": [],
    "inventory_type": "",
    "warehouse_ids": [],
    "out_warehouse_ids": [],
    "campaign_info": [],
    "sku_order_tag_ui": [],
    "bundle_sku_info": [],
    "sku_customization_info": [],
    "master_sku_order_id": "0",
    "promise_info": "",
    "author_id": 0,
    "author_name": "",
    "room_id": 0,
    "room_id_str": "0",
    "video_id": "",
    "content_id": "0",
    "is_comment": 0,
    "is_activity": False,
    "need_serial_number": False,
}

_DISCOUNTS: Final = {
    "coupon_amount": 0,
    "coupon_info": [],
    "full_discount_info": [],
}


def shop_order(sale: Sale) -> Json:
    """The whole shop order; rows of searchList are the same."""
    receiver = _receiver(sale)
    return {
        **_ORDER_FIXED,
        "doudian_open_id": f"1@#ExampleDoudianOpenId{sale.buyer:04d}",
        "order_id": sale.order_id,
        **_progress(sale),
        "exp_ship_time": sale.paid_at and sale.paid_at + 2 * 86400,
        "ship_time": sale.shipped_at,
        "appointment_ship_time": sale.ship_not_before,
        **_money(sale),
        "buyer_words": sale.remark,
        "seller_words": sale.memo,
        "seller_remark_stars": 5 if sale.memo else 0,
        "open_address_id": f"ExampleOpenAddressId{sale.buyer:04d}",
        "logistics_info": [_parcel(sale)] if sale.shipped_at else [],
        "order_phase_list": _phases(sale),
        **receiver,
        "sku_order_list": [_sku_order(sale, index, receiver) for index in range(len(sale.items))],
    }


def _progress(sale: Sale) -> Json:
    """Status and times, which orders and sub-orders have alike. `order_expire_time` is a duration, as captured."""
    order_status, main_status, description = _STATUS[sale.stage]
    if sale.oddity is Oddity.STATUS:
        order_status = main_status = UNKNOWN_STATUS
    return {
        "order_status": order_status,
        "order_status_desc": _DESCRIBED[order_status],
        "main_status": main_status,
        "main_status_desc": description,
        "pay_time": sale.paid_at or sale.deposit_paid_at,
        "create_time": sale.placed_at,
        "update_time": sale.modified_at,
        "finish_time": 0,
        "order_expire_time": sale.pay_seconds,
        "cancel_reason": "超时未支付" if sale.stage is Stage.CLOSED else "",
        "pay_type": 2,
        "channel_payment_no": f"EXAMPLECHANNEL{sale.serial:04d}",
    }


def _money(sale: Sale) -> Json:
    shop = sale.discount - sale.platform_discount
    paid: float = sale.total + 0.5 if sale.oddity is Oddity.MONEY else sale.total
    return {
        **_ZERO_AMOUNTS,
        "order_amount": sale.goods_total + sale.postage,
        "pay_amount": paid,
        "post_amount": sale.postage,
        "post_origin_amount": sale.postage,
        **_promotions(sale.discount, sale.platform_discount),
        "total_promotion_amount": sale.discount,
        "promotion_detail": {
            "shop_discount_detail": {**_DISCOUNTS, "total_amount": shop, "full_discount_amount": shop},
            "platform_discount_detail": {
                **_DISCOUNTS,
                "total_amount": sale.platform_discount,
                "full_discount_amount": sale.platform_discount,
                "redpack_amount": 0,
                "redpack_info": [],
                "gold_coin_amount": 0,
            },
            "kol_discount_detail": {**_DISCOUNTS, "total_amount": 0, "full_discount_amount": 0},
        },
    }


def _promotions(discount: int, platform: int) -> Json:
    return {
        "promotion_amount": discount,
        "promotion_shop_amount": discount - platform,
        "promotion_platform_amount": platform,
        "shop_cost_amount": discount - platform,
        "platform_cost_amount": platform,
        "only_platform_cost_amount": platform,
    }


def sub_order_id(sale: Sale, index: int) -> str:
    """The first sub-order has the shop order's own id."""
    return str(int(sale.order_id) + index)


def _sku_order(sale: Sale, index: int, receiver: Json) -> Json:
    item, goods = sale.items[index], sale.items[index].goods
    sub_order: Json = {
        **_SKU_FIXED,
        **_ZERO_AMOUNTS,
        "order_id": sub_order_id(sale, index),
        "parent_order_id": sale.order_id,
        "trade_type": PRESALE_TRADE if sale.presale else 0,
        "trade_type_desc": "定金预售" if sale.presale else "普通",
        **_progress(sale),
        "ship_time": sale.shipped_at,
        "exp_ship_time": sale.paid_at and sale.paid_at + 2 * 86400,
        "product_id": 3500000000000000000 + goods.number,
        "product_id_str": str(3500000000000000000 + goods.number),
        "sku_id": 1700000000000000 + goods.number,
        "code": goods.sku,
        "product_name": goods.title,
        "item_num": item.quantity,
        "origin_amount": item.price,
        "sum_amount": item.gross,
        "order_amount": item.gross,
        **_promotions(item.markdown + item.share, platform_shares(sale)[index]),
        "pay_amount": item.net,
        "after_sale_info": _after_sale(sale, item),
        **_gift(sale, index),
        **receiver,
    }
    if item.gone:
        sub_order |= {"order_status": 4, "order_status_desc": "已关闭", "main_status": 21}
        sub_order["main_status_desc"] = "发货前退款完结"
    return sub_order


def platform_shares(sale: Sale) -> list[int]:
    """How the platform's discount falls on the lines: filled up in their order, never more than a line's share."""
    left, shares = sale.platform_discount, []
    for item in sale.items:
        shares.append(min(left, item.share))
        left -= shares[-1]
    return shares


def _after_sale(sale: Sale, item: Item) -> Json:
    if item.gone:
        return {"after_sale_status": 12, "after_sale_type": 2, "refund_status": 3}
    if sale.stage is Stage.CANCEL_REQUESTED:
        return {"after_sale_status": 6, "after_sale_type": 2, "refund_status": 1}
    return {"after_sale_status": 0, "after_sale_type": 0, "refund_status": 0}


def _gift(sale: Sale, index: int) -> Json:
    item = sale.items[index]
    masters = [sub_order_id(sale, main) for main in item.mains]
    is_main = any(index in other.mains for other in sale.items)
    activity = {"given_product_activity_type": "", "given_product_activity_value": ""}
    if item.gift or is_main:
        activity = {"given_product_activity_type": "NORMAL", "given_product_activity_value": ""}
    gift: Json = {
        "given_product_type": "FREE" if item.gift else "MASTER" if is_main else "",
        "master_sku_order_id_list": masters,
        "given_product_activity_info": activity,
    }
    return gift | {"master_sku_order_id": masters[0]} if masters else gift


def _phases(sale: Sale) -> list[Json]:
    if not sale.presale:
        return []
    rest = sale.total - sale.deposit
    opens = sale.placed_at
    return [_phase(sale, 1, sale.deposit, sale.deposit_paid_at, opens), _phase(sale, 2, rest, sale.paid_at, opens + 1)]


def _phase(sale: Sale, number: int, fen: int, paid_at: int, opens: int) -> Json:
    return {
        "phase_order_id": str(int(sale.order_id) + 50 + number),
        "total_phase": 2,
        "current_phase": number,
        "sku_price": sale.total,
        "pay_success": bool(paid_at),
        "sku_order_id": sub_order_id(sale, 0),
        "campaign_id": "7100000000000001",
        "phase_payable_price": fen,
        "phase_pay_type": 2 if paid_at else 0,
        "phase_open_time": opens,
        "phase_pay_time": paid_at,
        "phase_close_time": opens + 3 * 86400,
        "channel_payment_no": f"EXAMPLECHANNEL{sale.serial:04d}" if paid_at else "",
        "phase_order_amount": fen,
        "phase_sum_amount": fen,
        "phase_post_amount": 0,
        "phase_pay_amount": fen if paid_at else 0,
        "phase_promotion_amount": 0,
        "current_phase_status_desc": "已支付" if paid_at else "待支付",
    }


def _parcel(sale: Sale) -> Json:
    return {
        "tracking_no": f"SF{sale.serial:013d}",
        "company": "shunfeng",
        "company_name": "顺丰速运",
        "ship_time": sale.shipped_at,
        "delivery_id": f"7{sale.serial:018d}",
        "hour_up_pickup_code": "",
        "added_services": [],
        "product_info": [
            {
                "product_name": item.goods.title,
                "price": item.price,
                "outer_sku_id": item.goods.sku,
                "sku_id": 1700000000000000 + item.goods.number,
                "sku_specs": [{"name": "规格", "value": "默认"}],
                "product_count": item.quantity,
                "product_id": 3500000000000000000 + item.goods.number,
                "product_id_str": str(3500000000000000000 + item.goods.number),
                "sku_order_id": sub_order_id(sale, index),
            }
            for index, item in enumerate(sale.items)
        ],
    }


def _receiver(sale: Sale) -> Json:
    place, key = sale.place, f"{sale.buyer:04d}"
    where = {
        "province": {"name": place.province, "id": place.province_code},
        "city": {"name": place.city or "省直辖县级行政区划", "id": place.city_code},
        "town": {"name": place.district, "id": place.district_code},
        "street": {"name": "样例街道", "id": f"{place.district_code}001"},
    }
    return {
        "encrypt_post_receiver": f"##ExampleIdxReceiver{key}*ExampleCipherReceiver{key}=#1##",
        "encrypt_post_tel": f"$$ExampleIdxTel{key}*ExampleCipherTel{key}=$1$$",
        "post_receiver": "",
        "post_tel": "",
        "mask_post_receiver": "测*",
        "mask_post_tel": f"120******{key[-2:]}",
        "post_addr": {**where, "detail": "", "encrypt_detail": f"##ExampleIdxAddr{key}*ExampleCipherAddr{key}=#1##"},
        "mask_post_addr": {**where, "detail": "样***号"},
    }

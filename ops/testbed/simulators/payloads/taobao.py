"""A Taobao trade, as `taobao.trade.fullinfo.get` gives it (TOP API docs; money is yuan text, times are Beijing's)."""

from __future__ import annotations

from itertools import count
from typing import Final

from ops.testbed.simulators.payloads.writing import Json, beijing, paid_text
from ops.testbed.simulators.sale import Item, Oddity, Sale, Stage, yuan

STATUS_OF: Final = {
    Stage.UNPAID: "WAIT_BUYER_PAY",
    Stage.DEPOSIT_PAID: "WAIT_BUYER_PAY",
    Stage.PAID: "WAIT_SELLER_SEND_GOODS",
    Stage.CANCEL_REQUESTED: "WAIT_SELLER_SEND_GOODS",
    Stage.CLOSED: "TRADE_CLOSED_BY_TAOBAO",
    Stage.REFUNDED: "TRADE_CLOSED",
    Stage.SHIPPED: "WAIT_BUYER_CONFIRM_GOODS",
}


def trade(sale: Sale) -> Json:
    """The whole trade."""
    return head(sale) | {"orders": {"order": sub_orders(sale)}}


def head(sale: Sale) -> Json:
    """The trade without its sub-orders."""
    tid = int(sale.order_id)
    result: Json = {
        "tid": tid,
        "tid_str": sale.order_id,
        "status": "TRADE_DEMO_UNKNOWN" if sale.oddity is Oddity.STATUS else STATUS_OF[sale.stage],
        "type": "step" if sale.presale else "fixed",
        "title": "样例旗舰店",
        "seller_nick": "样例旗舰店",
        **_money(sale),
        **_times(sale),
        **_people(sale),
        "trade_from": "WAP,WAP",
        "is_part_consign": False,
        "has_yfx": False,
        "top_hold": 0,
        "new_presell": sale.presale,
        "buyer_rate": False,
        "seller_rate": False,
        "can_rate": False,
        "est_con_time": "付款后48小时内",
    }
    if sale.presale:
        result |= _steps(sale)
    if details := _promotions(sale, tid):
        result["promotion_details"] = {"promotion_detail": details}
    return result


def _money(sale: Sale) -> Json:
    return {
        "payment": paid_text(sale),
        "total_fee": yuan(sale.goods_total),
        "discount_fee": yuan(sale.order_discount),
        "adjust_fee": "0.00",
        "post_fee": yuan(sale.postage),
        "received_payment": "0.00",
        "commission_fee": "0.00",
        "credit_card_fee": "0.00",
        "alipay_point": 0,
        "pcc_af": 0,
        "num": sale.items[0].quantity if len(sale.items) == 1 else 0,
    }


def _times(sale: Sale) -> Json:
    times: Json = {"created": beijing(sale.placed_at), "modified": beijing(sale.modified_at)}
    if sale.paid_at:
        times["pay_time"] = beijing(sale.paid_at)
        times["delivery_time"] = beijing(sale.paid_at + 2 * 86400)
    if sale.stage is Stage.UNPAID:
        times["timeout_action_time"] = beijing(sale.pay_deadline)
    if sale.closed_at:
        times["end_time"] = beijing(sale.closed_at)
    if sale.shipped_at:
        times["consign_time"] = beijing(sale.shipped_at)
    return times


def _people(sale: Sale) -> Json:
    place, tail = sale.place, f"{sale.buyer:04d}"
    people: Json = {
        "buyer_nick": "测**",
        "buyer_open_uid": f"AAExampleOpenUid{sale.buyer:07d}",
        "has_buyer_message": bool(sale.remark),
        "seller_flag": 1 if sale.memo else 0,
        "seller_memo": sale.memo,
        "shipping_type": "express",
        "receiver_name": "测**",
        "receiver_state": place.province,
        "receiver_city": place.city,
        "receiver_district": place.district,
        "receiver_town": "样例街道",
        "receiver_address": "测***",
        "receiver_zip": "000000",
        "receiver_mobile": f"*******{tail}",
        "receiver_phone": "",
    }
    if not place.city:
        del people["receiver_city"]  # counties that a province runs itself
    if sale.remark:
        people["buyer_message"] = sale.remark
    if sale.stage not in (Stage.UNPAID, Stage.CLOSED):
        people["oaid"] = f"1ExampleOaid{sale.buyer:052d}"
    return people


def _steps(sale: Sale) -> Json:
    complete = bool(sale.paid_at)
    parts = ((1, 1, sale.deposit), (2, int(complete), sale.total - sale.deposit if complete else 0))
    return {
        "step_trade_status": "FRONT_PAID_FINAL_PAID" if complete else "FRONT_PAID_FINAL_NOPAID",
        "step_paid_fee": yuan(sale.total if complete else sale.deposit),
        "step_pay_details": {
            "step_pay_detail": [
                {"id": number, "step_no": number, "pay_status": status, "step_actual_pay_fee": yuan(fee)}
                for number, status, fee in parts
            ]
        },
    }


def _promotions(sale: Sale, tid: int) -> list[Json]:
    details: list[Json] = []
    if sale.order_discount:
        details.append(_promotion(tid, "店铺满减", sale.order_discount, "shopbonus-100001_200001"))
    for oid, item in zip(order_ids(sale), sale.items, strict=True):
        if item.markdown:
            details.append(_promotion(oid, "限时价", item.markdown, "limitpromotion-100002_200002"))
    if sale.promised_gift is not None:
        gift = {
            "gift_item_name": sale.promised_gift.title,
            "gift_item_id": str(600000000000 + sale.promised_gift.number),
            "gift_item_num": "1",
            "promotion_desc": f"满赠:送{sale.promised_gift.title}",
        }
        details.append(_promotion(tid, "满就送", 0, "mjs-100003_200003") | gift)
    return details


def _promotion(owner: int, name: str, fen: int, promotion_id: str) -> Json:
    return {
        "id": owner,
        "promotion_name": name,
        "discount_fee": yuan(fen),
        "promotion_desc": f"{name}:省{yuan(fen)}元",
        "promotion_id": promotion_id,
    }


def order_ids(sale: Sale) -> list[int]:
    """Of the sub-orders; the only one of a trade has the trade's own id."""
    first = int(sale.order_id)
    if len(sale.items) == 1:
        return [first]
    return [number for _, number in zip(sale.items, count(first + 1), strict=False)]


def sub_orders(sale: Sale) -> list[Json]:
    """The trade's lines."""
    oids = order_ids(sale)
    return [_order(sale, item, index, oids) for index, item in enumerate(sale.items)]


def _order(sale: Sale, item: Item, index: int, oids: list[int]) -> Json:
    oid, goods = oids[index], item.goods
    total = item.gross - item.markdown
    alone = len(sale.items) == 1
    order: Json = {
        "oid": oid,
        "oid_str": str(oid),
        "num_iid": 600000000000 + goods.number,
        "sku_id": str(5000000000000 + goods.number),
        "outer_iid": f"SPU-{goods.number:04d}",
        "outer_sku_id": goods.sku,
        "title": f"【赠品】{goods.title}" if item.gift else goods.title,
        "sku_properties_name": "颜色分类:默认",
        "price": yuan(item.price),
        "num": item.quantity,
        "total_fee": yuan(total),
        "payment": yuan(sale.total if alone else total),
        "discount_fee": yuan(item.markdown),
        "adjust_fee": "0.00",
        "divide_order_fee": yuan(item.net),
        "part_mjz_discount": yuan(item.share),
        "status": "TRADE_CLOSED" if item.gone else STATUS_OF[sale.stage],
        "refund_status": _refund_status(sale, item),
        "cid": 50012345,
        "is_oversold": False,
        "seller_type": "B",
        "order_from": "TAOBAO",
        "buyer_rate": False,
        "seller_rate": False,
        "pic_path": "https://img.example.com/i1/default.jpg",
        "is_daixiao": False,
    }
    return order | _order_extras(sale, item, index, oids)


def _refund_status(sale: Sale, item: Item) -> str:
    if item.gone:
        return "SUCCESS"
    return "WAIT_SELLER_AGREE" if sale.stage is Stage.CANCEL_REQUESTED else "NO_REFUND"


def _order_extras(sale: Sale, item: Item, index: int, oids: list[int]) -> Json:
    extras: Json = {}
    if item.gift:
        extras = {"is_free_gift": True, "need_return": True}
        if item.mains:
            extras["gift_mids"] = ",".join(str(oids[main]) for main in item.mains)
    elif gifts := [oid for oid, other in zip(oids, sale.items, strict=True) if index in other.mains]:
        extras = {"has_gift": True, "gift_mids": ",".join(map(str, gifts))}
    if item.gone or sale.stage is Stage.CANCEL_REQUESTED:
        extras["refund_id"] = f"18{oids[index] % 10**16:016d}"
    if item.gone:
        extras["end_time"] = beijing(sale.refunded_at)
    if sale.shipped_at:
        extras |= {
            "invoice_no": f"YT{sale.serial:013d}",
            "logistics_company": "圆通速递",
            "consign_time": beijing(sale.shipped_at),
        }
    if sale.presale:
        extras["estimate_con_time"] = "付尾款后7天内"
    return extras

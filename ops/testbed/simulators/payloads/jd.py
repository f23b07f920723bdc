"""A JD order, as `jingdong.pop.order.get` gives it (JOS docs and captures; money is yuan text, ids are text)."""

from __future__ import annotations

from typing import Final

import orjson

from ops.testbed.simulators.payloads.writing import Json, beijing, beijing_or, paid_text
from ops.testbed.simulators.sale import Item, Sale, Stage, yuan

NEVER: Final = "0001-01-01 00:00:00"

STATE_OF: Final = {
    Stage.UNPAID: ("WAIT_SELLER_STOCK_OUT", "等待出库"),  # shown so only with cash on delivery
    Stage.PAID: ("WAIT_SELLER_STOCK_OUT", "等待出库"),
    Stage.CANCEL_REQUESTED: ("LOCKED", "锁定"),
    Stage.CLOSED: ("TRADE_CANCELED", "取消"),
    Stage.REFUNDED: ("TRADE_CANCELED", "取消"),
    Stage.SHIPPED: ("WAIT_GOODS_RECEIVE_CONFIRM", "等待确认收货"),
}

_FIXED: Final = {
    "deliveryType": "任意时间",
    "invoiceInfo": "不需要开具发票",
    "invoiceEasyInfo": {"invoiceState": "3", "invoiceType": "0", "invoiceContentId": "1", "invoiceTitle": ""},
    "vatInfo": [],
    "invoiceCode": "",
    "returnOrder": "0",
    "parentOrderId": "0",
    "directParentOrderId": "0",
    "orderSource": "移动端订单",
    "storeOrder": "",
    "storeId": "0",
    "mdbStoreId": "",
    "idSopShipmenttype": 68,
    "idShipmenttype": "70",
    "scDT": "",
    "customs": "",
    "customsModel": "",
    "orderSign": "0" * 33 + "1" + "0" * 66,
    "sendpayMap": '{"9":"2","20":"5","26":"2","29":"1","34":"3","39":"1"}',
    "popSignMap": "{}",
    "orderMarkDesc": {},
    "orderExt": "{}",
    "commission": {"amount": 0, "centFactor": 100, "cent": 0, "currency": "CNY", "currencyCode": "CNY"},
}


def order_info(sale: Sale) -> Json:
    """The whole order, also in search lists."""
    state, remark = STATE_OF[sale.stage]
    info: Json = {
        "orderId": sale.order_id,
        "venderId": "10000001",
        "orderType": "22",
        "payType": "1-货到付款" if sale.cash_on_delivery else "4-在线支付",
        **_money(sale),
        "orderState": state,
        "orderStateRemark": remark,
        **_FIXED,
        "orderRemark": sale.remark,
        "venderRemark": sale.memo,
        "venderRemarkLevelFlag": "1" if sale.memo else "0",
        "orderStartTime": beijing(sale.placed_at),
        "paymentConfirmTime": beijing_or(sale.paid_at, NEVER),
        "orderEndTime": beijing_or(sale.closed_at, NEVER),
        "modified": beijing(sale.modified_at),
        "dataVersion": str(sale.modified_at * 1000),
        "pin": f"jd_example_pin_{sale.buyer:04d}",
        "open_id_buyer": f"ExampleOpenIdBuyer{sale.buyer:04d}",
        "xid_buyer": f"o*ExampleXid{sale.buyer:04d}",
        "waybill": f"JDVA{sale.serial:011d}" if sale.shipped_at else "",
        "logisticsId": "2087" if sale.shipped_at else "",
        "itemInfoList": [_item(sale, item, index) for index, item in enumerate(sale.items)],
        "couponDetailList": _coupons(sale),
        "consigneeInfo": _consignee(sale),
    }
    if sale.shipped_at:
        info["partialLogisticsInfoModel"] = [_parcel(sale)]
    return info


def _money(sale: Sale) -> Json:
    seller = sale.discount - sale.platform_discount
    return {
        "orderTotalPrice": yuan(sale.goods_total),
        "sellerDiscount": yuan(seller),
        "orderSellerPrice": yuan(sale.goods_total - seller),
        "freightPrice": yuan(sale.postage),
        "balanceUsed": "0.00",
        "orderPayment": paid_text(sale),
        "taxFee": "0.00",
        "serviceFee": "0.00",
    }


def _sku_id(item: Item) -> str:
    return str(10050000000000 + item.goods.number)


def _uuid(sale: Sale, index: int) -> str:
    return f"1012_EXAMPLE{sale.serial:08d}{index:02d}"


def _item(sale: Sale, item: Item, index: int) -> Json:
    goods = item.goods
    extra = {
        "skuUuid": _uuid(sale, index),
        "isVMI": 0,
        "newStoreId": "0",
        "cid": "13288",
    }
    return {
        "skuId": _sku_id(item),
        "outerSkuId": goods.sku,
        "skuName": goods.title,
        "jdPrice": yuan(item.price),
        "giftPoint": "0",
        "wareId": str(10020000000000 + goods.number),
        "itemTotal": str(item.quantity),
        "productNo": f"SPU-{goods.number:04d}",
        "serviceName": "",
        "newStoreId": "0",
        "invoiceContentId": "",
        "id": 228000000000 + sale.serial * 10 + index,
        "itemExt": orjson.dumps(extra).decode(),
    }


def _parcel(sale: Sale) -> Json:
    return {
        "shipmentId": "1",
        "logicId": "2087",
        "waybillId": f"JDVA{sale.serial:011d}",
        "packageNum": 1,
        "shipmentTime": beijing(sale.shipped_at),
        "skus": [
            {"skuUuid": _uuid(sale, index), "skuId": _sku_id(item), "num": item.quantity}
            for index, item in enumerate(sale.items)
        ],
    }


def _coupons(sale: Sale) -> list[Json]:
    rows = [("30-单品促销优惠", item.markdown, _sku_id(item)) for item in sale.items]
    rows.append(("34-全品类满减", sale.order_discount - sale.platform_discount, ""))
    rows.append(("39-京豆优惠", sale.platform_discount, ""))
    return [
        {"orderId": sale.order_id, "skuId": sku, "couponType": kind, "couponPrice": yuan(fen)}
        for kind, fen, sku in rows
        if fen
    ]


def _consignee(sale: Sale) -> Json:
    """Municipalities have their districts where others have cities."""
    place, tail = sale.place, sale.buyer % 10
    city, county = (
        (place.district, "样例街道") if place.municipality else (place.city or place.district, place.district)
    )
    token = f"example0desen0mobile{sale.buyer:04d}"
    return {
        "fullname": "测**",
        "telephone": f"120*******{tail}",
        "mobile": f"120*******{tail}",
        "fullAddress": f"{place.short}{city}{county}****",
        "province": place.short,
        "city": city,
        "county": county,
        "town": "样例街道",
        "provinceId": place.province_code,
        "cityId": place.city_code,
        "countyId": place.district_code,
        "townId": "60001",
        "desen_mobile": token,
        "desen_telephone": token,
    }

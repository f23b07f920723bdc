"""JD keeps what every channel must keep."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, UnreadablePayload
from channel_adapters.shop import ShopSettings
from tests.channel_adapters.contract import Cancelled, ChannelAdapterContract, Forms


class TestJdContract(ChannelAdapterContract):
    channel = "jd"
    payloads = Path(__file__).parent / "payloads"
    reference = "01_simple_paid_detail.json"
    orders_in: ClassVar = {
        "01_simple_paid_detail.json": 1,
        "02_list_multi_item_with_coupons.json": 2,
        "03_list_cancelled_locked_pause.json": 3,
        "05_gift_zero_price_lines.json": 1,
        "06_split_order_partial_return.json": 1,
        "07_encrypted_receiver_ensearch.json": 1,
    }
    refused: ClassVar = {
        "04_not_paid_list.json": UnreadablePayload,
        "08_presale_orders_page.json": UnreadablePayload,
        "09_error_limited.json": ChannelUnavailable,
        "10_error_token_expired.json": ChannelRefused,
        "11_business_failure_inside_success.json": ChannelRefused,
        "12_spapi_orders_page.json": UnreadablePayload,
    }
    status_paths: ClassVar = [
        ("orderState",),
        ("orderType",),
        ("payType",),
        ("storeOrder",),
        ("returnOrder",),
        *[("02_list_multi_item_with_coupons.json", (name,)) for name in ("orderState", "orderType", "returnOrder")],
        *[("05_gift_zero_price_lines.json", (name,)) for name in ("payType", "storeOrder", "orderState")],
        ("07_encrypted_receiver_ensearch.json", ("storeOrder",)),
    ]
    cancelled = Cancelled(
        "03_list_cancelled_locked_pause.json",
        [
            ("itemInfoList",),
            ("itemInfoList", 0, "jdPrice"),
            ("itemInfoList", 0, "itemTotal"),
            ("orderPayment",),
            ("payType",),
            ("orderType",),
            ("storeOrder",),
            ("paymentConfirmTime",),
            ("orderStartTime",),
        ],
    )
    decoration: ClassVar = [
        ("couponDetailList",),
        ("orderRemark",),
        ("venderRemark",),
        ("venderRemarkLevelFlag",),
        ("pin",),
        ("open_id_buyer",),
        ("xid_buyer",),
        ("parentOrderId",),
        ("sendpayMap",),
        ("popSignMap",),
        ("orderMarkDesc",),
        ("freightPrice",),
        ("balanceUsed",),
        ("taxFee",),
        ("orderTotalPrice",),
        ("opPickDate",),
        ("consigneeInfo",),
        ("itemInfoList", 0, "itemExt"),
        ("itemInfoList", 0, "skuName"),
        ("itemInfoList", 0, "serviceName"),
    ]
    text_or_number: ClassVar = [
        ("orderId",),
        ("orderType",),
        ("returnOrder",),
        ("venderRemarkLevelFlag",),
        ("parentOrderId",),
        ("itemInfoList", 0, "skuId"),
        ("itemInfoList", 0, "itemTotal"),
    ]
    page = "02_list_multi_item_with_coupons.json"
    lists: ClassVar = [("itemInfoList",), ("couponDetailList",), ("partialLogisticsInfoModel",), ("sendpayMap",)]
    amount = Forms(("orderPayment",), {"135.00": 13500, "12.3": 1230, "0.10": 10, "9": 900, 99.5: 9950, "1.500": 150})
    bad_amounts = ("1.234", "abc", None, "-1.00", "", True, [], "9" * 60)
    moment = Forms(
        ("orderStartTime",),
        {
            "2026-09-20 09:00:00": datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC),
            "2027-01-01 07:59:59": datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        },
    )
    shop = ShopSettings(
        channel="jd",
        shop_id="contract-shop",
        base_url="http://127.0.0.1:9/jd",
        app_key="jd-app-key",
        app_secret=SecretStr("secret-that-nobody-may-see"),
        access_token=SecretStr("token-that-nobody-may-see"),
    )

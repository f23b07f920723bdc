"""Douyin keeps what every channel must keep."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, UnreadablePayload
from channel_adapters.shop import ShopSettings
from tests.channel_adapters.contract import ChannelAdapterContract, Forms, SignedRequest

APP_KEY = "7000000000000000001"
APP_SECRET = "00000000-0000-4000-8000-000000000000"
PUSH = b'[ {"tag":"101","msg_id":"1:101:1:x","data":"{\\"p_id\\":6900000000000000001}"} ]\n'


class TestDouyinContract(ChannelAdapterContract):
    channel = "douyin"
    refuses_unknown_words = True
    payloads = Path(__file__).parent / "payloads"
    reference = "01_simple_paid_detail.json"
    orders_in: ClassVar = {
        "01_simple_paid_detail.json": 1,
        "02_list_multi_sku_part_shipped.json": 1,
        "03_list_unpaid_and_cancelled.json": 3,
        "04_one_sku_refunded.json": 1,
        "05_gift_sku_order.json": 1,
        "06_presale_deposit_paid.json": 1,
        "07_presale_final_paid_cold_tag.json": 1,
        "12_old_envelope_err_no.json": 0,
    }
    refused: ClassVar = {
        "08_push_messages.json": UnreadablePayload,
        "09_push_verification.json": UnreadablePayload,
        "10_error_token_expired.json": ChannelRefused,
        "11_error_traffic_limited.json": ChannelUnavailable,
    }
    status_paths: ClassVar = [
        ("order_status",),
        ("main_status",),
        ("sku_order_list", 0, "order_status"),
        ("sku_order_list", 0, "main_status"),
        ("sku_order_list", 0, "goods_type"),
        ("sku_order_list", 0, "order_type"),
        ("sku_order_list", 0, "pre_sale_type"),
        ("sku_order_list", 0, "given_product_type"),
        ("sku_order_list", 0, "after_sale_info", "after_sale_status"),
        ("sku_order_list", 0, "after_sale_info", "after_sale_type"),
        ("sku_order_list", 0, "after_sale_info", "refund_status"),
    ]
    amount = Forms(("pay_amount",), {5480: 5480, 0: 0, 1: 1, 900719925474: 900719925474})
    bad_amounts = ("5480", 54.8, 5480.0, -1, None, True, [], 2**70)
    moment = Forms(
        ("create_time",),
        {
            1789866000: datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC),
            1798732799: datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC),
        },
    )
    shop = ShopSettings(
        channel="douyin",
        shop_id="contract-shop",
        base_url="http://127.0.0.1:9/douyin",
        app_key=APP_KEY,
        app_secret=SecretStr(APP_SECRET),
        access_token=SecretStr("token-that-nobody-may-see"),
    )
    signed = SignedRequest(
        headers={"app-id": APP_KEY, "event-sign": md5(APP_KEY.encode() + PUSH + APP_SECRET.encode()).hexdigest()},
        body=PUSH,
        secret=APP_SECRET,
    )

"""Douyin keeps what every channel must keep."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, UnreadablePayload
from channel_adapters.shop import ShopSettings
from tests.channel_adapters.contract import Cancelled, ChannelAdapterContract, Forms, SignedRequest

APP_KEY = "7000000000000000001"
APP_SECRET = "00000000-0000-4000-8000-000000000000"
PUSH = b'[ {"tag":"101","msg_id":"1:101:1:x","data":"{\\"p_id\\":6900000000000000001}"} ]\n'


class TestDouyinContract(ChannelAdapterContract):
    channel = "douyin"
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
        ("03_list_unpaid_and_cancelled.json", ("order_status",)),
        ("03_list_unpaid_and_cancelled.json", ("main_status",)),
        ("05_gift_sku_order.json", ("sku_order_list", 1, "given_product_type")),
    ]
    cancelled = Cancelled(
        "03_list_unpaid_and_cancelled.json",
        [
            ("main_status",),
            ("sku_order_list",),
            ("sku_order_list", 0, "origin_amount"),
            ("sku_order_list", 0, "order_status"),
            ("sku_order_list", 0, "after_sale_info"),
            ("pay_amount",),
            ("pay_time",),
            ("create_time",),
            ("order_phase_list",),
        ],
        row=1,
    )
    decoration: ClassVar = [
        ("promotion_detail",),
        ("promotion_detail", "shop_discount_detail"),
        ("promotion_detail", "shop_discount_detail", "total_amount"),
        ("promotion_amount",),
        ("promotion_shop_amount",),
        ("post_amount",),
        ("order_expire_time",),
        ("exp_ship_time",),
        ("buyer_words",),
        ("seller_words",),
        ("seller_remark_stars",),
        ("doudian_open_id",),
        ("open_address_id",),
        ("post_addr",),
        ("post_addr", "town"),
        ("mask_post_addr",),
        ("shop_order_tag_ui",),
        ("user_tag_ui",),
        ("address_tag_ui",),
        ("promise_info",),
        ("sku_order_list", 0, "product_name"),
        ("sku_order_list", 0, "sku_id"),
        ("sku_order_list", 0, "sum_amount"),
        ("sku_order_list", 0, "master_sku_order_id_list"),
        ("sku_order_list", 0, "bundle_sku_info"),
        ("sku_order_list", 0, "sku_order_tag_ui"),
        ("sku_order_list", 0, "campaign_info"),
        ("sku_order_list", 0, "spec"),
        ("sku_order_list", 0, "promise_info"),
        ("sku_order_list", 0, "first_cid"),
    ]
    text_or_number: ClassVar = [
        ("order_id",),
        ("order_status",),
        ("main_status",),
        ("create_time",),
        ("update_time",),
        ("pay_time",),
        ("exp_ship_time",),
        ("pay_amount",),
        ("promotion_amount",),
        ("seller_remark_stars",),
        ("sku_order_list", 0, "order_id"),
        ("sku_order_list", 0, "order_status"),
        ("sku_order_list", 0, "main_status"),
        ("sku_order_list", 0, "item_num"),
        ("sku_order_list", 0, "origin_amount"),
        ("sku_order_list", 0, "pay_amount"),
        ("sku_order_list", 0, "sku_id"),
        ("sku_order_list", 0, "goods_type"),
        ("sku_order_list", 0, "order_type"),
        ("sku_order_list", 0, "trade_type"),
        ("sku_order_list", 0, "pre_sale_type"),
        ("sku_order_list", 0, "first_cid"),
        ("sku_order_list", 0, "after_sale_info", "after_sale_status"),
        ("sku_order_list", 0, "after_sale_info", "after_sale_type"),
        ("sku_order_list", 0, "after_sale_info", "refund_status"),
    ]
    page = "03_list_unpaid_and_cancelled.json"
    lists: ClassVar = [
        ("sku_order_list",),
        ("order_phase_list",),
        ("logistics_info",),
        ("shop_order_tag_ui",),
        ("sku_order_list", 0, "bundle_sku_info"),
        ("sku_order_list", 0, "spec"),
    ]
    amount = Forms(("pay_amount",), {5480: 5480, 0: 0, 1: 1, 900719925474: 900719925474, "5480": 5480, " 70 ": 70})
    bad_amounts = ("54.80", "5480.0", "5_480", "", 54.8, 5480.0, -1, "-1", None, True, [], 2**70)
    moment = Forms(
        ("create_time",),
        {
            1789866000: datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC),
            1789866000000: datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC),
            " 1789866000 ": datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC),
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

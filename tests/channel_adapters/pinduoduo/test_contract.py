"""Pinduoduo keeps what every channel keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, UnreadablePayload
from channel_adapters.shop import ShopSettings
from tests.channel_adapters.contract import Cancelled, ChannelAdapterContract, Forms


class TestPinduoduoContract(ChannelAdapterContract):
    channel = "pinduoduo"
    payloads = Path(__file__).parent / "payloads"
    orders_in: ClassVar = {
        "01_simple_paid.json": 1,
        "02_increment_page_two_orders_has_next.json": 2,
        "03_ungrouped_and_cancelled.json": 2,
        "04_refund_success_before_ship.json": 1,
        "05_gift_list_and_related_order.json": 1,
        "06_presale_deposit_paid.json": 1,
        "07_presale_final_paid_cold_hint.json": 1,
        "08_under_review_blank_receiver.json": 1,
    }
    refused: ClassVar = {
        "09_pmc_frame_trade_confirmed.json": UnreadablePayload,
        "10_pmc_frame_refund_created.json": UnreadablePayload,
        "11_error_common_parameter.json": ChannelRefused,
        "12_error_rate_limited.json": ChannelUnavailable,
    }
    status_paths: ClassVar = [
        ("order_status",),
        ("refund_status",),
        ("confirm_status",),
        ("group_status",),
        ("risk_control_status",),
        ("06_presale_deposit_paid.json", ("step_order_info", "step_trade_status")),
    ]
    cancelled = Cancelled(
        "04_refund_success_before_ship.json", [("item_list",), ("pay_amount",), ("risk_control_status",)]
    )
    decoration: ClassVar = [
        ("gift_list",),
        ("service_fee_detail",),
        ("promotion_detail_list",),
        ("related_order_list",),
        ("order_depot_info",),
        ("step_order_info",),
        ("last_ship_time",),
        ("discount_amount",),
        ("seller_discount",),
        ("postage",),
        ("buyer_memo",),
        ("remark",),
        ("remark_tag",),
        ("cat_id_1",),
        ("province",),
        ("receiver_name",),
        ("open_address_id",),
        ("item_list", 0, "goods_name"),
    ]
    text_or_number: ClassVar = [
        ("order_status",),
        ("confirm_status",),
        ("refund_status",),
        ("item_list", 0, "sku_id"),
        ("item_list", 0, "goods_count"),
    ]
    page = "02_increment_page_two_orders_has_next.json"
    lists: ClassVar = [("item_list",), ("gift_list",), ("order_tag_list",), ("service_fee_detail",)]
    amount = Forms(("pay_amount",), {24.9: 2490, "24.90": 2490, 29: 2900, 0.07: 7, "1234567.89": 123456789, 0: 0})
    bad_amounts: ClassVar = [24.999, "24.901", -1, "-0.01", "", "CNY 5", None, False, {}, 0.1 + 0.2]
    moment = Forms(
        ("created_time",),
        {
            "2026-09-20 09:00:00": datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC),
            "2026-03-01 00:30:00": datetime(2026, 2, 28, 16, 30, 0, tzinfo=UTC),
        },
    )
    shop = ShopSettings(
        channel="pinduoduo",
        shop_id="sample-mall",
        base_url="http://127.0.0.1:9/pinduoduo",
        app_key="exampleClientId",
        app_secret=SecretStr("client-secret-of-the-kit"),
        access_token=SecretStr("access-token-of-the-kit"),
    )

"""Taobao keeps what every channel keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, UnreadablePayload
from channel_adapters.shop import ShopSettings
from tests.channel_adapters.contract import Cancelled, ChannelAdapterContract, Forms, SignedRequest


class TestTaobaoContract(ChannelAdapterContract):
    channel = "taobao"
    payloads = Path(__file__).parent / "payloads"
    orders_in: ClassVar = {
        "01_simple_paid.json": 1,
        "02_multi_suborder_list_has_next.json": 2,
        "03_unpaid_and_closed_list.json": 3,
        "04_one_line_refunded_one_line_refund_pending.json": 1,
        "05_gift_suborder_and_text_gift.json": 1,
        "06_presale_deposit_paid.json": 1,
        "07_presale_final_paid_cold_tags.json": 1,
    }
    refused: ClassVar = {
        "08_tmc_messages_consume.json": UnreadablePayload,
        "09_error_rate_limited.json": ChannelUnavailable,
        "10_error_session_invalid.json": ChannelRefused,
    }
    status_paths: ClassVar = [
        ("status",),
        ("type",),
        ("step_trade_status",),
        ("orders", "order", 0, "status"),
        ("orders", "order", 0, "refund_status"),
        ("03_unpaid_and_closed_list.json", ("status",)),
        ("04_one_line_refunded_one_line_refund_pending.json", ("status",)),
        ("05_gift_suborder_and_text_gift.json", ("type",)),
        ("06_presale_deposit_paid.json", ("step_trade_status",)),
        ("06_presale_deposit_paid.json", ("orders", "order", 0, "status")),
        ("07_presale_final_paid_cold_tags.json", ("step_trade_status",)),
        ("07_presale_final_paid_cold_tags.json", ("orders", "order", 0, "refund_status")),
    ]
    cancelled = Cancelled(
        "03_unpaid_and_closed_list.json",
        [("orders",), ("orders", "order", 0, "price"), ("payment",), ("type",), ("pay_time",), ("created",)],
        row=1,
    )
    decoration: ClassVar = [
        ("promotion_details",),
        ("service_tags",),
        ("buyer_message",),
        ("seller_memo",),
        ("seller_flag",),
        ("discount_fee",),
        ("est_con_time",),
        ("scenario_group",),
        ("oaid",),
        ("orders", "order", 0, "title"),
        ("orders", "order", 0, "num_iid"),
        ("orders", "order", 0, "sku_id"),
        ("orders", "order", 0, "gift_mids"),
        ("orders", "order", 0, "is_oversold"),
        ("orders", "order", 0, "inv_type"),
        ("orders", "order", 0, "discount_fee"),
        ("orders", "order", 0, "combine_item_info"),
        ("orders", "order", 0, "estimate_con_time"),
    ]
    text_or_number: ClassVar = [
        ("tid",),
        ("tid_str",),
        ("seller_flag",),
        ("top_hold",),
        ("orders", "order", 0, "oid"),
        ("orders", "order", 0, "oid_str"),
        ("orders", "order", 0, "num_iid"),
        ("orders", "order", 0, "sku_id"),
        ("orders", "order", 0, "num"),
    ]
    page = "02_multi_suborder_list_has_next.json"
    lists: ClassVar = [
        ("orders", "order"),
        ("promotion_details",),
        ("service_tags",),
        ("orders", "order", 0, "gift_mids"),
        ("orders", "order", 0, "combine_item_info"),
    ]
    amount = Forms(("payment",), {"87.80": 8780, "87.8": 8780, "0.01": 1, "0": 0, "87.800": 8780, 29.9: 2990, 7: 700})
    bad_amounts: ClassVar = ["87.801", "-0.01", "", "eighty", None, True, [], 0.1 + 0.2, "NaN"]
    moment = Forms(
        ("created",),
        {
            "2026-09-20 10:00:01": datetime(2026, 9, 20, 2, 0, 1, tzinfo=UTC),
            "2026-09-20 07:59:59": datetime(2026, 9, 19, 23, 59, 59, tzinfo=UTC),
            "2026-01-01 00:00:00": datetime(2025, 12, 31, 16, 0, 0, tzinfo=UTC),
        },
    )
    shop = ShopSettings(
        channel="taobao",
        shop_id="sample-flagship",
        base_url="http://127.0.0.1:9/taobao",
        app_key="12345678",
        app_secret=SecretStr("app-secret-of-the-kit"),
        access_token=SecretStr("session-of-the-kit"),
    )
    signed = SignedRequest(
        headers={
            ":path": "/spi?app_key=12345678&method=example.spi&timestamp=2026-09-20+12%3A00%3A00"
            "&sign=7AB5536CC213121F75BE741BA8AC25AF",
            "top-sign-list": "x-demo",
            "x-demo": "1",
        },
        body=b'{"tid":"3000000000000000001"}',
        secret="helloworld",
    )
    # MD5 over secret, all parameters sorted, key and value joined, secret: as TOP's SDKs check forms
    signed_form = SignedRequest(
        headers={
            ":path": "/spi?app_key=12345678&method=example.spi&timestamp=2026-09-20+12%3A00%3A00"
            "&sign=49C68BBF5425716975F74DA3F9CA5280",
            "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
            "top-sign-list": "x-demo",
            "x-demo": "1",
        },
        body=b"tid=3000000000000000001&buyer_memo=a+b%26c%3D1",
        secret="helloworld",
    )

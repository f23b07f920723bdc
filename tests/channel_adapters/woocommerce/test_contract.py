"""WooCommerce keeps what every channel keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from channel_adapters.contract import ChannelRefused, UnreadablePayload
from channel_adapters.shop import ShopSettings
from tests.channel_adapters.contract import Cancelled, ChannelAdapterContract, Forms, SignedRequest


class TestWooCommerceContract(ChannelAdapterContract):
    channel = "woocommerce"
    payloads = Path(__file__).parent / "payloads"
    orders_in: ClassVar = {
        "01_simple_paid.json": 1,
        "02_list_variations_coupon.json": 2,
        "03_unpaid_pending.json": 1,
        "04_cancelled.json": 1,
        "05_partial_refund_order.json": 1,
        "07_gift_and_preorder_meta.json": 1,
    }
    refused: ClassVar = {
        "06_refund_objects.json": UnreadablePayload,
        "08_webhook_delete_body_unverified.json": UnreadablePayload,
        "09_error_401.json": ChannelRefused,
        "10_error_404.json": ChannelRefused,
    }
    status_paths: ClassVar = [("status",), ("03_unpaid_pending.json", ("status",))]
    cancelled = Cancelled("04_cancelled.json", [("line_items",), ("total",), ("billing",), ("currency",)])
    decoration: ClassVar = [
        ("meta_data",),
        ("coupon_lines",),
        ("shipping_lines",),
        ("customer_note",),
        ("number",),
        ("line_items", 0, "meta_data"),
        ("line_items", 0, "name"),
        ("line_items", 0, "variation_id"),
    ]
    text_or_number: ClassVar = [("id",), ("parent_id",), ("customer_id",), ("number",), ("line_items", 0, "quantity")]
    page = "02_list_variations_coupon.json"
    lists: ClassVar = [("line_items",), ("meta_data",), ("refunds",), ("coupon_lines",)]
    amount = Forms(("total",), {"14.00": 1400, "14": 1400, 14.5: 1450, "0.10": 10, "12.300000": 1230})
    moment = Forms(
        ("date_created_gmt",),
        {
            "2026-09-20T16:00:00": datetime(2026, 9, 20, 16, 0, tzinfo=UTC),
            "2026-09-20T23:59:59Z": datetime(2026, 9, 20, 23, 59, 59, tzinfo=UTC),
        },
    )
    bad_amounts = ("1.2.3", "abc", "", "-1.00", "1,000.00", None, True, [], {})
    shop = ShopSettings(
        channel="woocommerce",
        shop_id="contract-shop",
        base_url="https://shop.example.com",
        app_key="ck_example",
        app_secret=SecretStr("cs_do_not_tell"),
        webhook_secret=SecretStr("hook-do-not-tell"),
    )
    signed = SignedRequest(
        headers={"x-wc-webhook-signature": "Quu8zSM+owopy+wzLsei3zN6JdjIGNIWLlV2Vv/3/NM="},
        body=b'{"id":1001,"status":"processing"}',
        secret="example-webhook-secret",
    )


class TestWooCommerceOverPlainHttpContract(TestWooCommerceContract):
    """The same shop without TLS: key and secret only sign."""

    shop = TestWooCommerceContract.shop.model_copy(update={"base_url": "http://shop.example.com"})

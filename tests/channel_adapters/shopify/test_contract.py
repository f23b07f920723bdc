"""Shopify keeps what every channel keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from channel_adapters.contract import ChannelUnavailable
from channel_adapters.shop import ShopSettings
from tests.channel_adapters.contract import Cancelled, ChannelAdapterContract, Forms, SignedRequest


class TestShopifyContract(ChannelAdapterContract):
    channel = "shopify"
    payloads = Path(__file__).parent / "payloads"
    reference = "01_simple_paid_webhook_body.json"
    orders_in: ClassVar = {
        "01_simple_paid_webhook_body.json": 1,
        "02_orders_list_page.json": 2,
        "03_cancelled_voided.json": 1,
        "04_partially_refunded_line.json": 1,
        "05_gift_line_and_cold_tag.json": 1,
        "06_preorder_partially_paid.json": 1,
        "07_fulfilled_with_tracking.json": 1,
    }
    refused: ClassVar = {"08_rest_error_429.json": ChannelUnavailable, "09_graphql_throttled.json": ChannelUnavailable}
    status_paths: ClassVar = [
        ("financial_status",),
        ("fulfillment_status",),
        ("line_items", 0, "fulfillment_status"),
        ("04_partially_refunded_line.json", ("refunds", 0, "refund_line_items", 0, "restock_type")),
    ]
    cancelled = Cancelled("03_cancelled_voided.json", [("line_items",), ("total_price",), ("financial_status",)])
    decoration: ClassVar = [
        ("note_attributes",),
        ("tags",),
        ("discount_codes",),
        ("shipping_lines",),
        ("payment_terms",),
        ("customer",),
        ("line_items", 0, "properties"),
        ("line_items", 0, "title"),
        ("line_items", 0, "variant_id"),
    ]
    text_or_number: ClassVar = [("id",), ("line_items", 0, "id"), ("line_items", 0, "quantity")]
    page = "02_orders_list_page.json"
    lists: ClassVar = [("line_items",), ("refunds",), ("fulfillments",), ("note_attributes",)]
    amount = Forms(("total_price",), {"14.00": 1400, "14": 1400, 14.5: 1450, "0.10": 10, "12.300": 1230})
    moment = Forms(
        ("created_at",),
        {
            "2026-09-20T09:00:00-07:00": datetime(2026, 9, 20, 16, 0, tzinfo=UTC),
            "2026-09-20T09:00:00+08:00": datetime(2026, 9, 20, 1, 0, tzinfo=UTC),
            "2026-09-20T23:59:59Z": datetime(2026, 9, 20, 23, 59, 59, tzinfo=UTC),
        },
    )
    bad_amounts = ("1.2.3", "abc", "", "-1.00", "1,000.00", None, True, [], {})
    shop = ShopSettings(
        channel="shopify",
        shop_id="contract-shop",
        base_url="https://sample-shop.myshopify.com",
        access_token=SecretStr("shpat_do_not_tell"),
        webhook_secret=SecretStr("hook-do-not-tell"),
    )
    signed = SignedRequest(
        headers={"x-shopify-hmac-sha256": "Bqlf0WFTXkPHQppZOE67G+IoQZl33Be4goXjiGowUBY="},
        body=b'{"id":5500000000001,"name":"#1001"}',
        secret="example-client-secret",
    )

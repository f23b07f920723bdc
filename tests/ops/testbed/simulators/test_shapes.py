"""Payloads are as full as recorded ones: every name that a recorded order holds, with the same kind of value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.ops.testbed.simulators.builders import ORDER_OF
from tests.ops.testbed.simulators.conftest import Quiet

PAYLOADS = Path(__file__).parents[3] / "channel_adapters"

TRADE = ("trade_fullinfo_get_response", "trade")
TRADES = ("trades_sold_increment_get_response", "trades", "trade")
PDD = ("order_info_get_response", "order_info")
DOUYIN = ("data", "shop_order_detail")
JD = ("jingdong_pop_order_get_responce", "orderDetailInfo", "orderInfo")
JD_LIST = ("jingdong_pop_order_search_responce", "searchorderinfo_result", "orderInfoList")

# Of each channel: a story and a recorded order of the same kind, by file and path.
RECORDED = (
    ("taobao", "remarks", "01_simple_paid", TRADE),
    ("taobao", "unpaid-lapsed", "03_unpaid_and_closed_list", (*TRADES, 0)),
    ("taobao", "unpaid-closed", "03_unpaid_and_closed_list", (*TRADES, 1)),
    ("taobao", "refunded-before-shipping", "03_unpaid_and_closed_list", (*TRADES, 2)),
    ("taobao", "gift-with-main", "05_gift_suborder_and_text_gift", TRADE),
    ("taobao", "presale-deposit", "06_presale_deposit_paid", TRADE),
    ("pinduoduo", "remarks", "01_simple_paid", PDD),
    ("pinduoduo", "presale-deposit", "06_presale_deposit_paid", PDD),
    ("pinduoduo", "under-review", "08_under_review_blank_receiver", PDD),
    ("pinduoduo", "refunded-before-shipping", "04_refund_success_before_ship", PDD),
    ("douyin", "remarks", "01_simple_paid_detail", DOUYIN),
    ("douyin", "line-refunded", "04_one_sku_refunded", DOUYIN),
    ("douyin", "gift-with-main", "05_gift_sku_order", DOUYIN),
    ("douyin", "presale-deposit", "06_presale_deposit_paid", DOUYIN),
    ("jd", "remarks", "01_simple_paid_detail", JD),
    ("jd", "shipped-elsewhere", "02_list_multi_item_with_coupons", (*JD_LIST, 1)),
    ("woocommerce", "remarks", "01_simple_paid", ()),
    ("woocommerce", "unpaid-lapsed", "03_unpaid_pending", ()),
    ("woocommerce", "line-refunded", "05_partial_refund_order", ()),
    ("shopify", "remarks", "01_simple_paid_webhook_body", ()),
    ("shopify", "line-refunded", "04_partially_refunded_line", ("order",)),
    ("shopify", "presale-deposit", "06_preorder_partially_paid", ("order",)),
    ("shopify", "shipped-elsewhere", "07_fulfilled_with_tracking", ("order",)),
)  # fmt: skip

PLACEHOLDERS = ("_demo", "demo_")

# In the recorded order by chance, not by its kind.
CHANCE = {"taobao": {"promotion_details"}}

NUMBERS = (int, float)


@pytest.mark.parametrize(("channel", "story", "file", "path"), RECORDED)
def test_an_order_has_every_name_that_a_recorded_one_has(
    quiet: Quiet, channel: str, story: str, file: str, path: tuple[str | int, ...]
) -> None:
    recorded = json.loads((PAYLOADS / channel / "payloads" / f"{file}.json").read_text("utf-8"))
    for step in path:
        recorded = recorded[step]
    sale = next(sale for sale in quiet.sales(channel) if sale.story == story)
    written = orjson.loads(orjson.dumps(ORDER_OF[channel](sale)))
    assert list(differences(recorded, written, "", CHANCE.get(channel, set()))) == []


def differences(recorded: Any, written: Any, where: str, chance: set[str]) -> list[str]:
    """Names that are missing, and values of another kind. Null and empty lists say nothing about their kind."""
    if recorded is None or written is None:
        return []
    if isinstance(recorded, dict) and isinstance(written, dict):
        names = [name for name in recorded if name not in chance and not any(mark in name for mark in PLACEHOLDERS)]
        missing = [f"{where}.{name} is missing" for name in names if name not in written]
        inner = [
            differences(recorded[name], written[name], f"{where}.{name}", chance) for name in names if name in written
        ]
        return missing + [found for each in inner for found in each]
    if isinstance(recorded, list) and isinstance(written, list):
        return differences(recorded[0], written[0], f"{where}[0]", chance) if recorded and written else []
    alike = isinstance(written, type(recorded)) or (isinstance(recorded, NUMBERS) and isinstance(written, NUMBERS))
    return [] if alike else [f"{where} is a {type(written).__name__}, recorded as a {type(recorded).__name__}"]

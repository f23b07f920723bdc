"""What may be personal in a platform's JSON is hidden: everything that is not known to be harmless."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.product_code import ROOT
from workers.admin.desk.masking import HIDDEN, masked

PAYLOADS = sorted((ROOT / "tests" / "channel_adapters").glob("*/payloads/*.json"))
PERSONAL = ("name", "phone", "mobile", "address", "street", "message", "memo", "email", "postcode", "zip", "note")


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("tid", "2700000000000000001", True),
        ("receiver_name", "张三", False),
        ("receiverName", "张三", False),
        ("item_title", "坚果礼盒", True),
        ("item_title", "坚果礼盒 致 13800000000", False),
        ("buyer_message", "送给李四", False),
        ("order_id", "li@example.com", False),
        ("created", "2026-11-11 00:00:01", True),
        ("something_new", "anything", False),
        ("total_price", "12.50", True),
        ("shipping_address_1", "示例路 9 号", False),
        ("is_gift", True, True),
        ("anything", None, True),
    ],
)
def test_a_value_is_shown_only_where_its_name_is_known_to_be_harmless(name: str, value: Any, shown: bool) -> None:
    assert masked({name: value}) == {name: value if shown else HIDDEN}


def test_a_key_that_is_data_itself_does_not_count() -> None:
    assert masked({"mobiles": {"13800000000": "x"}}) == {"mobiles": {"13800000000": HIDDEN}}


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_no_text_of_a_recorded_payload_under_a_personal_name_is_shown(path: Any) -> None:
    try:
        body = json.loads(path.read_bytes())
    except ValueError:
        pytest.skip("no JSON")
    assert [found for found in _texts(masked(body)) if found] == []


def _texts(body: Any, name: str = "") -> list[str]:
    if isinstance(body, dict):
        return [text for key, value in body.items() for text in _texts(value, key)]
    if isinstance(body, list):
        return [text for each in body for text in _texts(each, name)]
    told = isinstance(body, str) and body not in ("", HIDDEN)
    return [f"{name}: {body}"] if told and name.lower().startswith(PERSONAL) else []

"""Documents to make mutants of: what each platform was recorded to send, and what the simulated ones send."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any, Final

from ops.bench.orders import raw_orders
from ops.testbed.fuzz.mutations import Mutator, Path, paths_of
from schemas.topics import ORDERS_RAW

_RECORDED: Final = FilePath(__file__).parents[3] / "tests" / "channel_adapters"
_SIMULATED: Final = 150  # orders over all channels
_MOST_WORDS: Final = 50
_DEEPEST_PAGE: Final = 5


def _keys(names: str) -> frozenset[str]:
    return frozenset(names.split())


DECORATION: Final[dict[str, frozenset[str]]] = {
    "taobao": _keys(
        "seller_memo buyer_message seller_flag pic_path title sku_properties_name service_tags logistics_tag "
        "promotion_details promise_service buyer_rate seller_rate can_rate has_yfx alipay_point logistics_company "
        "invoice_no shipping_type buyer_nick"
    ),
    "pinduoduo": _keys(
        "remark remark_tag remark_tag_name card_info_list extra_delivery_list resend_delivery_list service_fee_detail "
        "goods_img goods_name goods_spec invoice_status mkt_biz_type order_depot_info cat_id_1 cat_id_2 cat_id_3 "
        "cat_id_4 inner_transaction_id pay_no buyer_memo order_tag_list logistics_id bonded_warehouse"
    ),
    "douyin": _keys(
        "campaign_info coupon_info redpack_info full_discount_info shop_order_tag_ui sku_order_tag_ui user_tag_ui "
        "address_tag_ui platform_discount_detail shop_discount_detail kol_discount_detail promise_info buyer_words "
        "seller_words seller_remark_stars product_pic product_name spec sku_specs sku_customization_info author_name "
        "author_id room_id video_id order_status_desc order_type_desc main_status_desc b_type_desc logistics_info "
        "serial_number_list warehouse_ids inventory_list given_product_activity_info extra added_services"
    ),
    "jd": _keys(
        "couponDetailList itemExt orderExt orderRemark venderRemark invoiceInfo invoiceEasyInfo vatInfo skuName "
        "venderRemarkLevelFlag waybill logisticsId giftPoint productNo customs orderMarkDesc invoiceCode invoiceTitle "
        "invoiceContentId wareId pin"
    ),
    "woocommerce": _keys(
        "meta_data coupon_lines customer_note payment_method_title image _links order_key transaction_id cart_hash "
        "customer_user_agent created_via customer_ip_address parent_name tax_lines taxes instance_id"
    ),
    "shopify": _keys(
        "note note_attributes properties tags discount_applications discount_codes landing_site referring_site "
        "browser_ip attributed_staffs vendor variant_title gateway payment_gateway_names source_name email "
        "contact_email total_weight grams admin_graphql_api_id tax_lines duties"
    ),
}
"""Keys of which no value may refuse an order or change what is shipped (with everything below them)."""


@dataclass(frozen=True)
class Sample:
    """A recorded body and what can be made of it. `rows`: where its orders stand, when it is a page of several."""

    name: str
    body: bytes
    mutator: Mutator
    decoration: tuple[Path, ...]
    rows: Path | None = None


@cache
def samples(channel: str) -> list[Sample]:
    """All bodies of one channel. Raises RuntimeError outside a checkout: recorded ones lie with the tests."""
    files = sorted((_RECORDED / channel / "payloads").glob("*.json"))
    if not files:
        raise RuntimeError(f"no recorded payloads of {channel} in {_RECORDED}: run this in a checkout")
    found = [(file.name, json.loads(file.read_bytes())) for file in files]
    found += [(f"simulated-{number}", json.loads(body)) for number, body in enumerate(_simulated(channel), start=1)]
    words = _words(document for _, document in found)
    return [_sample(name, document, channel, words) for name, document in found]


def _simulated(channel: str) -> list[bytes]:
    topic = ORDERS_RAW.of(channel)
    return [record.value for record in raw_orders(_SIMULATED) if record.topic == topic and record.value is not None]


def _sample(name: str, document: Any, channel: str, words: dict[str, list[Any]]) -> Sample:
    keys = DECORATION.get(channel, frozenset())
    decoration = tuple(path for path in paths_of(document) if any(key in keys for key in path if isinstance(key, str)))
    return Sample(name, json.dumps(document).encode(), Mutator(document, words), decoration, _rows(document))


def _rows(document: Any) -> Path | None:
    """The first list of two objects or more, from the top: a page's orders."""
    for path in ((), *sorted(paths_of(document), key=len)):
        here = _at(document, path)
        if isinstance(here, list) and len(here) > 1 and all(isinstance(each, dict) and len(each) > 8 for each in here):
            return path if len(path) < _DEEPEST_PAGE else None
    return None


def _words(documents: Iterable[Any]) -> dict[str, list[Any]]:
    """What each field holds anywhere."""
    words: dict[str, list[Any]] = {}
    for document in documents:
        for path in paths_of(document):
            key, value = path[-1], _at(document, path)
            known = words.setdefault(key, []) if isinstance(key, str) else []
            if (
                isinstance(key, str)
                and not isinstance(value, dict | list)
                and value not in known
                and len(known) < _MOST_WORDS
            ):
                known.append(value)
    return {key: values for key, values in words.items() if values}


def _at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document

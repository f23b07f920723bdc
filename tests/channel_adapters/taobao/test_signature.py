"""The published vectors of TOP's signature, and what a signature must not accept."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from channel_adapters.contract import ForgedRequest
from channel_adapters.shop import ShopSettings
from channel_adapters.taobao.adapter import ADAPTER
from channel_adapters.taobao.signature import SignMethod, matches, sign, sign_inbound

SECRET = "helloworld"
SHOP = ShopSettings(
    channel="taobao", shop_id="main", base_url="http://x", app_key="12345678", webhook_secret=SecretStr(SECRET)
)

SELLER_GET = {
    "method": "taobao.item.seller.get",
    "app_key": "12345678",
    "session": "test",
    "timestamp": "2016-01-01 12:00:00",
    "format": "json",
    "v": "2.0",
    "fields": "num_iid,title,nick,price,num",
    "num_iid": "11223344",
}

INCREMENT = {
    "method": "taobao.trades.sold.increment.get",
    "app_key": "12345678",
    "session": "exampleSession",
    "timestamp": "2026-09-20 12:00:00",
    "format": "json",
    "v": "2.0",
    "fields": "tid,status,orders",
    "start_modified": "2026-09-20 11:00:00",
    "end_modified": "2026-09-20 11:30:00",
    "page_no": "1",
    "page_size": "50",
    "use_has_next": "true",
}


@pytest.mark.parametrize(
    ("parameters", "method", "expected"),
    [
        (SELLER_GET, "md5", "66987CB115214E59E6EC978214934FB8"),
        (SELLER_GET, "hmac", "D56D7858309C31B6251083A874D48273"),
        (SELLER_GET, "hmac-sha256", "04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8"),
        (INCREMENT, "hmac-sha256", "61318B2E8221835AC2FFCE23CB3C5B127FD3C931C59D9AB0B08592BADE0752BD"),
        (INCREMENT, "md5", "206A4E7D711B9144A7858988D2DBE11A"),
    ],
)
def test_a_call_is_signed_as_published(parameters: Mapping[str, str], method: SignMethod, expected: str) -> None:
    assert sign({**parameters, "sign_method": method}, SECRET, method) == expected


def test_the_order_of_parameters_does_not_matter() -> None:
    assert sign(dict(reversed(INCREMENT.items())), SECRET) == sign(INCREMENT, SECRET)


def test_the_sign_itself_and_empty_parameters_are_not_signed() -> None:
    assert sign({**INCREMENT, "sign": "ABC", "status": "", "": "x"}, SECRET) == sign(INCREMENT, SECRET)


@pytest.mark.parametrize("name", list(INCREMENT))
def test_every_parameter_is_signed(name: str) -> None:
    assert sign({**INCREMENT, name: INCREMENT[name] + "x"}, SECRET) != sign(INCREMENT, SECRET)


# -- calls the platform makes to us --------------------------------------------------------------------------------

QUERY = {"app_key": "12345678", "method": "example.spi", "timestamp": "2026-09-20 12:00:00"}
BODY = b'{"tid":"3000000000000000001"}'
SPI_SIGN = "7AB5536CC213121F75BE741BA8AC25AF"


def headers(query: Mapping[str, str], **more: str) -> dict[str, str]:
    return {":path": f"/spi?{urlencode(query)}", **{name.replace("_", "-"): value for name, value in more.items()}}


def test_an_inbound_call_is_signed_with_its_listed_headers_and_body() -> None:
    assert sign_inbound({**QUERY, "x-demo": "1"}, BODY, SECRET) == SPI_SIGN


def test_an_inbound_call_is_verified_from_its_query() -> None:
    ADAPTER.verify(headers({**QUERY, "sign": SPI_SIGN}, top_sign_list="x-demo", x_demo="1"), BODY, SHOP)


def test_headers_that_are_not_listed_are_not_signed() -> None:
    given = headers({**QUERY, "sign": SPI_SIGN}, top_sign_list="x-demo", x_demo="1", x_other="2")
    ADAPTER.verify(given, BODY, SHOP)


@pytest.mark.parametrize(
    "forged",
    [
        headers({**QUERY, "sign": SPI_SIGN}, top_sign_list="x-demo", x_demo="2"),
        headers({**QUERY, "sign": SPI_SIGN}, x_demo="1"),
        headers({**QUERY, "method": "other.spi", "sign": SPI_SIGN}, top_sign_list="x-demo", x_demo="1"),
        headers({**QUERY, "sign": SPI_SIGN.lower()}, top_sign_list="x-demo", x_demo="1"),
        headers({**QUERY, "sign": ""}, top_sign_list="x-demo", x_demo="1"),
        headers(QUERY, top_sign_list="x-demo", x_demo="1"),
        {},
    ],
)
def test_a_forged_inbound_call_is_refused(forged: Mapping[str, str]) -> None:
    with pytest.raises(ForgedRequest):
        ADAPTER.verify(forged, BODY, SHOP)


def test_a_call_for_another_app_is_refused_whoever_signed_it() -> None:
    query = {**QUERY, "app_key": "87654321"}
    signed = headers({**query, "sign": sign_inbound(query, BODY, SECRET)})
    with pytest.raises(ForgedRequest, match="another app"):
        ADAPTER.verify(signed, BODY, SHOP)


def test_signatures_are_compared_whatever_they_hold() -> None:
    assert matches("A1", "A1")
    assert not matches("中文\ud800", "A1")

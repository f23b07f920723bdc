"""Signatures of WooCommerce against known vectors."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime

import pytest

from channel_adapters.contract import ForgedRequest
from channel_adapters.hmac_header import base64_hmac
from channel_adapters.woocommerce.signature import (
    WEBHOOK,
    base_string,
    basic_authorization,
    is_safe_for_passwords,
    oauth_params,
)

BODY = b'{"id":1001,"status":"processing"}'
SECRET = "example-webhook-secret"
SIGNATURE = "Quu8zSM+owopy+wzLsei3zN6JdjIGNIWLlV2Vv/3/NM="


def test_a_webhook_is_signed_over_its_raw_body() -> None:
    assert base64_hmac(BODY, SECRET) == SIGNATURE
    WEBHOOK.check({"x-wc-webhook-signature": SIGNATURE}, BODY, SECRET)


def test_another_body_is_forged() -> None:
    with pytest.raises(ForgedRequest, match="x-wc-webhook-signature"):
        WEBHOOK.check({"x-wc-webhook-signature": SIGNATURE}, BODY.replace(b"1001", b"1002"), SECRET)


def test_a_shop_without_a_webhook_secret_accepts_nothing() -> None:
    empty = base64_hmac(BODY, "")
    with pytest.raises(ForgedRequest, match="webhook_secret"):
        WEBHOOK.check({"x-wc-webhook-signature": empty}, BODY, "")


def test_over_tls_key_and_secret_go_as_user_and_password() -> None:
    scheme, _, value = basic_authorization("ck_1", "cs_2").partition(" ")
    assert (scheme, b64decode(value)) == ("Basic", b"ck_1:cs_2")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://shop.example.com/wp-json", True),
        ("http://127.0.0.1:8080/woocommerce", True),
        ("http://localhost/x", True),
        ("http://shop.example.com", False),
        ("http://127.0.0.1.example.com", False),
    ],
)
def test_a_password_goes_only_where_nobody_listens(url: str, safe: bool) -> None:
    assert is_safe_for_passwords(url) is safe


def test_the_base_string_is_that_of_the_oauth_specification() -> None:
    """The example of OAuth Core 1.0, appendix A.5.1."""
    params = {
        "file": "vacation.jpg",
        "size": "original",
        "oauth_consumer_key": "dpf43f3p2l4k3l03",
        "oauth_token": "nnch734d00sl2jdk",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "1191242096",
        "oauth_nonce": "kllo9940pd9333jh",
        "oauth_version": "1.0",
    }
    assert base_string("get", "http://photos.example.net/photos", params) == (
        "GET&http%3A%2F%2Fphotos.example.net%2Fphotos&file%3Dvacation.jpg%26oauth_consumer_key%3Ddpf43f3p2l4k3l03"
        "%26oauth_nonce%3Dkllo9940pd9333jh%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1191242096"
        "%26oauth_token%3Dnnch734d00sl2jdk%26oauth_version%3D1.0%26size%3Doriginal"
    )


def test_over_plain_http_the_secret_only_signs() -> None:
    now = datetime(2026, 9, 20, 16, 0, tzinfo=UTC)
    url = "http://shop.example.com/wp-json/wc/v3/orders"
    params = oauth_params("GET", url, {"page": "1"}, "ck_1", "cs_2", "nonce", now)
    assert params["oauth_timestamp"] == "1789920000"
    assert params["oauth_signature_method"] == "HMAC-SHA256"
    assert "cs_2" not in str(params)
    # openssl dgst -sha256 -hmac 'cs_2&' -binary | base64, over the base string of these parameters
    assert params["oauth_signature"] == "WEZjZgZWGoxshc9xUPnZSNaQSs9BbuakkFPWwgo9iQo="

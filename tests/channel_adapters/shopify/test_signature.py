"""Signatures of Shopify against known vectors."""

from __future__ import annotations

import hmac

import pytest

from channel_adapters.contract import ForgedRequest
from channel_adapters.hmac_header import base64_hmac
from channel_adapters.shopify.signature import WEBHOOK, callback_signature

BODY = b'{"id":5500000000001,"name":"#1001"}'
SECRET = "example-client-secret"
SIGNATURE = "Bqlf0WFTXkPHQppZOE67G+IoQZl33Be4goXjiGowUBY="


def test_a_webhook_is_signed_over_its_raw_body() -> None:
    assert base64_hmac(BODY, SECRET) == SIGNATURE
    WEBHOOK.check({"x-shopify-hmac-sha256": SIGNATURE}, BODY, SECRET)


def test_another_body_is_forged() -> None:
    with pytest.raises(ForgedRequest, match="x-shopify-hmac-sha256"):
        WEBHOOK.check({"x-shopify-hmac-sha256": SIGNATURE}, BODY.replace(b"#1001", b"#1002"), SECRET)


def test_a_shop_without_a_webhook_secret_accepts_nothing() -> None:
    with pytest.raises(ForgedRequest, match="webhook_secret"):
        WEBHOOK.check({"x-shopify-hmac-sha256": base64_hmac(BODY, "")}, BODY, "")


def test_the_authorisation_callback_is_signed_over_its_sorted_parameters() -> None:
    params = {
        "timestamp": "1789866000",
        "state": "nonce1",
        "shop": "sample-shop.myshopify.com",
        "code": "examplecode",
        "hmac": "what it claims",
        "signature": "an older claim",
    }
    expected = "efcd6eccd99abe5e6c84cee27100dc27370b557f53ebfe8f9e636c0a378fcb78"
    assert callback_signature(params, SECRET) == expected


def test_one_parameter_of_a_callback_is_not_passed_off_as_two() -> None:
    whole = callback_signature({"shop": "a&state=1", "code": "50%"}, SECRET)
    assert whole != callback_signature({"shop": "a", "state": "1", "code": "50%"}, SECRET)
    assert whole == hmac.new(SECRET.encode(), b"code=50%25&shop=a%26state=1", "sha256").hexdigest()

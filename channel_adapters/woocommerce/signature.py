"""Who asks, and who tells: request authentication and webhook signatures. Pure.

Source: WooCommerce REST API manual, "Authentication" and "Webhooks"; OAuth 1.0a: RFC 5849 section 3.4.1.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlsplit

from channel_adapters.hmac_header import HmacHeader
from schemas.text import Text

SIGNATURE_HEADER: Final = "x-wc-webhook-signature"

WEBHOOK: Final = HmacHeader(
    SIGNATURE_HEADER,
    no_secret=Text(
        en="no webhook secret is set for this shop: copy it from the shop's webhook page into webhook_secret",
        zh="该店铺未设置 webhook 密钥：请把店铺 Webhook 页面中的密钥填入 webhook_secret",
    ),
)
"""Over the raw body, keyed with the webhook's own secret."""


def basic_authorization(key: str, secret: str) -> str:
    """The Authorization header over HTTPS: consumer key and secret as user and password."""
    return "Basic " + b64encode(f"{key}:{secret}".encode()).decode()


def base_string(method: str, url: str, params: Mapping[str, str]) -> str:
    """What OAuth 1.0a signs: method, address and sorted parameters, each percent-encoded (RFC 5849, 3.4.1)."""
    pairs = sorted((_encode(name), _encode(value)) for name, value in params.items())
    query = "&".join(f"{name}={value}" for name, value in pairs)
    return "&".join(_encode(part) for part in (method.upper(), url, query))


def oauth_params(
    method: str, url: str, params: Mapping[str, str], key: str, secret: str, nonce: str, now: datetime
) -> dict[str, str]:
    """`params` with the OAuth 1.0a one-legged signature a shop over plain HTTP asks for. `url` without its query."""
    signed = {
        **params,
        "oauth_consumer_key": key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(now.timestamp())),
    }
    digest = hmac.digest(f"{_encode(secret)}&".encode(), base_string(method, url, signed).encode(), sha256)
    return {**signed, "oauth_signature": b64encode(digest).decode()}


def is_safe_for_passwords(url: str) -> bool:
    """Whether Basic authentication may go there: over TLS, or to this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")


def _encode(text: str) -> str:
    return quote(text, safe="-._~")

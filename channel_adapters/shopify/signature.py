"""Signatures of webhooks and of the authorisation callback. Pure.

Source: Shopify developer manual, "Verify webhook deliveries" and "Verify the installation request".
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256

from channel_adapters.contract import ForgedRequest, Headers
from schemas.text import Text

SIGNATURE_HEADER = "x-shopify-hmac-sha256"


def webhook_signature(body: bytes, secret: str) -> str:
    """Base64 of the HMAC-SHA256 of the raw body, keyed with the app's client secret. Headers are not covered."""
    return b64encode(hmac.digest(secret.encode(), body, sha256)).decode()


_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{43}=")
_FORGED = Text(
    en=f"the header {SIGNATURE_HEADER} is missing or does not match the body",
    zh=f"请求头 {SIGNATURE_HEADER} 缺失或与内容不符",
)


def verify_webhook_headers(headers: Headers) -> None:
    """Refuse a push whose header holds no signature of the right form. Raises ForgedRequest."""
    if not _SIGNATURE.fullmatch(headers.get(SIGNATURE_HEADER, "")):
        raise ForgedRequest(_FORGED)


def verify_webhook(headers: Headers, body: bytes, secret: str) -> None:
    """Refuse a body that does not carry its signature. Raises ForgedRequest."""
    if not secret:
        raise ForgedRequest(
            Text(
                en="no webhook secret is set for this shop: put the app's client secret into webhook_secret",
                zh="该店铺未设置 webhook 密钥：请把应用的 client secret 填入 webhook_secret",
            )
        )
    claimed = headers.get(SIGNATURE_HEADER, "")
    if not hmac.compare_digest(claimed.encode(), webhook_signature(body, secret).encode()):
        raise ForgedRequest(_FORGED)


def callback_signature(params: Mapping[str, str], secret: str) -> str:
    """Hex HMAC-SHA256 of the authorisation callback's parameters, without its signatures, sorted.

    What separates them is escaped inside names and values, or one parameter could be passed off as two.
    """
    pairs = (
        (name.replace("%", "%25").replace("=", "%3D"), value.replace("%", "%25"))
        for name, value in params.items()
        if name not in ("hmac", "signature")
    )
    message = "&".join(sorted(f"{name}={value}".replace("&", "%26") for name, value in pairs))
    return hmac.new(secret.encode(), message.encode(), sha256).hexdigest()

"""Signatures of webhooks and of the authorisation callback. Pure.

Source: Shopify developer manual, "Verify webhook deliveries" and "Verify the installation request".
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from channel_adapters.hmac_header import HmacHeader
from schemas.text import Text

SIGNATURE_HEADER: Final = "x-shopify-hmac-sha256"

WEBHOOK: Final = HmacHeader(
    SIGNATURE_HEADER,
    no_secret=Text(
        en="no webhook secret is set for this shop: put the app's client secret into webhook_secret",
        zh="该店铺未设置 webhook 密钥：请把应用的 client secret 填入 webhook_secret",
    ),
)
"""Over the raw body, keyed with the app's client secret."""


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

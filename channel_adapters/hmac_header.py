"""Pushes that carry the HMAC-SHA256 of their raw body, in Base64, in a header. Pure."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from channel_adapters.contract import ForgedRequest, Headers
from schemas.text import Text

_FORM: Final = re.compile(r"[A-Za-z0-9+/]{43}=")


def base64_hmac(body: bytes, secret: str) -> str:
    """Base64 of the HMAC-SHA256 of the raw body. Headers are not covered."""
    return b64encode(hmac.digest(secret.encode(), body, sha256)).decode()


@dataclass(frozen=True, slots=True)
class HmacHeader:
    """Checks the header of one platform. `no_secret`: what to do when a shop has no secret to check it with."""

    name: str
    no_secret: Text

    def check_form(self, headers: Headers) -> None:
        """Refuse a push whose header holds no signature of the right form. Raises ForgedRequest."""
        if not _FORM.fullmatch(headers.get(self.name, "")):
            raise self._forged()

    def check(self, headers: Headers, body: bytes, secret: str) -> None:
        """Refuse a body that does not carry its signature, in constant time. Raises ForgedRequest."""
        if not secret:
            raise ForgedRequest(self.no_secret)
        if not hmac.compare_digest(headers.get(self.name, "").encode(), base64_hmac(body, secret).encode()):
            raise self._forged()

    def _forged(self) -> ForgedRequest:
        return ForgedRequest(
            Text(
                en=f"the header {self.name} is missing or does not match the body",
                zh=f"请求头 {self.name} 缺失或与内容不符",
            )
        )

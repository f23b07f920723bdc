"""How TOP requests are signed (TOP docs, article 101617 "sign"). Pure.

Our calls are signed with HMAC-SHA256; the platform's calls to us (SPI) still carry the MD5 form.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import md5, sha256
from typing import Literal

SignMethod = Literal["md5", "hmac", "hmac-sha256"]


def sign(parameters: Mapping[str, str], secret: str, method: SignMethod = "hmac-sha256") -> str:
    """The `sign` of a call: upper-case hex over all its text parameters, those with no name or no value left out."""
    joined = _joined(parameters)
    if method == "md5":
        return _md5(f"{secret}{joined}{secret}".encode())
    digest = md5 if method == "hmac" else sha256
    return hmac.new(secret.encode(), joined.encode(), digest).hexdigest().upper()


def sign_inbound(parameters: Mapping[str, str], body: bytes, secret: str) -> str:
    """The `sign` of a call the platform makes to us: query parameters and listed headers, then the raw body."""
    return _md5(f"{secret}{_joined(parameters)}".encode() + body + secret.encode())


def matches(given: str, expected: str) -> bool:
    """Whether two signatures are the same, in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _joined(parameters: Mapping[str, str]) -> str:
    return "".join(
        f"{name}{parameters[name]}" for name in sorted(parameters) if name != "sign" and name and parameters[name]
    )


def _md5(text: bytes) -> str:
    return md5(text, usedforsecurity=False).hexdigest().upper()

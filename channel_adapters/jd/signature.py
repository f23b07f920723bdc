"""How JD signs calls: the routerjson gateway and the newer SP-API. JD pushes no order messages to POP sellers.

Both wrap the sorted pairs, key and value joined, in the secret and take MD5 in upper hex.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

VERSION = "2.0"
PARAM_JSON = "360buy_param_json"


def param_json(parameters: Mapping[str, object]) -> str:
    """The business parameters of a routerjson call, as the text that is both signed and sent."""
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(parameters: Mapping[str, str], secret: str) -> str:
    """The `sign` of a routerjson call over all its other parameters."""
    return _wrapped("".join(f"{key}{parameters[key]}" for key in sorted(parameters)), secret)


def sign_sp(headers: Mapping[str, str], parameters: Mapping[str, str], body: str, secret: str) -> str:
    """The `X-JOS-Sign` of an SP-API call: its X-JOS headers, query and path parameters, and a body that says anything.

    `X-JOS-Request-Identity` and the sign itself are not signed.
    """
    unsigned = ("X-JOS-Request-Identity", "X-JOS-Sign")
    pairs = {key: value for key, value in headers.items() if key not in unsigned}
    pairs.update(parameters)
    if body not in ("", "{}"):
        pairs["body"] = body
    return sign(pairs, secret)


def _wrapped(text: str, secret: str) -> str:
    whole = f"{secret}{text}{secret}".encode()
    return hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()  # the platform's choice, not ours

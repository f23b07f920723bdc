"""How doudian signs: calls we make (HMAC-SHA256) and messages it pushes (MD5 in the `event-sign` header).

The steps are those that the public SDKs of the doudian open platform agree on.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping

from channel_adapters.contract import ForgedRequest, Headers
from schemas.text import Text

VERSION = "2"
SIGN_METHOD = "hmac-sha256"


def param_json(parameters: Mapping[str, object]) -> str:
    """The business parameters as the text that is both signed and sent: keys sorted at every level, no blanks."""
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(app_key: str, app_secret: str, method: str, params: str, timestamp: str) -> str:
    """The `sign` of a call: lower hex. `access_token` and `sign_method` are sent but not signed."""
    pairs = f"app_key{app_key}method{method}param_json{params}timestamp{timestamp}v{VERSION}"
    text = f"{app_secret}{pairs}{app_secret}".encode()
    return hmac.new(app_secret.encode(), text, hashlib.sha256).hexdigest()


def sign_push(app_key: str, app_secret: str, body: bytes) -> str:
    """The `event-sign` of a push: lower hex MD5 over app key, raw body and app secret."""
    text = app_key.encode() + body + app_secret.encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest()  # the platform's choice, not ours


_EVENT_SIGN = re.compile(r"[0-9a-f]{32}")
_FORGED = Text(
    en="douyin: the push carries no valid event-sign; check the app secret in the shop's settings",
    zh="抖店：推送消息的 event-sign 无效，请检查店铺设置中的 app secret",
)
_OTHER_APP = Text(
    en="douyin: the push is meant for another app than the shop's app_key names; compare it with the app at doudian",
    zh="抖店：推送消息的 app-id 与店铺设置中的 app_key 不是同一个应用，请与抖店开放平台核对",
)


def verify_push_headers(headers: Headers, app_key: str) -> None:
    """Refuse a push without an `event-sign` or for another app. `app_key` "" = not configured, so not compared.

    The `app-id` must be digits, or a forger could move the border between key and body. Raises ForgedRequest.
    """
    app_id = headers.get("app-id", "")
    if not (app_id.isascii() and app_id.isdigit() and _EVENT_SIGN.fullmatch(_given(headers))):
        raise ForgedRequest(_FORGED)
    if app_key and app_id != app_key:
        raise ForgedRequest(_OTHER_APP)


def verify_push(headers: Headers, body: bytes, app_secret: str, app_key: str = "") -> None:
    """Check `event-sign` over the raw body, then over the body without the white space around it.

    One public SDK strips first, the others do not. Raises ForgedRequest.
    """
    verify_push_headers(headers, app_key)
    app_id, given = headers["app-id"], _given(headers).encode()
    if app_secret:
        for text in (body, body.strip()):
            if hmac.compare_digest(sign_push(app_id, app_secret, text).encode(), given):
                return
    raise ForgedRequest(_FORGED)


def _given(headers: Headers) -> str:
    return headers.get("event-sign", "").strip().lower()

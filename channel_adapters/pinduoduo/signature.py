"""How Pinduoduo requests are signed (open platform docs: calling the API). Pure.

The platform signs no message of its own: what comes through its message channel is trusted because we opened the
connection, with a token made from our secret.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5
from urllib.parse import quote


def sign(parameters: Mapping[str, str], client_secret: str) -> str:
    """The `sign` of a call: upper-case hex MD5 over all its parameters. Lists and objects are given as their JSON."""
    joined = "".join(f"{name}{value}" for name, value in sorted(parameters.items()) if name != "sign")
    return _md5(f"{client_secret}{joined}{client_secret}").upper()


def message_channel_path(client_id: str, time_ms: int, client_secret: str) -> str:
    """The path that opens the message channel (PMC) at `time_ms`, unix milliseconds."""
    token = b64encode(_md5(f"{client_id}{time_ms}{client_secret}").encode()).decode()
    return f"/message/{client_id}/{time_ms}/{quote(token, safe='')}"


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()

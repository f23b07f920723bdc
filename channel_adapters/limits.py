"""What a payload may be before any parser sees it, and mending what no parser takes."""

from __future__ import annotations

import json
import re
from math import isinf
from typing import Any, Final

from channel_adapters.refusal import reject
from schemas.codes import PayloadProblem

MAX_PAYLOAD_BYTES: Final = 10 << 20
"""One order object. Real ones stay under 100 kB; the limit keeps one hostile body from filling a worker."""

MAX_BODY_BYTES: Final = 8 * MAX_PAYLOAD_BYTES
"""A page of order objects."""

MAX_ELEMENTS: Final = 400_000
"""Commas and opening brackets of one order object: an order of 2,000 lines has half of that at the most."""

MAX_BODY_ELEMENTS: Final = 1_000_000

MAX_DIGITS: Final = 400
"""Of one number. Python refuses to write integers of more than 4,300 digits."""


def check_payload(payload: bytes) -> None:
    """Refuse what is too large for one order: too-large, too-many-elements."""
    _check(payload, MAX_PAYLOAD_BYTES, MAX_ELEMENTS)


def check_body(body: bytes) -> None:
    """Refuse what is too large for a page of orders: too-large, too-many-elements."""
    _check(body, MAX_BODY_BYTES, MAX_BODY_ELEMENTS)


def _check(body: bytes, most_bytes: int, most_elements: int) -> None:
    size = len(body)
    if size <= most_elements:  # an element takes a byte at the least: nearly every order ends here
        return
    if size > most_bytes:
        reject("too-large", "", PayloadProblem.LARGER_THAN(megabytes=most_bytes >> 20))
    if body.count(b",") + body.count(b"{") + body.count(b"[") > most_elements:
        reject("too-many-elements", "", PayloadProblem.ELEMENTS_OVER(most=most_elements))


# -- mending -------------------------------------------------------------------------------------------------------

_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_NO_NUMBER: Final = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_BREAKS: Final = bytes(each if each >= 0x20 else 0x20 for each in range(256))


def mended(payload: bytes) -> bytes:
    """The same JSON with what no parser takes replaced: bytes that are no UTF-8, half a surrogate pair, control
    characters, NaN and Infinity (null).
    """
    text = payload.removeprefix(b"\xef\xbb\xbf")
    if not text.isascii():
        text = text.decode("utf-8", "replace").encode()
    text = text.translate(_BREAKS)
    if b"\\u" in text:
        text = _ESCAPE.sub(lambda match: b"\\ufffd" if match[1] else match[0], text)
    if b"NaN" in text or b"Infinity" in text:
        text = _NO_NUMBER.sub(lambda match: match[1] or b"null", text)
    return text


def loosely(payload: bytes) -> Any:
    """The JSON as plain Python values, numbers exact; a number out of all bounds is None. Refuses by name."""
    try:
        return json.loads(mended(payload), parse_int=_integer, parse_float=_decimal)
    except RecursionError:
        reject("too-deep", "", PayloadProblem.NESTED_TOO_DEEP())
    except ValueError:
        reject("broken-json", "", PayloadProblem.NOT_JSON())


def _integer(text: str) -> int | None:
    return int(text) if len(text) <= MAX_DIGITS else None


def _decimal(text: str) -> float | None:
    number = float(text)
    return None if isinf(number) else number

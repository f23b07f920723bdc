"""Refusing a payload by name."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from channel_adapters.contract import OrderHint, UnreadablePayload
from schemas.codes import Explanation


def reject(code: str, where: str, explanation: Explanation) -> NoReturn:
    """Raise UnreadablePayload."""
    raise UnreadablePayload(code, where, explanation)


AN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


def hint(explanation: Explanation, *order_ids: object) -> NoReturn:
    """Raise OrderHint, with those of `order_ids` that look like ids."""
    texts = (str(each) for each in order_ids if type(each) in (int, str))
    raise OrderHint(explanation, [text for text in texts if AN_ID.fullmatch(text)])

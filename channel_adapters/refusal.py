"""Refusing a payload by name, in both languages."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from channel_adapters.contract import OrderHint, UnreadablePayload
from schemas.text import Text


def reject(code: str, where: str, en: str, zh: str) -> NoReturn:
    """Raise UnreadablePayload."""
    raise UnreadablePayload(code, where, Text(en=en, zh=zh))


AN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


def hint(en: str, zh: str, *order_ids: object) -> NoReturn:
    """Raise OrderHint, with those of `order_ids` that look like ids."""
    texts = (str(each) for each in order_ids if type(each) in (int, str))
    raise OrderHint(Text(en=en, zh=zh), [text for text in texts if AN_ID.fullmatch(text)])

"""Explanations in the caller's language: beside each code and its arguments stands the sentence."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.codes import Explanation, render
from schemas.text import Language


def worded(value: Any, language: Language) -> Any:
    """The value as JSON has it, each explanation in it with its `text`."""
    return _worded(msgspec.to_builtins(value, builtin_types=()), language)


def _worded(value: Any, language: Language) -> Any:
    if isinstance(value, list):
        return [_worded(each, language) for each in value]
    if not isinstance(value, dict):
        return value
    told = {name: _worded(each, language) for name, each in value.items()}
    if told.keys() == {"code", "args"} and isinstance(told["args"], dict):
        told["text"] = render(Explanation(code=told["code"], args=told["args"]), language)
    return told

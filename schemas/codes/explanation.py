"""What is to be told to people, as a code and its arguments: in no language yet."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Any

from schemas.record import record


@record
class Explanation:
    """Why something is as it is. `schemas.codes.render` makes a sentence of it where somebody reads it.

    Holds no personal data: it ends up in logs and on screens. A code that is not known comes from a newer version.
    """

    code: str
    args: dict[str, str | int] = field(default_factory=dict)  # by the names of the gaps in the code's templates


class Code(StrEnum):
    """An enumeration of codes. Beside each stand its two templates, whose gaps are `{named}` and are the same in both.

    Calling a member makes the explanation: `PlanReason.ONLY(warehouse="hangzhou", rule="near")`.
    """

    _value_: str
    en: str
    zh: str

    def __new__(cls, value: str, en: str, zh: str) -> Any:
        """One row of the table: the code as it travels, and its templates."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.en = en
        member.zh = zh
        return member

    def __call__(self, **args: str | int) -> Explanation:
        """The explanation of this code with these arguments."""
        return Explanation(code=self._value_, args=args)

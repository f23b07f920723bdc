"""Words for people, in the two languages our users read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

Language = Literal["en", "zh"]


class Text(NamedTuple):
    """One message in English and Chinese. Holds no personal data: it ends up in logs and on screens."""

    en: str
    zh: str

    def tell(self, language: Language) -> str:
        """The message in the language asked for."""
        return self.zh if language == "zh" else self.en


class TextError(Exception):
    """An error for the person who asked: `text` says what is wrong and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def moment(when: datetime | None) -> str:
    """A time for people, in this machine's time zone, which it names; "" for None."""
    return when.astimezone().isoformat(" ", "seconds") if when else ""

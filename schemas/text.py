"""Words for people, in the two languages our users read."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


class Text(NamedTuple):
    """One message in English and Chinese. Holds no personal data: it ends up in logs and on screens."""

    en: str
    zh: str

    def tell(self, language: Language) -> str:
        """The message in the language asked for."""
        return self.zh if language == "zh" else self.en

"""Finding keywords in what people typed: ＦＲＥＥＳＨＩＰ, FreeShip and FREESHIP are one word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from unicodedata import normalize


def fold(text: str) -> str:
    """Text with case and width taken out: Unicode NFKC, case-folded."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


class Keywords:
    """A set of keywords, compiled once. `unless` names longer words that only look like one: 非赠品."""

    __slots__ = ("_exceptions", "_pattern")

    def __init__(self, keywords: Iterable[str], unless: Iterable[str] = ()) -> None:
        self._pattern = _either(keywords)
        exceptions = tuple(unless)
        self._exceptions = _either(exceptions) if exceptions else None

    def found_in(self, text: str) -> bool:
        """Whether any keyword stands in the text outside of an exception."""
        if not text:
            return False
        folded = fold(text)
        if self._exceptions is not None:
            folded = self._exceptions.sub("\0", folded)
        return self._pattern.search(folded) is not None


def _either(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted({fold(word) for word in words}, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first)))

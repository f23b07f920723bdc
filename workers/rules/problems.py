"""What is wrong with a file that a person wrote: every problem at once, each with its place and a way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from schemas.text import Language, Text


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `place` is where in the file: `rule cold-chain, then.force`; `line` counts from 1, 0 = unknown."""

    source: str
    line: int
    place: Text
    text: Text

    def tell(self, language: Language = "en") -> str:
        """`rules.yaml, line 12: rule cold-chain, then.force: ...`"""
        place, text = self.place.tell(language), self.text.tell(language)
        if language == "zh":
            where = f"{self.source} 第 {self.line} 行" if self.line else self.source
            return f"{where}：{place}：{text}" if place else f"{where}：{text}"
        where = f"{self.source}, line {self.line}" if self.line else self.source
        return f"{where}: {place}: {text}" if place else f"{where}: {text}"


class RulesetErrors(Exception):
    """A ruleset or catalogue file can't be used. Holds all its problems, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__(self.tell("en"))

    def tell(self, language: Language = "en") -> str:
        """All problems, one a line."""
        return "\n".join(problem.tell(language) for problem in self.problems)


def did_you_mean(word: str, known: Iterable[str]) -> Text:
    """The end of a message about an unknown word: the nearest known one, or the list of all when it is short."""
    names = sorted(set(known))
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return Text(en=f"; did you mean {near[0]}?", zh=f"；是不是想写 {near[0]}？")
    if names and len(names) <= 40:
        return Text(en=f"; there are: {', '.join(names)}", zh=f"；可用的有：{'、'.join(names)}")
    return Text(en="", zh="")

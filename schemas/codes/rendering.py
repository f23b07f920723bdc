"""From a code and arguments to a sentence. Only where somebody reads it: in the CLI, the console, mail, a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from schemas.codes.explanation import Code, Explanation
from schemas.codes.flag import FlagReason
from schemas.codes.hold import HoldCode
from schemas.codes.letter import LetterProblem
from schemas.codes.notice import NoticeCode
from schemas.codes.payload import PayloadProblem
from schemas.codes.plan import PlanReason, RuleEffect
from schemas.text import Language, Text

ENUMERATIONS: Final[tuple[type[Code], ...]] = (
    HoldCode,
    FlagReason,
    PlanReason,
    RuleEffect,
    PayloadProblem,
    LetterProblem,
    NoticeCode,
)
"""All that may be rendered. No two of them share a code."""

_KNOWN: Final[Mapping[str, Code]] = MappingProxyType({one.value: one for each in ENUMERATIONS for one in each})


def render(told: Explanation | None, language: Language, stored: str = "") -> str:
    """The sentence in the language asked for. Never raises: what is not understood is shown as it is.

    `stored`: the English sentence of a record that an older version wrote; it is what a record without an explanation
    has to say, in either language. An argument that is a text itself comes in both: `name` and `name_zh`.
    """
    if told is None:
        return stored
    code = _KNOWN.get(told.code)
    if code is not None:
        template = code.zh if language == "zh" else code.en
        try:
            return template.format_map(_in_language(told.args, language))
        except (LookupError, ValueError, TypeError):  # another version's arguments
            pass
    args = ", ".join(f"{name}={value}" for name, value in told.args.items())
    return f"{told.code} ({args})" if args else told.code


def _in_language(args: Mapping[str, str | int], language: Language) -> Mapping[str, str | int]:
    if language != "zh":
        return args
    return {**args, **{name.removesuffix("_zh"): value for name, value in args.items() if name.endswith("_zh")}}


def render_all(told: Iterable[Explanation], language: Language, stored: str = "") -> str:
    """Several explanations of one thing, one after the other; `stored` as above, when there are none."""
    sentences = [render(one, language) for one in told]
    return ("；" if language == "zh" else "; ").join(sentences) or stored


def in_both(told: Explanation) -> Text:
    """The sentence in both languages, for an error that a person is told of at once."""
    return Text(render(told, "en"), render(told, "zh"))

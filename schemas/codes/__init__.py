"""What is told to people: a code and arguments in records, a sentence in English or Chinese where it is read.

Each module holds enumerations with both wordings beside each code; `render` is the one way from a code to a sentence.
"""

from schemas.codes.explanation import Code, Explanation
from schemas.codes.flag import FlagReason
from schemas.codes.hold import HoldCode
from schemas.codes.letter import LetterProblem
from schemas.codes.notice import NoticeCode
from schemas.codes.payload import PayloadProblem
from schemas.codes.plan import PlanReason, RuleEffect
from schemas.codes.rendering import ENUMERATIONS, in_both, render, render_all

__all__ = [
    "ENUMERATIONS",
    "Code",
    "Explanation",
    "FlagReason",
    "HoldCode",
    "LetterProblem",
    "NoticeCode",
    "PayloadProblem",
    "PlanReason",
    "RuleEffect",
    "in_both",
    "render",
    "render_all",
]

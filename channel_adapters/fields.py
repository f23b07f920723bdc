"""How wire models spell what their platforms spell loosely. The one vocabulary of wire data.

Strict fields say who, what and how much: `Id`, `Key`, `Amount`, `Count`, `Word` for a status, `Lines`, `Rows`. All else
is decoration and marked `Loose[...]`: what is odd there is left out and the order marked (see model_reading).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, StrictInt, StrictStr
from pydantic_core import CoreSchema

from channel_adapters.msgspec_fast_path import TypePreservingValidator, fail_fast

T = TypeVar("T")


def _no_float(value: Any) -> Any:
    """An id written as 6.9E+18 has lost digits on its way: it may be another order's. Blanks round it are cut."""
    if isinstance(value, float):
        raise ValueError("an id is not a floating-point number")
    return value.strip() if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    """A list where the platform wrote null, `{}`, "" or one bare object."""
    if not value and not isinstance(value, bool | int | float):
        return []
    return [value] if isinstance(value, dict) else value


EXACT = BeforeValidator(TypePreservingValidator(_no_float))

Id = Annotated[str, Field(coerce_numbers_to_str=True, pattern=r"^[1-9][0-9]{0,19}$"), EXACT]
"""The integer id of something that exists, as text. Read as an integer, never as a float, so that no digit is lost."""

Key = Annotated[str, Field(coerce_numbers_to_str=True, pattern=r"^[0-9A-Za-z_-]{1,64}$"), EXACT]
"""An id that need not be a number."""

Reference = Annotated[str, Field(coerce_numbers_to_str=True, pattern=r"^[0-9]{0,20}$"), EXACT]
"""The id of something that may be gone: "0" or "" then."""

Number = Annotated[str, Field(coerce_numbers_to_str=True)]
"""Text that the platform may as well write as a number: an id, a code."""

Word = str | None
"""Text that may be missing. A number in its place is read as text, only more slowly: see `Wire`."""


def _worded(value: Any) -> Any:
    """What is no word at all is an unknown one, so that it holds the order instead of refusing it."""
    return value if value is None or (isinstance(value, str | int) and not isinstance(value, bool)) else "?"


Status = Annotated[str | None, Field(coerce_numbers_to_str=True), BeforeValidator(TypePreservingValidator(_worded))]
"""A word that decides whether goods may go, for `reading.lookup` and its kin. Never odd: what it is not is unknown."""

NumberOrText = Annotated[StrictInt | StrictStr, Field(union_mode="left_to_right")]
"""A word that is a number on ordinary days, or its text. The likely type first: weighing both takes twice the time."""

NumberStatus = Annotated[NumberOrText | None, BeforeValidator(TypePreservingValidator(_worded))]
"""A status that is a number on ordinary days. Never odd: what it is not is unknown."""

TextStatus = Annotated[str | None, BeforeValidator(TypePreservingValidator(_worded))]
"""A status that is a text on ordinary days: quicker for it, and slower for a number."""

Flag = Any
"""A yes or no in any spelling, for `reading.is_set`."""

Amount = Annotated[str, Field(coerce_numbers_to_str=True, max_length=40)]
"""Money as the platform wrote it, for `reading.minor_units`. A JSON number keeps its shortest exact text."""

TextAmount = Annotated[str, Field(max_length=40)]
"""Money that is a text on ordinary days: quicker for it, and slower for a number."""

Count = Annotated[int, Field(le=1_000_000)]
"""Pieces, as number or text."""


def _one_is_a_list(value: Any) -> Any:
    return [value] if value and isinstance(value, dict) else [] if value == {} else value


Lines = Annotated[list[T], BeforeValidator(TypePreservingValidator(_one_is_a_list))]
"""The lines of an order. A single object is a list of one, `{}` an empty one; null says nothing and is refused: an
order without lines stops what a warehouse was told of it.
"""

Rows = Annotated[list[T], BeforeValidator(TypePreservingValidator(_listed))]
"""A list. null, `{}` and "" are an empty one, a single object is a list of one."""


class _Loose:
    """Marks a field as decoration."""

    def __repr__(self) -> str:
        return "LOOSE"


LOOSE: Final = _Loose()

Loose = Annotated[T | None, LOOSE]
"""Decoration: left out when it is odd, entry by entry where it is a list. Give it a default."""


_MOST = 10**9  # rows of a listing; more is no count


def small_number(text: str, most_digits: int = 9) -> int | None:
    """The whole number that a text is, from 0, of at most so many digits; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= most_digits else None


def count_of(value: object) -> int | None:
    """A count, as a number or as text; None for what is none, or for nothing."""
    if isinstance(value, str):
        value = small_number(value.strip(), most_digits=len(str(_MOST)))
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if type(value) is int and 0 <= value <= _MOST else None


_FLAGS: Final = dict.fromkeys(("1", "1.0", "true", "t", "yes", "y", "on", "是"), True) | dict.fromkeys(
    ("", "0", "0.0", "false", "f", "no", "n", "off", "否"), False
)
_NOTHING: Final = ("null", "none")


def flag_of(value: object) -> bool | None:
    """A flag in any spelling: true, 1, "true", "1"; None for what is none, or for nothing."""
    if isinstance(value, bool):
        return value
    return _FLAGS.get(_word(value))


def is_set(flag: object, *, doubtful: bool = False) -> bool:
    """Whether a flag is raised, however it is spelled. `doubtful`: what a value means that is neither yes nor no; of a
    flag that forbids something, True.
    """
    if flag is None or flag is False or flag is True:
        return flag is True
    said = _FLAGS.get(word := _word(flag))
    return (doubtful and word not in _NOTHING) if said is None else said


def _word(value: object) -> str:
    return str(value).strip().lower() if isinstance(value, str | int | float) else "?"


class Wire(BaseModel):
    """A slim model of a platform's object: only the fields we use, read straight from bytes.

    A number in the place of a text becomes text. Fields that are numbers on an ordinary day say so themselves, which is
    quicker for them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Reading stops at the first bad entry of a list."""
        schema: CoreSchema = fail_fast(handler(source))
        return schema

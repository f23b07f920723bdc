"""How wire models spell what their platforms spell loosely: ids and amounts, text or number."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from channel_adapters.quick import Repair


def _no_float(value: Any) -> Any:
    """An id written as 6.9E+18 has lost digits on its way: it may be another order's."""
    if isinstance(value, float):
        raise ValueError("an id is not a floating-point number")
    return value


EXACT = BeforeValidator(Repair(_no_float))

Id = Annotated[str, Field(coerce_numbers_to_str=True, pattern=r"^[1-9][0-9]{0,19}$"), EXACT]
"""The integer id of something that exists, as text. Read as an integer, never as a float, so that no digit is lost."""

Reference = Annotated[str, Field(coerce_numbers_to_str=True, pattern=r"^[0-9]{0,20}$")]
"""The id of something that may be gone: "0" or "" then."""

Number = Annotated[str, Field(coerce_numbers_to_str=True)]
"""Text that the platform may as well write as a number: an id, a code."""

Amount = Annotated[str, Field(coerce_numbers_to_str=True, max_length=40)]
"""Money as the platform wrote it, for `reading.minor_units`. A JSON number keeps its shortest exact text."""


class Wire(BaseModel):
    """A slim model of a platform's object: only the fields we use, read straight from bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

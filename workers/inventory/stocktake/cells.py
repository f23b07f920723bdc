"""One cell of a count: what people type and what Excel makes of it, as a value; or why it cannot be used."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final

from schemas.ids import SLUG
from schemas.text import Text
from workers.inventory.stocktake.table import Oddity

_EXACT_DIGITS: Final = 15  # Excel keeps no more of a number
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_SCIENTIFIC: Final = re.compile(r"\d([.,]\d+)?[eE]\+\d+|\d[.,]\d+[eE]\d+")  # 1E5 may be a SKU
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_EXCEL_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
_TIME_FORMS: Final = ("%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H:%M:%S")
_ODDITIES: Final = {
    Oddity.UNCALCULATED: Text(
        "is a formula whose result the file does not hold; open it in Excel and save it, or paste it as a value",
        "是没有保存计算结果的公式；请在 Excel 中打开并保存，或粘贴为数值",
    ),
    Oddity.PERCENT: Text(
        "is shown as a percentage; set the cell's format to Number and type it again",
        "显示为百分数；请把单元格格式改为“数值”并重新输入",
    ),
    Oddity.NESTED: Text("holds no plain text or number; type it anew", "不是普通文本或数字；请重新输入"),
}


class BadCell(Exception):
    """One cell cannot be used. `text` says why and what to do."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


def plain(value: Any) -> str:
    """Text without the blanks around it, full-width forms made ASCII; "" for an empty cell. Raises BadCell."""
    if value is None:
        return ""
    if isinstance(value, Oddity):
        raise BadCell(*_ODDITIES[value])
    if isinstance(value, str):
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", value)).strip().removeprefix("'")
        if text in _EXCEL_ERRORS:
            raise BadCell(f"is the Excel error {text}; correct the formula", f"是 Excel 错误值 {text}；请修正公式")
        return text
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCell("holds no plain text or number; type it anew", "不是普通文本或数字；请重新输入")
    return _digits(value)


def _digits(number: float) -> str:
    """A number as it would be typed: 12.0 -> 12. What a formula left beside a whole number is rounded away."""
    nearest = round(number) if abs(number) < 10**300 else 0
    if abs(number - nearest) <= 1e-9 * min(max(1.0, abs(number)), 1000.0):
        return str(nearest)
    return repr(number)


# -- names ---------------------------------------------------------------------------------------------------------


def warehouse_id(value: Any, titles: Mapping[str, str] | None) -> str:
    """The id of the warehouse that is meant by its id or its title; any well-formed id without `titles`."""
    text = plain(value)
    if not text:
        raise BadCell("is empty; write the warehouse's id", "为空；请填写仓库编码")
    if titles is None:
        if not SLUG.fullmatch(text) or len(text) > 63:
            raise BadCell(
                "should be small letters, digits and hyphens, at most 63",
                "只能是小写字母、数字和短横线，最多 63 个字符",
            )
        return text
    meant = {known for known, title in titles.items() if text.casefold() in (known.casefold(), title.casefold())}
    if len(meant) == 1:
        return meant.pop()
    near = get_close_matches(text, [*titles, *filter(None, titles.values())], n=1, cutoff=0.6)
    raise BadCell(
        f"{text[:63]!r} is no warehouse of the ruleset; "
        + (f"did you mean {near[0]}?" if near else f"there are: {', '.join(titles)}"),
        f"规则集中没有仓库“{text[:63]}”；" + (f"是不是想写 {near[0]}？" if near else f"可用的有：{'、'.join(titles)}"),
    )


def sku_code(value: Any, known: Collection[str] | None, *, suggest: bool = True) -> str:
    """The SKU as the catalogue spells it; any text without `known`. Raises BadCell."""
    if isinstance(value, str) and known is not None and value.strip() in known:
        return value.strip()
    others = known if suggest and known is not None else ()
    if isinstance(value, bool | date | time | timedelta):
        raise _excel_changed("a date, a time or a truth value", "日期、时间或逻辑值", others, "")
    code = plain(value)
    if not code:
        raise BadCell("is empty; write the SKU", "为空；请填写商品编码")
    if known is not None and code in known:
        return code
    _refuse_changed(value, code, others)
    if known is None:
        return code
    if isinstance(value, int | float):
        raise _excel_changed(f"the number {code}", f"数字 {code}", others, code)
    near = _suggestion(code, others)
    raise BadCell(
        f"{code[:80]!r} is not in the catalogue{near.en or '; add it there, or correct it'}",
        f"商品目录中没有“{code[:80]}”{near.zh or '；请先加入目录，或改正'}",
    )


def _refuse_changed(value: Any, code: str, others: Collection[str]) -> None:
    """What no catalogue is needed to know."""
    if isinstance(value, int | float) and (len(code) > _EXACT_DIGITS or not code.isdecimal()):
        raise _excel_changed(
            "a number too long for it, with its last digits lost", "数字，且末尾几位已丢失", others, code
        )
    if _SCIENTIFIC.fullmatch(code):
        raise _excel_changed(f"a number in scientific notation, {code}", f"科学计数法 {code}", others, code)


def _excel_changed(en: str, zh: str, others: Collection[str], code: str) -> BadCell:
    near = _suggestion(code, others)
    return BadCell(
        f"was turned by Excel into {en}; set the column's format to Text and type the SKU again{near.en}",
        f"被 Excel 改成了{zh}；请把该列格式设为“文本”并重新输入商品编码{near.zh}",
    )


def _suggestion(code: str, known: Collection[str]) -> Text:
    padded = [sku for sku in known if code and sku.lstrip("0") == code]
    folded = [sku for sku in known if sku.casefold() == code.casefold()]
    near = padded or folded or get_close_matches(code, _alike(code, known), n=1, cutoff=0.6)
    return Text(f"; did you mean {near[0]}?", f"；是不是想写 {near[0]}？") if near else Text("", "")


def _alike(code: str, known: Collection[str]) -> list[str]:
    """The few that are worth a close look, which costs a hundred times as much."""
    ends = (code[:2].casefold(), code[-2:].casefold())
    alike = (
        sku
        for sku in known
        if abs(len(sku) - len(code)) <= 3 and (sku[:2].casefold() == ends[0] or sku[-2:].casefold() == ends[1])
    )
    return list(islice(alike, 100))


# -- times ---------------------------------------------------------------------------------------------------------


def counted_at(value: Any, now: datetime) -> datetime | None:
    """When the count was taken, in UTC; None for an empty cell. A time without a zone is this machine's."""
    when = value if isinstance(value, datetime) else _spelled_time(value)
    if when is None:
        return None
    try:
        moment = when.astimezone(UTC)
    except (OverflowError, OSError, ValueError):
        raise _no_time() from None
    if moment > now + _CLOCKS_DIFFER:
        raise BadCell(
            f"is {when:%Y-%m-%d %H:%M}, in the future; write when it was counted, or leave it empty for now",
            f"是 {when:%Y-%m-%d %H:%M}，晚于当前时间；请写实际盘点时间，或留空表示现在",
        )
    return min(moment, now)


def _spelled_time(value: Any) -> datetime | None:
    if isinstance(value, date | time | timedelta | int | float):
        raise _no_time()
    text = plain(value)
    if not text:
        return None
    if ":" not in text:
        raise _no_time()
    for form in _TIME_FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  # people write the time on their wall
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _no_time() from None


def _no_time() -> BadCell:
    return BadCell(
        "is no date with a time of day; write 2026-11-11 18:30, or leave it empty for now",
        "不是带时刻的日期；请写成 2026-11-11 18:30，或留空表示现在",
    )

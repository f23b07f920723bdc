"""One cell of a count: what people type and what Excel makes of it, as a value; or why it cannot be used."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Any, Final

from ops.cli.sheets import Oddity
from schemas.ids import SLUG
from schemas.text import Text

MOST_UNITS: Final = 10**9
_EXACT_DIGITS: Final = 15  # Excel keeps no more of a number
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_WHOLE: Final = re.compile(r"\+?\d{1,12}(\.0*)?")
_THOUSANDS: Final = re.compile(r"\+?\d{1,3}(,\d{3})+(\.0*)?")
_NUMBER: Final = re.compile(r"[+-]?\d[\d,]*(\.\d+)?")
_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_EXCEL_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
_TIME_FORMS: Final = ("%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H:%M:%S")


class BadCell(Exception):
    """One cell cannot be used. `text` says why and what to do."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


def plain(value: Any) -> str:
    """Text without the blanks around it, full-width forms made ASCII; "" for an empty cell. Raises BadCell."""
    if value is None:
        return ""
    if value is Oddity.UNCALCULATED:
        raise BadCell(
            "is a formula whose result the file does not hold; open it in Excel and save it, or paste it as a value",
            "是没有保存计算结果的公式；请在 Excel 中打开并保存，或粘贴为数值",
        )
    if isinstance(value, str):
        text = unicodedata.normalize("NFKC", value.strip().strip("\u200b\ufeff")).strip()
        if text in _EXCEL_ERRORS:
            raise BadCell(f"is the Excel error {text}; correct the formula", f"是 Excel 错误值 {text}；请修正公式")
        return text
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCell("holds no plain text or number; type it anew", "不是普通文本或数字；请重新输入")
    return _digits(value)


def _digits(number: float) -> str:
    """A number as it would be typed: 12.0 -> 12. What a formula left beside a whole number is rounded away."""
    nearest = round(number) if abs(number) < 10**300 else 0
    if abs(number - nearest) <= 1e-9 * max(1.0, abs(number)):
        return str(nearest)
    return repr(number)


# -- units ---------------------------------------------------------------------------------------------------------


def units(value: Any) -> int | None:
    """A whole number, 0 or more; None for an empty cell. Raises BadCell."""
    if isinstance(value, date | time | timedelta):
        raise BadCell(
            "is a date; set the cell's format to Number and type the units again",
            "是日期；请把单元格格式改为“数值”并重新输入件数",
        )
    text = plain(value)
    if not text:
        return None
    if not _WHOLE.fullmatch(text) and not _THOUSANDS.fullmatch(text):
        raise _no_units(text)
    number = int(text.partition(".")[0].replace(",", "").lstrip("+"))
    if number > MOST_UNITS:
        raise BadCell(f"is more than {MOST_UNITS} units; check it", f"超过 {MOST_UNITS} 件；请核对")
    return number


def _no_units(text: str) -> BadCell:
    shown = text[:40]
    if not _NUMBER.fullmatch(text):
        return BadCell(
            f"is {shown!r}; write a whole number alone, 0 or more, without a unit",
            f"是“{shown}”；请只写不小于 0 的整数，不带单位",
        )
    if text.startswith("-"):
        return BadCell(
            f"is {shown}, below zero; write 0 or more: it is what lies there, reservations are counted by orderfleet",
            f"是负数 {shown}；请写 0 或以上：填实物数量，占用由系统计算",
        )
    if "." in text:
        return BadCell(f"is {shown}, no whole number; write whole units", f"是 {shown}，不是整数；请写整件数")
    return BadCell(
        f"is {shown}; write the digits without commas, as it is not clear what they mean",
        f"是 {shown}；逗号位置不清楚，请只写数字",
    )


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


def sku_code(value: Any, known: Collection[str] | None) -> str:
    """The SKU as the catalogue spells it; any text without `known`. Raises BadCell."""
    if isinstance(value, str) and known is not None and value.strip() in known:
        return value.strip()
    if isinstance(value, bool | date | time | timedelta):
        raise _excel_changed("a date, a time or a truth value", "日期、时间或逻辑值", known, "")
    code = plain(value)
    if not code:
        raise BadCell("is empty; write the SKU", "为空；请填写商品编码")
    if known is None or code in known:
        return code
    if isinstance(value, int | float):
        if len(code) > _EXACT_DIGITS or not code.isdecimal():
            raise _excel_changed(
                "a number too long for it, with its last digits lost", "数字，且末尾几位已丢失", known, code
            )
        raise _excel_changed(f"the number {code}", f"数字 {code}", known, code)
    if _SCIENTIFIC.fullmatch(code):
        raise _excel_changed(f"a number in scientific notation, {code}", f"科学计数法 {code}", known, code)
    raise BadCell(
        f"{code[:80]!r} is not in the catalogue{_suggestion(code, known).en or '; add it there, or correct it'}",
        f"商品目录中没有“{code[:80]}”{_suggestion(code, known).zh or '；请先加入目录，或改正'}",
    )


def _excel_changed(en: str, zh: str, known: Collection[str] | None, code: str) -> BadCell:
    near = _suggestion(code, known or ())
    return BadCell(
        f"was turned by Excel into {en}; set the column's format to Text and type the SKU again{near.en}",
        f"被 Excel 改成了{zh}；请把该列格式设为“文本”并重新输入商品编码{near.zh}",
    )


def _suggestion(code: str, known: Collection[str]) -> Text:
    padded = [sku for sku in known if code and sku.lstrip("0") == code]
    folded = [sku for sku in known if sku.casefold() == code.casefold()]
    near = padded or folded or get_close_matches(code, known, n=1, cutoff=0.6)
    return Text(f"; did you mean {near[0]}?", f"；是不是想写 {near[0]}？") if near else Text("", "")


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

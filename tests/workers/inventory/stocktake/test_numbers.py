"""Numbers of units from every country: read where they mean one thing, refused where they may mean two."""

from __future__ import annotations

from datetime import date, time

import pytest

from workers.inventory.stocktake.cells import BadCell
from workers.inventory.stocktake.numbers import Separators, find_separators, number_text, units

ALONE = {"": Separators.UNKNOWN, ",": Separators.QUOTED, ";": Separators.SEMICOLONS, "\t": Separators.UNKNOWN}


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("+5", 5),
        ("12.", 12),
        ("12.0", 12),
        ("１２", 12),
        ("١٢", 12),
        ("'12", 12),
        ("1\u200b2\ufeff", 12),
        ("1 000", 1000),
        ("1\u00a0000", 1000),
        ("1\u202f000\u202f000", 1_000_000),
        ("1\u2009000", 1000),
        ("1'000", 1000),
        ("1’000", 1000),
        ("1'000.00", 1000),
        ("1 000,00", 1000),
        ("1,234,567", 1_234_567),
        ("1.234.567", 1_234_567),
        ("1,000.00", 1000),
        ("1.000,00", 1000),
        ("1200.000", 1200),
        ("1200,000", 1200),
        ("0,000", 0),
        ("0.000", 0),
        (5, 5),
        (5.0, 5),
        ("", None),
        (" \u3000", None),
        (None, None),
    ],
)
def test_what_means_one_thing_is_read(typed: object, number: int | None) -> None:
    separators = find_separators([number_text(typed)], "")

    assert units(typed, separators) == number


@pytest.mark.parametrize(
    ("typed", "says", "in_chinese"),
    [
        ("5,000", "can mean 5000 or 5;", "可能是 5000，也可能是 5"),
        ("5.000", "can mean 5000 or 5;", "请只写数字"),
        ("1.250", "can mean 1250 or 1.25;", "可能是 1250，也可能是 1.25"),
        ("1,5", "not clear", "不清楚"),
        ("1,00", "not clear", "不清楚"),
        ("1,00,000", "not clear", "不清楚"),
        ("1,", "not clear", "不清楚"),
        ("1,0000", "not clear", "不清楚"),
        ("1.5", "no whole number", "不是整数"),
        ("0,5", "no whole number", "不是整数"),
        ("1 000,5", "no whole number", "不是整数"),
        (2.5, "no whole number", "不是整数"),
        ("1E3", "scientific notation", "科学计数法"),
        ("6.9E+12", "scientific notation", "科学计数法"),
        ("50%", "percentage", "百分数"),
        ("-5", "below zero", "负数"),
        ("−5", "below zero", "负数"),
        ("5-", "below zero", "负数"),
        ("(5)", "below zero", "负数"),
        ("（5）", "below zero", "负数"),
        ("▲5", "below zero", "负数"),
        (-5, "below zero", "负数"),
        ("-", "write 0 for none", "没有请写 0"),
        ("—", "write 0 for none", "没有请写 0"),
        ("无", "whole number alone", "不带单位"),
        ("5件", "without a unit", "不带单位"),
        ("5 pcs", "without a unit", "不带单位"),
        ("1.2万", "without a unit", "不带单位"),
        ("5²", "without a unit", "不带单位"),
        ("½", "without a unit", "不带单位"),
        ("12 34", "without commas and points", "请只写数字"),
        ("1_000", "without a unit", "不带单位"),
        ("0x10", "without a unit", "不带单位"),
        ("5-Jan", "is a date", "是日期"),
        ("1/5", "is a date", "是日期"),
        ("2026/1/5", "is a date", "是日期"),
        ("1月5日", "is a date", "是日期"),
        ("12:00", "is a date", "是日期"),
        (date(2026, 1, 5), "is a date", "是日期"),
        (time(1, 2), "is a date", "是日期"),
        ("1" * 4300, "more than 1000000000", "超过"),
        ("9999999999", "more than 1000000000", "超过"),
        (float("inf"), "more than 1000000000", "超过"),
        (float("nan"), "more than 1000000000", "超过"),
    ],
)
def test_what_means_two_things_or_none_is_refused(typed: object, says: str, in_chinese: str) -> None:
    separators = find_separators([number_text(typed)], "")

    with pytest.raises(BadCell) as refused:
        units(typed, separators)

    assert says in refused.value.text.en
    assert in_chinese in refused.value.text.zh
    assert len(refused.value.text.en) < 200


@pytest.mark.parametrize(
    ("others", "delimiter", "typed", "number"),
    [
        # nothing else in the file, and what stands between its cells
        ([], ",", "5,000", 5000),
        ([], ",", "1,250", 1250),
        ([], "", "1,250", 1250),  # 1.25 units are none
        ([], "\t", "5,000", None),
        ([], ";", "5,000", None),
        ([], ";", "1,250", None),
        ([], ";", "12,0", 12),
        ([], ",", "5.000", None),
        # a comma that must be decimal: case 10 of the trade's bug reports
        (["0,000"], ";", "5,000", 5),
        (["0,000"], ";", "12,000", 12),
        (["0,000"], ";", "1.000", 1000),
        (["1.234,5"], "", "5,000", 5),
        (["1.234.567"], "", "5.000", 5000),
        (["12,50"], ";", "5,000", 5),
        (["0,000"], ";", "1,250", None),
        # a point that must be decimal
        (["1,234,567"], ";", "5,000", 5000),
        (["0.000"], "", "5.000", 5),
        (["12.50"], "", "5,000", 5000),
        (["1,234.5"], "", "1.250", None),
        # both: somebody put two files together
        (["0,000", "0.000"], "", "5,000", None),
        (["0,000", "0.000"], "", "5.000", None),
        (["0,000", "1,234,567"], ";", "12,000", None),
        (["0,000", "0.000"], "", "5000", 5000),
    ],
)
def test_the_other_numbers_of_a_file_prove_what_a_comma_means(
    others: list[str], delimiter: str, typed: str, number: int | None
) -> None:
    separators = find_separators([*others, typed], delimiter)

    if number is None:
        with pytest.raises(BadCell):
            units(typed, separators)
    else:
        assert units(typed, separators) == number

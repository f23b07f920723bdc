"""What people type: times, money and files of counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from ops.cli.count_files import read_counts
from ops.cli.inputs import a_moment
from ops.cli.output import money
from workers.inventory.records import Count

NOW = datetime(2026, 11, 11, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [("90s", timedelta(seconds=90)), ("30m", timedelta(minutes=30)), ("6h", timedelta(hours=6)), ("2d", timedelta(2))],
)
def test_a_time_may_be_told_as_how_long_ago(text: str, ago: timedelta) -> None:
    assert a_moment(text, "--since", NOW) == NOW - ago


def test_a_time_with_a_zone_is_brought_to_utc() -> None:
    assert a_moment("2026-11-11T00:00:00+08:00", "--since") == datetime(2026, 11, 10, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "h", "1w", "1.5h", "²h", "yesterday", "9999999h", "0001-01-01T00:00:00+14:00"])
def test_other_words_are_no_time(text: str) -> None:
    with pytest.raises(typer.Exit) as left:
        a_moment(text, "--since", NOW)
    assert left.value.exit_code == 2


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (12800, "CNY", "128.00 CNY"),
        (5, "USD", "0.05 USD"),
        (-1250, "CNY", "-12.50 CNY"),
        (1200, "JPY", "1200 JPY"),
        (1234, "KWD", "1.234 KWD"),
    ],
)
def test_money_has_the_decimals_of_its_currency(amount: int, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_counts_come_from_csv(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_bytes(b"\xef\xbb\xbfwarehouse,sku,on_hand,safety\nhangzhou,COFFEE-1KG,500,20\nhangzhou, MUG-350 ,7,\n")

    assert read_counts(str(file)) == {
        "hangzhou": {"COFFEE-1KG": Count(on_hand=500, safety=20), "MUG-350": Count(on_hand=7)}
    }


def test_counts_come_from_yaml(tmp_path: Path) -> None:
    file = tmp_path / "counts.yaml"
    file.write_text(
        "- {warehouse: hangzhou, sku: COFFEE-1KG, on_hand: 500}\n- {warehouse: beijing, sku: '0123', safety: 5}\n",
        encoding="utf-8",
    )

    assert read_counts(str(file)) == {
        "hangzhou": {"COFFEE-1KG": Count(on_hand=500)},
        "beijing": {"0123": Count(safety=5)},
    }


BAD_FILES = {
    "a negative count": ("warehouse,sku,on_hand\nhangzhou,A,-1\n", "row 2, column C (on_hand): is -1, below zero"),
    "a fraction": ("warehouse,sku,on_hand\nhangzhou,A,1.5\n", "row 2, column C (on_hand): is 1.5, no whole number"),
    "no count": ("warehouse,sku,on_hand\nhangzhou,A,\n", "row 2, column C (on_hand): is empty"),
    "a bad warehouse": (
        "warehouse,sku,on_hand\nHang Zhou,A,1\n",
        "row 2, column A (warehouse): should be small letters",
    ),
    "no sku": ("warehouse,sku,on_hand\nhangzhou,,1\n", "row 2, column B (SKU): is empty"),
    "the same twice": (
        "warehouse,sku,on_hand\nhangzhou,A,1\nhangzhou,A,2\n",
        "row 3, column B (SKU): A in hangzhou stands in row 2",
    ),
    "too few cells": ("warehouse,sku,on_hand\nhangzhou,A\n", "row 2, column C (on_hand): is empty"),
    "other columns": ("warehouse,sku,colour\nhangzhou,A,1\n", "has no heading row"),
    "nothing": ("", "has no heading row"),
    "a heading alone": ("warehouse,sku,on_hand\n", "holds no counts"),
    "YAML that is none": ("- {warehouse: [", "is not YAML"),
    "a YAML row that is a word": ("- hangzhou\n", "row 1 should have fields: warehouse, sku, on_hand, safety"),
    "YAML with another field": ("- {warehouse: a, sku: B, count: 3}\n", "has no heading row"),
    "YAML with a list for a count": (
        "- {warehouse: a, sku: B, on_hand: [3]}\n",
        "row 1, on_hand: holds no plain text or number",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_row_is_named_and_nothing_is_used(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, says = BAD_FILES[name]
    file = tmp_path / "counts"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(typer.Exit) as left:
        read_counts(str(file))

    assert left.value.exit_code == 2
    assert says in capsys.readouterr().err


def test_all_bad_rows_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("warehouse,sku,on_hand\na,A,x\na,B,1\na,C,-\n", encoding="utf-8")

    with pytest.raises(typer.Exit):
        read_counts(str(file))

    told = capsys.readouterr().err
    assert "row 2" in told
    assert "row 3" not in told
    assert "row 4" in told

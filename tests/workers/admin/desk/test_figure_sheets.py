"""Sheets that people keep: headings in both languages, wherever they stand; bad rows are named, and none is taken."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from workers.admin.desk.entered import SupportDay, WrongShipment
from workers.admin.desk.figure_sheets import BadSheet, support_days, wrong_shipments
from workers.inventory.stocktake.table import Unreadable

DAY = date(2026, 11, 11)


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_of_returns_with_a_title_above() -> None:
    body = workbook(
        ("11 月退货登记",),
        ("订单", "买家", "类型", "日期"),
        ("taobao:main:1", "x", "发错货", datetime(2026, 11, 11)),  # noqa: DTZ001  # as Excel has it
        (None, None, None, None),
        ("taobao:main:2", "x", "damaged", "2026/11/11"),
    )
    assert wrong_shipments(body, "returns.xlsx") == [
        WrongShipment(order_uid="taobao:main:1", kind="wrong-item", day=DAY),
        WrongShipment(order_uid="taobao:main:2", kind="damaged", day=DAY),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_a_csv_of_customer_service(encoding: str) -> None:
    text = "日期,店铺,咨询数,订单咨询数\n2026-11-11,taobao:main,200,50\n"
    found = support_days(text.encode(encoding), "week.csv")
    assert found == [SupportDay(day=DAY, shop="taobao:main", questions=200, about_orders=50)]


def test_every_bad_row_is_named_and_none_is_taken() -> None:
    text = "order,kind,day\ntaobao:main:1,damaged,2026-11-11\ntaobao:main:2,lost,2026-11-11\ntaobao:main:3,other,x\n"
    with pytest.raises(BadSheet) as refused:
        wrong_shipments(text.encode(), "returns.csv")
    assert [each.row for each in refused.value.problems] == [3, 4]


def test_a_sheet_without_headings_says_which_it_needs() -> None:
    with pytest.raises(Unreadable) as refused:
        support_days(b"a,b\n1,2\n", "x.csv")
    assert "about orders" in refused.value.text.en

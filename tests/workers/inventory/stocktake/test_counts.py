"""Files of counts as every program writes them, and files that are made to hurt."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from workers.inventory.records import Count
from workers.inventory.stocktake.counts import CountFile, Known, read_count_file
from workers.inventory.stocktake.lists import MOST_YAML
from workers.inventory.stocktake.package_part import MOST_SHEET_CELLS

KNOWN = Known({"hangzhou": "杭州仓"}, {"MUG-350", "LAMP-DESK", "VASE-GLASS", "00123", "6901234567892"})
NOW = datetime(2026, 11, 11, tzinfo=UTC)
CASES = Path(__file__).parent / "counts"


def read(body: bytes | str, name: str = "counts.csv", known: Known | None = KNOWN) -> CountFile:
    """As `stock import` reads it."""
    return read_count_file(body.encode() if isinstance(body, str) else body, name, NOW, known=known)


def said(file: CountFile) -> list[str]:
    """What is wrong with it, in English."""
    assert all(problem.text.zh for problem in file.problems)
    return [problem.tell().en for problem in file.problems]


def counts(body: bytes | str, name: str = "counts.csv", known: Known | None = KNOWN) -> dict[str, int | None]:
    """On hand by SKU of a file that has nothing wrong with it."""
    file = read(body, name, known)
    assert said(file) == []
    return {row.sku: row.count.on_hand for row in file.rows}


# -- CSV -----------------------------------------------------------------------------------------------------------


def test_decimal_commas_are_no_thousands() -> None:
    file = read((CASES / "10-decimal-comma.csv").read_bytes())

    assert said(file) == []
    assert {row.sku: row.count for row in file.rows} == {
        "LAMP-DESK": Count(on_hand=5, safety=1),
        "VASE-GLASS": Count(on_hand=12, safety=0),
    }


def test_decimal_commas_that_nothing_proves_are_refused() -> None:
    file = read("warehouse;SKU;on_hand;safety\nhangzhou;LAMP-DESK;5,000;7\n")

    assert said(file) == [
        "row 2, column C (on_hand): is 5,000, which can mean 5000 or 5; write the digits without commas and points"
    ]


def test_a_hash_is_a_heading_like_any_other() -> None:
    assert counts((CASES / "11-hash-heading.csv").read_bytes()) == {"MUG-350": 25, "LAMP-DESK": 25}


@pytest.mark.parametrize(
    "body",
    [
        "十一月盘点, 2026, 仓库组\n仓库;SKU;在库\nhangzhou;MUG-350;7\n",
        "# 十一月盘点, 2026\n仓库\tSKU\t在库\nhangzhou\tMUG-350\t7\n",
        "- 盘点 -\n仓库,SKU,在库\nhangzhou,MUG-350,7\n",
        "[盘点], 2026\n仓库,SKU,在库\nhangzhou,MUG-350,7\n",
        'sep=;\n仓库;SKU;"在库\n数量"\nhangzhou;MUG-350;7\n',
        "warehouse,sku,on_hand\rhangzhou,MUG-350,7\r",
        '"warehouse","sku","on_hand"\r\n"hangzhou","MUG-350","7"\r\n',
        'warehouse,sku,on_hand\nhangzhou,="MUG-350",="7"\n',
        "warehouse,sku,on_hand\nhangzhou,MUG-350,7\nwarehouse,sku,on_hand\n\n,,\n",
        "warehouse,sku,on_hand\nhangzhou,MUG\u200b-350,7\n",
        "- {warehouse: hangzhou, sku: MUG-350, on_hand: 7}\n",
        '# a list\n---\n- warehouse: hangzhou\n  sku: "MUG-350"\n  on_hand: 7\n',
        '[{"warehouse": "hangzhou", "sku": "MUG-350", "on_hand": 7, "safety": null}]',
        '[\n {"warehouse": "hangzhou", "sku": "MUG-350", "on_hand": 7.0}\n]',
    ],
)
def test_text_is_read_however_it_is_written(body: str) -> None:
    assert counts(body) == {"MUG-350": 7}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_text_is_read_in_every_usual_encoding(encoding: str) -> None:
    assert counts("仓库,SKU,在库\n杭州仓,MUG-350,7\n".encode(encoding)) == {"MUG-350": 7}


TOP_CSV = "warehouse,sku,on_hand\n"
ROW = "- warehouse: hangzhou\n  sku: MUG-350\n  on_hand: "
JSON_ROW = '[{"warehouse": "hangzhou", "sku": "MUG-350", "on_hand": '


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (TOP_CSV + ",MUG-350,7\n", "row 2, column A (warehouse): is empty"),
        (TOP_CSV + "hangzhou,123,7\n", "row 2, column B (SKU): '123' is not in the catalogue; did you mean 00123"),
        (TOP_CSV + "hangzhou,6.9E+12,7\n", "row 2, column B (SKU): was turned by Excel into a number in sci"),
        (TOP_CSV + "hangzhou,MUG-350,7\n" * 2, "row 3, column B (SKU): MUG-350 in hangzhou stands in row 2"),
        (TOP_CSV + "hangzhou,MUG-350,=5+6\n", "row 2, column C (on_hand): is '=5+6'"),
        (TOP_CSV + "hangzhou,MUG-350,7\nTotal,,7\n", "row 3, column A (warehouse): 'Total' is no warehouse"),
        ("仓库,SKU,库存,数量\nhangzhou,MUG-350,7,8\n", "row 1: columns C and D are both headed as on_hand"),
        (JSON_ROW + '7, "on_hand": 8}]', "row 1 names the field on_hand twice"),
        (ROW + "7\n  on_hand: 8\n", "row 1 names the field on_hand twice"),
        (ROW + "[7]\n", "row 1, on_hand: holds no plain text or number"),
        (JSON_ROW + "1e3}]", "row 1, on_hand: is 1e3, a number in scientific"),
        ("%PDF-1.7 ...", "is a PDF"),
        (b"\x89PNG\r\n...", "is a picture"),
        (b"\x1f\x8b...", "is a packed file (gzip)"),
        ("<?xml version='1.0'?><Workbook/>", "is a web page or XML"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_row_and_column(body: bytes | str, says: str) -> None:
    assert said(read(body))[0].startswith(says)


def test_a_sku_that_excel_changed_is_refused_without_a_catalogue_too() -> None:
    body = "warehouse,sku,on_hand\nhangzhou,6.9E+12,7\nhangzhou,1E5,7\n"

    [problem] = said(read(body, known=None))

    assert "row 2, column B (SKU): was turned by Excel into a number in scientific notation" in problem


# -- workbooks -----------------------------------------------------------------------------------------------------


def book(*rows: list[object], formats: dict[str, str] | None = None) -> bytes:
    """A workbook as openpyxl writes it."""
    made = Workbook()
    sheet = made.worksheets[0]
    for row in rows:
        sheet.append(row)
    for cell, shown in (formats or {}).items():
        sheet[cell].number_format = shown
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


HEADINGS: list[object] = ["warehouse", "sku", "on_hand", "safety", "counted_at"]
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def raw_book(sheet: str, strings: str = "", styles: str = "") -> bytes:
    """A workbook of hand-written parts; `sheet`: what stands in its sheetData."""
    parts = {
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_RELATIONS}"><sheets><sheet name="a" r:id="r1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
        + "".join(
            f'<Relationship Id="r{at}" Type="{_RELATIONS}/{kind}" Target="{kind}.xml"/>'
            for at, kind in enumerate(("worksheet", "sharedStrings", "styles"), start=1)
        )
        + "</Relationships>",
        "xl/worksheet.xml": f"<worksheet {_MAIN}><sheetData>{sheet}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f"<sst {_MAIN}>{strings}</sst>",
        "xl/styles.xml": f"<styleSheet {_MAIN}>{styles}</styleSheet>",
    }
    return packed(**parts)


def packed(**parts: str | bytes) -> bytes:
    """A zip file of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return buffer.getvalue()


def texts(row: int, *values: str) -> str:
    """A row of texts."""
    return f'<row r="{row}">' + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in values) + "</row>"


TOP = texts(1, "warehouse", "sku", "on_hand")


def test_a_share_is_no_count() -> None:
    file = read(
        book(HEADINGS, ["hangzhou", "MUG-350", 0.5], ["hangzhou", "LAMP-DESK", 1], formats={"C2": "0%", "C3": "0.00%"})
    )

    assert [problem.partition(";")[0] for problem in said(file)] == [
        "row 2, column C (on_hand): is shown as a percentage",
        "row 3, column C (on_hand): is shown as a percentage",
    ]


def test_a_long_number_is_no_sku() -> None:
    [problem] = said(read(book(HEADINGS, ["hangzhou", 6901234567892123456, 7]), known=None))

    assert "with its last digits lost" in problem


@pytest.mark.parametrize(
    ("shown", "is_date"),
    [
        ("yyyy-mm-dd", True),
        ("m月d日", True),
        ('[$-804]yyyy"年"m"月"', True),
        ('0"days"', False),
        ("[Red]0", False),
        ("#,##0_);(#,##0)", False),
        ("General", False),
        ("0.00E+00", False),
    ],
)
def test_a_number_that_is_shown_as_a_date_is_no_count(shown: str, is_date: bool) -> None:
    file = read(book(HEADINGS, ["hangzhou", "MUG-350", 44], formats={"C2": shown}))

    assert bool(file.problems) is is_date


@pytest.mark.parametrize(
    ("number", "is_date"), [(14, True), (27, True), (31, True), (57, True), (1, False), (49, False)]
)
def test_formats_without_a_text_are_dates_in_chinese_excel_too(number: int, is_date: bool) -> None:
    row = texts(2, "hangzhou", "MUG-350").replace("</row>", '<c s="0"><v>44</v></c></row>')
    file = read(raw_book(TOP + row, styles=f'<cellXfs><xf numFmtId="{number}"/></cellXfs>'))

    assert bool(file.problems) is is_date


def test_times_are_those_of_the_workbook() -> None:
    when = datetime(2026, 11, 10, 18, 30)  # noqa: DTZ001  # Excel keeps no zone
    file = read(
        book(HEADINGS, ["hangzhou", "MUG-350", 7, None, when], ["hangzhou", "LAMP-DESK", 7, None, date(2026, 11, 10)])
    )

    assert [row.counted_at for row in file.rows] == [when.astimezone(UTC)]
    assert ["row 3, column E (counted_at)" in problem for problem in said(file)] == [True]


def test_what_other_programs_write_is_read() -> None:
    """Texts in runs and with their pronunciation, cells without their place, another prefix, names with backslashes."""
    strings = "<si><r><t>hang</t></r><r><t>zhou</t></r><rPh><t>x</t></rPh></si><si><t>MUG_x002D_350</t></si>"
    row = '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c><f>3+4</f><v>7</v></c></row>'

    assert counts(raw_book(TOP + row, strings)) == {"MUG-350": 7}
    with zipfile.ZipFile(io.BytesIO(raw_book(TOP + row, strings))) as package:
        parts = {name.replace("/", "\\"): package.read(name).decode() for name in package.namelist()}
    sheet = parts["xl\\worksheet.xml"].replace("xmlns=", "xmlns:x=").replace("<", "<x:").replace("<x:/", "</x:")
    assert counts(packed(**{**parts, "xl\\worksheet.xml": sheet})) == {"MUG-350": 7}


@pytest.mark.parametrize(
    "sheet",
    [
        '<row r="3"/><row r="2"/>',
        '<row r="0"/>',
        '<row r="1048577"/>',
        '<row r="x"/>',
        '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>',
        '<row r="2"><c r="XFE2"><v>1</v></c></row>',
        '<row r="2"><c r="A"><v>1</v></c></row>',
        '<row r="2"><c t="s"><v>99</v></c></row>',
        '<row r="2"><c t="s"><v>-1</v></c></row>',
        '<row r="2"><c s="99"><v>1</v></c></row>',
        '<row r="2"><c><v>x</v></c></row>',
        f'<row r="2"><c><v>{"1" * 5000}</v></c></row>',
        '<row r="2"><c t="d"><v>x</v></c></row>',
        "<row",
    ],
)
def test_a_damaged_sheet_is_told(sheet: str) -> None:
    [problem] = said(read(raw_book(TOP + sheet, styles='<cellXfs><xf numFmtId="0"/></cellXfs>')))

    assert problem.startswith("is a damaged workbook")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("content.xml", "an OpenDocument file (.ods)"),
        ("Index/Document.iwa", "a Numbers document"),
        ("Index.zip", "a Numbers document"),
        ("xl/workbook.bin", "a binary workbook (.xlsb)"),
        ("word/document.xml", "a Word document"),
        ("readme.txt", "a packed file"),
    ],
)
def test_other_packages_are_told_by_their_name(name: str, says: str) -> None:
    assert said(read(packed(**{name: "x"}))) == [
        f"is {says}, but no .xlsx workbook; save it as .xlsx (Excel Workbook) or as CSV UTF-8"
    ]


# -- limits --------------------------------------------------------------------------------------------------------

# Each is far smaller than 10 MB; how long they take and what they need, `python -m ops.testbed.fuzz files` prints.
BOMBS = {
    "cells without a value": lambda: raw_book(TOP + '<row><c s="1"/></row>' * (2 * MOST_SHEET_CELLS)),
    "many sheets' worth of tags": lambda: raw_book(TOP + "<a/>" * (6 * MOST_SHEET_CELLS)),
    "a hundred megabytes of texts": lambda: raw_book(TOP, "<si><t>aaaaaaaaaa</t></si>" * 1_000_000),
    "deep tags": lambda: raw_book(TOP + "<a>" * 100_000),
    "one long tag": lambda: raw_book(TOP + '<a b="' + "x" * 20_000_000),
    "one long text": lambda: raw_book(TOP + "<row><c><v>" + "1" * 20_000_000),
    "styles": lambda: raw_book(TOP, styles="<cellXfs>" + '<xf numFmtId="1"/>' * 200_000 + "</cellXfs>"),
    "a row of commas": lambda: b"warehouse,sku,on_hand\n" + b"," * 2_000_000,
    "blank lines": lambda: b"warehouse,sku,on_hand\n" + b"\n" * 2_000_000,
    "one long cell": lambda: b"warehouse,sku,on_hand\n" + b"a" * 200_000,
    "dashes": lambda: b"- " * 100_000,
    "brackets": lambda: b"- " + b"[" * 100_000,
    "indents": lambda: b"- a:\n" + b"\n".join(b" " * at + b"a:" for at in range(2, 900)),
    "a long list": lambda: b"- {sku: a}\n" * (MOST_YAML // 10),
    "many JSON objects": lambda: b"[" + b"{}," * 400_000 + b"{}]",
    "many names": lambda: b"[{" + b",".join(b'"a%d":1' % at for at in range(1000)) + b"}]",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_that_is_made_to_hurt_is_refused(bomb: str) -> None:
    file = read(BOMBS[bomb](), "counts")

    assert not file.rows
    [problem] = said(file)
    assert problem.startswith(("holds more than", "unpacks to more", "is a damaged", "is nested", "is a list of more",
                               "has more than", "line 2 is not CSV"))  # fmt: skip


def test_the_last_row_of_excel_costs_nothing() -> None:
    assert counts(raw_book(TOP + texts(1 << 20, "hangzhou", "MUG-350", "7"))) == {"MUG-350": 7}


def test_a_list_that_names_itself_over_and_over_is_never_spelled_out() -> None:
    lines = ["- {warehouse: &a0 [x, x, x, x, x, x, x, x, x], sku: x, on_hand: 1}"]
    lines += [f"- {{warehouse: &a{at + 1} [{', '.join([f'*a{at}'] * 9)}], sku: x, on_hand: 1}}" for at in range(12)]
    lines += ["- {warehouse: hangzhou, sku: MUG-350, on_hand: 7, note: *a12}"]

    assert said(read("\n".join(lines)))[0].startswith("row 1, warehouse: holds no plain text")


def test_a_file_of_another_kind_is_not_read_to_its_end() -> None:
    problems = said(read("warehouse,sku,on_hand\n" + "x,y,z\n" * 5000))

    assert len(problems) < 1100
    assert problems[-1] == "was not read from row 336 on: too many rows are wrong"

"""`orderfleet stock import` and `template` with files as Excel writes them, on a real Redis."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from tests.builders import a_line, a_plan, a_planned_order, an_order
from tests.ops.cli.conftest import AskLedger, Program, Run, nobody_listens
from workers.inventory.operations.allocate import Allocate
from workers.inventory.operations.ship import Ship
from workers.inventory.records import Count
from workers.inventory.stocktake import sheet_part, sheets, workbook
from workers.reserve.agent import ReserveAgent
from workers.runtime.stage import Delivery

HEADINGS = ("warehouse", "sku", "on_hand", "safety", "counted_at")

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None)


def on_the_wall(*parts: int) -> datetime:
    """A time as Excel keeps it: without a zone."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


Book = Callable[..., Path]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Write rows as a workbook; by default under the English headings."""

    def write(*rows: Sequence[Any], headings: Sequence[Any] = HEADINGS, above: Sequence[Sequence[Any]] = ()) -> Path:
        made = Workbook()
        sheet = made.worksheets[0]
        for row in (*above, headings, *rows):
            sheet.append(list(row))
        path = tmp_path / "counts.xlsx"
        made.save(path)
        return path

    return write


@pytest.fixture
def promised(ask_ledger: AskLedger) -> AskLedger:
    """Hangzhou holds 10 coffees (2 safety stock, 4 promised to a paid order) and 7 mugs."""

    async def count(ledger):  # type: ignore[no-untyped-def]
        await ledger.stock.set_counts(
            "hangzhou", {"COFFEE-1KG": Count(on_hand=10, safety=2), "MUG-350": Count(on_hand=7)}
        )
        order = an_order("1", lines=(a_line("COFFEE-1KG", 4),))
        await ReserveAgent(ledger, 1800).handle(
            [Delivery(a_planned_order(order, a_plan("hangzhou")), key=order.uid.encode())]
        )

    ask_ledger(count)
    return ask_ledger


def levels(run: Run) -> dict[tuple[str, str], tuple[int, int, int]]:
    """on hand, safety, available, by warehouse and SKU."""
    rows = [json.loads(line) for line in run("stock", "show", "--json").stdout.splitlines()]
    return {
        (row["warehouse_id"], row["sku"]): (row["on_hand"], row["safety"], row["available_to_promise"]) for row in rows
    }


# -- what it does --------------------------------------------------------------------------------------------------


def test_an_import_sets_every_row_and_leaves_promises_alone(promised: AskLedger, book: Book, run: Run) -> None:
    file = book(("hangzhou", "COFFEE-1KG", 25, 3), ("beijing", "MUG-350", 4, None))

    result = run("stock", "import", file)

    assert result.exit_code == 0, result.stderr
    assert levels(run) == {
        ("hangzhou", "COFFEE-1KG"): (25, 3, 25 - 3 - 4),
        ("hangzhou", "MUG-350"): (7, 0, 7),
        ("beijing", "MUG-350"): (4, 0, 4),
    }
    assert "1 more SKUs in hangzhou are not in the file and stay as they are" in result.stderr


def test_a_dry_run_tells_the_difference_and_writes_nothing(promised: AskLedger, book: Book, run: Run) -> None:
    before = levels(run)
    file = book(("hangzhou", "COFFEE-1KG", 25, 3), ("hangzhou", "MUG-350", 7, None))

    result = run("stock", "import", file, "--dry-run")

    assert result.exit_code == 0, result.stderr
    [row] = [line.split() for line in result.stdout.splitlines() if "COFFEE" in line]
    assert row == ["hangzhou", "COFFEE-1KG", "10", "->", "25", "2", "->", "3", "4", "->", "18"]
    assert "2 counts, 1 of them change something; nothing was written" in result.stdout
    assert levels(run) == before


def test_a_dry_run_as_json_holds_every_figure(promised: AskLedger, book: Book, run: Run) -> None:
    result = run("stock", "import", book(("hangzhou", "COFFEE-1KG", 25, 3)), "--dry-run", "--json")

    document = json.loads(result.stdout)
    assert (document["ok"], document["written"]) == (True, False)
    assert document["changes"] == [
        {
            "row": 2,
            "warehouse_id": "hangzhou",
            "sku": "COFFEE-1KG",
            "counted_at": None,
            "on_hand": 10,
            "on_hand_after": 25,
            "safety": 2,
            "safety_after": 3,
            "available_to_promise": 4,
            "available_to_promise_after": 18,
        }
    ]


@pytest.mark.parametrize("extra", [(), ("--dry-run",)])
def test_more_promised_than_counted_is_exit_1(
    extra: tuple[str, ...], promised: AskLedger, book: Book, run: Run
) -> None:
    result = run("stock", "import", book(("hangzhou", "COFFEE-1KG", 3, None)), "--json", *extra)

    assert result.exit_code == 1
    [change] = json.loads(result.stdout)["changes"]
    assert change["available_to_promise_after"] == 3 - 2 - 4


def test_a_table_names_what_goes_below_zero(promised: AskLedger, book: Book, run: Run) -> None:
    result = run("stock", "import", book(("hangzhou", "COFFEE-1KG", 3, None)), "--dry-run")

    assert result.exit_code == 1
    assert "4 -> -3" in result.stdout
    assert "COFFEE-1KG in hangzhou: 3 more promised than counted" in result.stderr


def test_importing_twice_changes_nothing_more(promised: AskLedger, book: Book, run: Run) -> None:
    file = book(("hangzhou", "COFFEE-1KG", 25, 3))
    run("stock", "import", file)
    once = levels(run)

    again = run("stock", "import", file)

    assert levels(run) == once
    assert "1 counts, 0 of them change something" in again.stdout


def test_a_count_older_than_the_one_in_force_sets_nothing_on_hand(promised: AskLedger, book: Book, run: Run) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="minutes")
    file = book(("hangzhou", "COFFEE-1KG", 99, 5, yesterday), ("hangzhou", "MUG-350", 8, None, None))

    dry, result = run("stock", "import", file, "--dry-run"), run("stock", "import", file)

    assert "what left or came in after that time is applied" in dry.stderr
    assert "row 2, COFFEE-1KG in hangzhou: on hand is not the 99 counted" in result.stderr
    assert levels(run) == {("hangzhou", "COFFEE-1KG"): (10, 5, 10 - 5 - 4), ("hangzhou", "MUG-350"): (8, 0, 8)}


def test_what_left_after_the_count_is_taken_off_it(ask_ledger: AskLedger, book: Book, run: Run) -> None:
    async def ship_four(ledger):  # type: ignore[no-untyped-def]
        await ledger.stock.set_counts("hangzhou", {"COFFEE-1KG": Count(on_hand=10)}, at_ms=1)
        order = an_order("1", lines=(a_line("COFFEE-1KG", 4),))
        planned = a_planned_order(order, a_plan("hangzhou"))
        await ReserveAgent(ledger, 1800).handle([Delivery(planned, key=order.uid.encode())])
        await ledger.orders.apply([Allocate("hangzhou", order.uid, ["COFFEE-1KG"])])
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        await ledger.orders.apply([Ship("hangzhou", order.uid, "m1", now_ms, has=["COFFEE-1KG"])])

    ask_ledger(ship_four)
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")

    result = run("stock", "import", book(("hangzhou", "COFFEE-1KG", 9, None, an_hour_ago)), "--json")

    assert result.exit_code == 0, result.stderr
    [change] = json.loads(result.stdout)["changes"]
    assert (change["on_hand"], change["on_hand_after"], change["available_to_promise_after"]) == (6, 5, 5)
    assert "stock moved after that time" in result.stderr


# -- what Excel makes of a number ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "units"),
    [
        (12, 12),
        (12.0, 12),
        (11.999999999999998, 12),
        ("12", 12),
        (" 12\u3000", 12),
        ("１２", 12),
        ("12.0", 12),
        ("1,200", 1200),
        ("1，200", 1200),
        ("12,345,678", 12_345_678),
        ("+5", 5),
        ("0", 0),
        (0, 0),
        ("\u00a07", 7),
    ],
)
def test_units_are_understood_as_people_and_excel_write_them(
    typed: object, units: int, redis_url: str, book: Book, run: Run
) -> None:
    result = run("stock", "import", book(("hangzhou", "MUG-350", typed)))

    assert result.exit_code == 0, result.stderr
    assert levels(run).get(("hangzhou", "MUG-350"), (0,))[0] == units  # a SKU of which there is none is not kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (-1, "below zero"),
        ("-1", "below zero"),
        (1.5, "no whole number"),
        ("1.5", "no whole number"),
        ("12件", "without a unit"),
        ("twelve", "without a unit"),
        ("1,20", "without commas"),
        (None, "is empty; write the units counted, 0 for none"),
        (10**10, "more than 1000000000 units"),
        (1e308, "more than 1000000000 units"),
        (True, "holds no plain text or number"),
        (on_the_wall(2026, 1, 12), "is a date"),
        ("#N/A", "the Excel error #N/A"),
    ],
)
def test_what_is_no_number_of_units_is_told(typed: object, why: str, redis_url: str, book: Book, run: Run) -> None:
    result = run("stock", "import", book(("hangzhou", "MUG-350", typed)))

    assert result.exit_code == 2
    assert "counts.xlsx, row 2, column C (on_hand): " in result.stderr
    assert why in result.stderr
    assert "nothing was written" in result.stderr


def test_a_formula_counts_by_the_result_that_excel_saved(redis_url: str, book: Book, run: Run) -> None:
    file = book(("hangzhou", "MUG-350", "=5+6"), ("hangzhou", "LAMP-DESK", 1))
    _rewrite(file, "xl/worksheets/sheet1.xml", b"<f>5+6</f><v />", b"<f>5+6</f><v>11</v>")

    assert run("stock", "import", file).exit_code == 0
    assert levels(run)["hangzhou", "MUG-350"][0] == 11


def test_a_formula_without_its_result_is_told(redis_url: str, book: Book, run: Run) -> None:
    result = run("stock", "import", book(("hangzhou", "MUG-350", "=5+6")))

    assert result.exit_code == 2
    assert "row 2, column C (on_hand): is a formula whose result the file does not hold" in result.stderr


def _rewrite(file: Path, part: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(file) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in parts.items():
            package.writestr(name, body)


# -- warehouses and SKUs -------------------------------------------------------------------------------------------


def test_a_warehouse_may_be_called_by_its_title(redis_url: str, book: Book, run: Run) -> None:
    file = book(("杭州仓", "MUG-350", 1), ("Beijing", "MUG-350", 2), (" ｈａｎｇｚｈｏｕ ", "LAMP-DESK", 3))

    assert run("stock", "import", file).exit_code == 0
    assert set(levels(run)) == {("hangzhou", "MUG-350"), ("beijing", "MUG-350"), ("hangzhou", "LAMP-DESK")}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            ("hangzou", "MUG-350", 1),
            "column A (warehouse): 'hangzou' is no warehouse of the ruleset; did you mean hang",
        ),
        (("hangzhou", "MUG-35O", 1), "column B (SKU): 'MUG-35O' is not in the catalogue; did you mean MUG-350?"),
        (("hangzhou", "mug-350", 1), "did you mean MUG-350?"),
        (("", "MUG-350", 1), "column A (warehouse): is empty"),
        (("hangzhou", "  ", 1), "column B (SKU): is empty"),
        (("hangzhou", 6901234567892.0, 1), "was turned by Excel into the number 6901234567892"),
        (("hangzhou", 12345678901234567890, 1), "with its last digits lost"),
        (("hangzhou", "6.90123E+12", 1), "scientific notation"),
        (("hangzhou", on_the_wall(2026, 3, 10), 1), "column B (SKU): was turned by Excel into a date"),
    ],
)
def test_unknown_names_are_told_with_a_suggestion(
    row: tuple[object, ...], said: str, redis_url: str, book: Book, run: Run
) -> None:
    result = run("stock", "import", book(row))

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_sku_that_is_a_number_is_taken_when_the_catalogue_has_it(
    redis_url: str, book: Book, run: Run, tmp_path: Path
) -> None:
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(
        Path("ops/docs/examples/catalogue.yaml")
        .read_text(encoding="utf-8")
        .replace(
            "skus:\n",
            "skus:\n  '6901234567892': {title: x, category: home, storage: ambient}\n"
            "  '00123': {title: y, category: home, storage: ambient}\n",
            1,
        ),
        encoding="utf-8",
    )

    good = run("stock", "import", book(("hangzhou", 6901234567892, 3)), "--catalogue", catalogue)
    bad = run("stock", "import", book(("hangzhou", 123, 3)), "--catalogue", catalogue)

    assert (good.exit_code, bad.exit_code) == (0, 2), good.stderr
    assert "into the number 123; set the column's format to Text and type the SKU again; did you mean 00123?" in (
        bad.stderr
    )


def test_rows_may_leave_the_warehouse_to_an_option(redis_url: str, book: Book, run: Run) -> None:
    file = book(("MUG-350", 3), headings=("商家编码", "数量"))

    without, unknown, good = (
        run("stock", "import", file, *extra) for extra in ((), ("-w", "paris"), ("-w", "beijing"))
    )

    assert (without.exit_code, unknown.exit_code, good.exit_code) == (2, 2, 0)
    assert "the columns warehouse, SKU, on_hand" in without.stderr
    assert "there are: hangzhou, shanghai-cold" in unknown.stderr
    assert set(levels(run)) == {("beijing", "MUG-350")}


# -- rows ----------------------------------------------------------------------------------------------------------


def test_every_bad_row_is_named_and_no_row_is_written(redis_url: str, book: Book, run: Run) -> None:
    file = book(
        ("hangzhou", "MUG-350", 1),
        ("hangzhou", "COFFEE-1KG", -2),
        (),
        ("hangzou", "NO-SUCH", 1.5, "x"),
        ("hangzhou", "MUG-350", 9),
    )

    result = run("stock", "import", file, "--json")

    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert [(problem["row"], problem["column"]) for problem in document["problems"]] == [
        (3, "column C (on_hand)"),
        (5, "column A (warehouse)"),
        (5, "column B (SKU)"),
        (5, "column C (on_hand)"),
        (5, "column D (safety)"),
        (6, "column B (SKU)"),
    ]
    assert "stands in row 2 already" in document["problems"][-1]["message"]
    assert "第 2 行已有" in document["problems"][-1]["message_zh"]
    assert run("stock", "show").exit_code == 1


def test_the_same_is_told_in_chinese(redis_url: str, book: Book, run: Run, chinese: None) -> None:
    result = run("stock", "import", book(("hangzhou", "MUG-350", -2)))

    assert "counts.xlsx：第 2 行，C 列（在库数量）：是负数 -2；请写 0 或以上" in result.stderr
    assert "没有写入任何数据" in result.stderr


def test_a_hundred_bad_rows_are_told_and_the_rest_counted(redis_url: str, book: Book, run: Run) -> None:
    result = run("stock", "import", book(*[("hangzhou", "MUG-350", -1)] * 130))

    assert len(result.stderr.splitlines()) == 102
    assert "and 30 more" in result.stderr


def test_blank_rows_are_nothing(redis_url: str, book: Book, run: Run) -> None:
    file = book((), ("hangzhou", "MUG-350", 1), ("", "  ", "\u3000"), (), (None, None, ""))

    assert run("stock", "import", file).exit_code == 0
    assert levels(run) == {("hangzhou", "MUG-350"): (1, 0, 1)}


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-01-02 18:30", True),
        ("2026/1/2 8:05", True),
        ("2026-01-02T18:30:00+08:00", True),
        (on_the_wall(2026, 1, 2, 18, 30), True),
        ("2026-01-02", False),
        ("yesterday", False),
        (45000, False),
        (TOMORROW + timedelta(days=1), False),
    ],
)
def test_the_time_of_a_count_is_read_or_told(text: object, good: bool, redis_url: str, book: Book, run: Run) -> None:
    result = run("stock", "import", book(("hangzhou", "MUG-350", 1, None, text)), "--dry-run", "--json")

    document = json.loads(result.stdout)
    if good:
        [change] = document["changes"]
        assert datetime.fromisoformat(change["counted_at"]).astimezone().year == 2026
    else:
        assert [problem["column"] for problem in document["problems"]] == ["column E (counted_at)"]


# -- headings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headings",
    [
        ("仓库", "商品编码", "在库数量"),
        ("仓库编码", "SKU", "数量"),
        ("Warehouse ID", "SKU code", "On hand"),
        ("仓库 warehouse", "商品编码 SKU", "在库数量\non_hand"),
        (" ＷＡＲＥＨＯＵＳＥ ", "sku ", "on-hand"),
    ],
)
def test_headings_are_known_in_either_language(headings: tuple[str, ...], redis_url: str, book: Book, run: Run) -> None:
    assert run("stock", "import", book(("hangzhou", "MUG-350", 1), headings=headings)).exit_code == 0


def test_a_title_and_hidden_rows_above_the_headings_do_no_harm(redis_url: str, tmp_path: Path, run: Run) -> None:
    made = Workbook()
    sheet = made.worksheets[0]
    for row in (["十一月盘点"], [], ["制表：仓库组"], ["仓库", "SKU", "在库"], ["hangzhou", "MUG-350", -3]):
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet.row_dimensions[4].hidden = True
    made.save(tmp_path / "a.xlsx")

    assert "a.xlsx, row 5, column C (on_hand)" in run("stock", "import", tmp_path / "a.xlsx").stderr


def test_a_merged_heading_may_stand_over_two_of_its_own(redis_url: str, tmp_path: Path, run: Run) -> None:
    made = Workbook()
    sheet = made.worksheets[0]
    for row in (["仓库", "SKU", "件数", None], [None, None, "在库", "安全库存"], ["hangzhou", "MUG-350", 8, 2]):
        sheet.append(row)
    for area in ("A1:A2", "B1:B2", "C1:D1"):
        sheet.merge_cells(area)
    made.save(tmp_path / "a.xlsx")

    assert run("stock", "import", tmp_path / "a.xlsx").exit_code == 0
    assert levels(run)["hangzhou", "MUG-350"] == (8, 2, 6)


def test_a_file_without_headings_is_told_what_they_are(redis_url: str, book: Book, run: Run) -> None:
    result = run("stock", "import", book(headings=("hangzhou", "MUG-350", 1)))

    assert result.exit_code == 2
    assert "has no heading row" in result.stderr
    assert "orderfleet stock template" in result.stderr


def test_two_columns_of_one_meaning_are_refused(redis_url: str, book: Book, run: Run) -> None:
    result = run("stock", "import", book(headings=("仓库", "SKU", "库存", "数量")))

    assert "columns C and D are both headed as on_hand" in result.stderr


def test_a_heading_with_a_typo_is_not_left_out_in_silence(redis_url: str, book: Book, run: Run) -> None:
    typo = run("stock", "import", book(("hangzhou", "MUG-350", 1, 1), headings=("仓库", "SKU", "库存", "safty")))
    other = run("stock", "import", book(("hangzhou", "MUG-350", 1, 1), headings=("仓库", "SKU", "库存", "货位")))

    assert (typo.exit_code, other.exit_code) == (2, 0)
    assert "there is no column safty; did you mean safety?" in typo.stderr
    assert "columns that were not read: 货位" in other.stderr


def test_one_sheet_of_several_must_be_named(redis_url: str, tmp_path: Path, run: Run) -> None:
    made = Workbook()
    for name, units in (("甲", 1), ("乙", 2)):
        sheet = made.create_sheet(name)
        sheet.append(["仓库", "SKU", "库存"])
        sheet.append(["hangzhou", "MUG-350", units])
    file = tmp_path / "a.xlsx"
    made.save(file)

    both, wrong, one = (run("stock", "import", file, *extra) for extra in ((), ("--sheet", "丙"), ("--sheet", "乙")))

    assert "several sheets with counts: 甲, 乙" in both.stderr
    assert "has no sheet 丙; it has: Sheet, 甲, 乙" in wrong.stderr
    assert one.exit_code == 0
    assert levels(run)["hangzhou", "MUG-350"][0] == 2


# -- CSV -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_every_encoding_that_excel_writes(
    encoding: str, delimiter: str, redis_url: str, tmp_path: Path, run: Run
) -> None:
    file = tmp_path / "a.csv"
    rows = [["仓库", "商品编码", "库存", "备注"], ["杭州仓", "MUG-350", "1200", "货架，左"]]
    file.write_bytes("\r\n".join(delimiter.join(row) for row in rows).encode(encoding))

    result = run("stock", "import", file)

    assert result.exit_code == 0, result.stderr
    assert levels(run)["hangzhou", "MUG-350"][0] == 1200


def test_rows_of_csv_are_numbered_as_excel_shows_them(redis_url: str, run: Run) -> None:
    body = 'warehouse,sku,on_hand,note\nhangzhou,MUG-350,"1,200","two\nlines"\n\nhangzhou,LAMP-DESK,-1,\n'

    result = run("stock", "import", "-", stdin=body.encode())

    assert "stdin, row 4, column C (on_hand)" in result.stderr


def test_a_comma_that_tears_a_number_in_two_is_noticed(redis_url: str, run: Run) -> None:
    result = run("stock", "import", "-", stdin=b"warehouse,sku,on_hand\nhangzhou,MUG-350,1,200\n")

    assert result.exit_code == 2
    assert "more cells than the 3 headings" in result.stderr


# -- files that are none -------------------------------------------------------------------------------------------

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _zip(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in parts.items():
            package.writestr(name, body)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (OLE + bytes(600), "old .xls workbook"),
        (OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (_zip(readme=b"x"), "no .xlsx workbook"),
        (_zip(**{"xl/workbook.xml": b"<workbook/>"}), "damaged workbook"),
        (b"PK\x03\x04" + bytes(100), "damaged workbook"),
        (b"<html><table></table></html>", "is a web page"),
        (bytes(range(256)) * 4, "neither a workbook nor text"),
        (b"", "has no heading row"),
        (b"warehouse,sku,on_hand\n", "holds no counts"),
        (b'warehouse,sku,on_hand\nhangzhou,"MUG,1\n', "a quotation mark is not closed"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_it_is(
    body: bytes, said: str, redis_url: str, tmp_path: Path, run: Run
) -> None:
    file = tmp_path / "counts.xlsx"
    file.write_bytes(body)

    result = run("stock", "import", file)

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_zip_bomb_is_not_unpacked(redis_url: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_UNPACKED_BYTES", 1 << 20)
    file = tmp_path / "bomb.xlsx"
    file.write_bytes(_zip(**{"xl/workbook.xml": bytes(2 << 20)}))

    assert "unpacks to more than 1 MB" in run("stock", "import", file).stderr


def test_an_entity_bomb_is_a_damaged_workbook(redis_url: str, book: Book, run: Run) -> None:
    file = book(("hangzhou", "MUG-350", 1))
    _rewrite(file, "xl/worksheets/sheet1.xml", b"<worksheet ", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet ')

    assert "damaged workbook" in run("stock", "import", file).stderr


def test_files_have_a_size_limit(redis_url: str, book: Book, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    file = book(("hangzhou", "MUG-350", 1), ("hangzhou", "LAMP-DESK", 1))
    monkeypatch.setattr(sheet_part, "MOST_ROWS", 1)
    rows = run("stock", "import", file)
    monkeypatch.setattr(sheets, "MOST_FILE_BYTES", 1000)
    size = run("stock", "import", file)

    assert "holds more than" in rows.stderr
    assert "is larger than" in size.stderr


def test_a_workbook_cut_anywhere_never_is_our_mistake(redis_url: str, book: Book, run: Run, tmp_path: Path) -> None:
    whole = book(("hangzhou", "MUG-350", 1)).read_bytes()
    cut = tmp_path / "cut.xlsx"
    for length in range(0, len(whole), len(whole) // 23):
        cut.write_bytes(whole[:length])
        assert run("stock", "import", cut).exit_code == 2


# -- the template --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["counts.xlsx", "counts.csv"])
def test_the_template_as_it_is_holds_no_counts(name: str, redis_url: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / name

    assert run("stock", "template", file).exit_code == 0
    result = run("stock", "import", file)

    assert result.exit_code == 2
    assert "holds no counts" in result.stderr


def test_a_filled_in_template_is_imported_without_its_examples(redis_url: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "counts.xlsx"
    run("stock", "template", file)
    made = load_workbook(file)
    made.worksheets[0].append(["杭州仓", "MUG-350", 40, 4, on_the_wall(2026, 1, 2, 18, 30)])
    made.save(file)

    result = run("stock", "import", file)

    assert result.exit_code == 0, result.stderr
    assert levels(run) == {("hangzhou", "MUG-350"): (40, 4, 36)}
    assert "3 example rows were left out" in result.stderr


def test_a_filled_in_csv_template_is_imported(redis_url: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "counts.csv"
    run("stock", "template", file)
    with file.open("a", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerow(["hangzhou", "MUG-350", "40", "", "", "my note"])

    assert run("stock", "import", file).exit_code == 0
    assert levels(run) == {("hangzhou", "MUG-350"): (40, 0, 40)}


def test_an_example_row_that_was_typed_over_is_not_lost_in_silence(redis_url: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "counts.xlsx"
    run("stock", "template", file)
    made = load_workbook(file)
    made.worksheets[0]["A2"], made.worksheets[0]["B2"] = "hangzhou", "MUG-350"
    made.save(file)

    result = run("stock", "import", file)

    assert result.exit_code == 2
    assert "row 2, column F (note): marks an example row, but the row was changed" in result.stderr


def test_the_template_explains_itself_and_offers_choices(redis_url: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "counts.xlsx"
    run("stock", "template", file)

    made = load_workbook(file)

    counts, explanation, lists = made.worksheets
    assert [cell.value for cell in counts[1]][:3] == ["仓库 warehouse", "商品编码 SKU", "在库数量 on_hand"]
    assert {rule.type for rule in counts.data_validations.dataValidation} == {"list", "whole", "date"}
    assert counts["B100"].number_format == "@"
    assert "如何填写" in str(explanation["A1"].value)
    assert [lists["A2"].value, lists["B2"].value] == ["hangzhou", "杭州仓"]
    assert "MUG-350" in {row[0] for row in lists.iter_rows(min_col=3, max_col=3, values_only=True)}


def test_a_template_never_overwrites_a_file_unasked(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("mine", encoding="utf-8")

    assert run("stock", "template", file).exit_code == 2
    assert file.read_text(encoding="utf-8") == "mine"
    assert run("stock", "template", file, "--force").exit_code == 0
    assert run("stock", "template", tmp_path / "counts.ods").exit_code == 2
    assert run("stock", "template", tmp_path / "no" / "counts.csv").exit_code == 2


# -- the rest ------------------------------------------------------------------------------------------------------


def test_a_ruleset_that_cannot_be_used_ends_the_command(book: Book, run: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("nonsense: 1\n", encoding="utf-8")

    assert run("stock", "import", book(("hangzhou", "MUG-350", 1)), "--rules", rules).exit_code == 2


def test_a_redis_that_is_away_is_one_clear_line(book: Book, program: Program) -> None:
    file = book(("hangzhou", "MUG-350", 1))

    done = program("stock", "import", file, ORDERFLEET_REDIS_URL=f"redis://{nobody_listens()}")

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


def test_outside_the_checkout_it_says_how_to_name_the_ruleset(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "counts.csv").write_text("sku,on hand\n")
    monkeypatch.chdir(tmp_path)

    result = run("stock", "import", "counts.csv")

    assert result.exit_code == 2
    assert "--rules FILE or ORDERFLEET_RULES_FILE" in result.stderr

"""`orderfleet figures` on a real PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ops.cli.conftest import Run
from tests.workers.admin.desk.books import fill, in_review

UID = "taobao:tea-house:1"


@pytest.fixture
def desk(book_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ORDERFLEET_BOOK_URL", book_url)
    fill(book_url, [in_review("1")])
    return book_url


@pytest.mark.usefixtures("desk")
def test_what_people_enter_is_in_the_figures(run: Run, tmp_path: Path) -> None:
    assert run("figures", "wrong", UID, "damaged").exit_code == 0
    assert run("figures", "wrong", UID, "lost").exit_code == 2
    assert run("figures", "wrong", UID, "damaged", "--day", "x").exit_code == 2
    sheet = tmp_path / "returns.csv"
    found = json.loads(run("figures", "show", "--json").stdout)
    day = found["rows"][-1]["day"]
    sheet.write_text(f"order,kind,day\n{UID},damaged,{day}\n{UID},other,{day}\n", encoding="utf-8")
    assert "1 of 2 are new" in run("figures", "import-wrong", str(sheet)).stderr
    support = tmp_path / "support.csv"
    support.write_text(f"day,shop,questions,about orders\n{day},taobao:tea-house,20,5\n", encoding="utf-8")
    assert run("figures", "import-support", str(support)).exit_code == 0
    assert run("figures", "target", "routed-p95", "300").exit_code == 0
    total = json.loads(run("figures", "show", "--json").stdout)
    assert (total["total"]["wrong"], total["total"]["question_share"]) == (2, 0.25)
    assert total["targets"] == {"routed-p95": 300.0}
    shown = run("figures", "show", "--by", "shop").stdout
    assert "taobao:tea-house" in shown
    assert "routed-p95" in shown
    assert run("figures", "wrong", UID, "damaged", "--withdraw").exit_code == 0
    assert run("figures", "wrong", UID, "damaged", "--withdraw").exit_code == 1


@pytest.mark.usefixtures("desk")
def test_a_bad_sheet_is_refused_row_by_row(run: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "returns.csv"
    sheet.write_text(f"order,kind,day\n{UID},lost,2026-11-11\n", encoding="utf-8")
    result = run("figures", "import-wrong", str(sheet))
    assert result.exit_code == 2
    assert "row 2" in result.stderr
    sheet.write_text("nothing\n", encoding="utf-8")
    assert run("figures", "import-support", str(sheet)).exit_code == 2


@pytest.mark.usefixtures("desk")
def test_a_zone_that_is_none_is_said_to_be_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_FIGURES_ZONE", "Asia/Nowhere")
    result = run("figures", "show")
    assert result.exit_code == 2
    assert "Asia/Shanghai" in result.stderr

"""`orderfleet review`: what is wrong with the question ends the command before anything is written."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from ops.cli.output import ExitCode
from schemas.decision import Decided, DecisionKind, DecisionRefusal
from tests.ops.cli.conftest import Run
from workers.admin.decisions import told
from workers.book import database

UID = "taobao:tb-flagship:1"


@pytest.mark.parametrize(
    "words",
    [
        ("hold", "nonsense:1:2:3", "--why", "x"),
        ("note", UID, "--why", " "),
        ("correct", UID, "--why", "x", "--sku", "no-equals-sign", "--seen", "r"),
        ("correct", UID, "--why", "x", "--quantity", "1=many", "--seen", "r"),
        ("correct", UID, "--why", "x", "--seen", "r"),
        ("release", UID, "--why", "x", "--to", "No Warehouse", "--seen", "r"),
        ("hold", UID, "--why", "x" * 1001),
    ],
    ids=" ".join,
)
def test_what_is_no_decision_is_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    assert run("review", *words).exit_code == ExitCode.USAGE


def test_a_receiver_that_cannot_be_read_is_not_quoted(run: Run, tmp_path: object) -> None:
    from pathlib import Path

    file = Path(str(tmp_path)) / "receiver.json"
    file.write_text('{"street": ["示例路 9 号"]}', encoding="utf-8")
    done = run("review", "correct", UID, "--why", "x", "--seen", "r", "--receiver", str(file))
    assert done.exit_code == ExitCode.USAGE
    assert "示例路" not in done.output


def test_an_order_that_nobody_knows_is_not_decided_about(run: Run, redis_url: str) -> None:
    done = run("review", "cancel", UID, "--why", "x")
    assert done.exit_code == ExitCode.BAD
    assert UID in done.output


def test_a_refusal_is_told_with_its_code_and_what_to_do() -> None:
    decided = Decided(
        decision_id="d",
        order_uid=UID,
        kind=DecisionKind.RELEASE,
        who="li.na",
        at=datetime(2026, 12, 1, tzinfo=UTC),
        code=DecisionRefusal.NO_STOCK,
        where="warehouse_id",
    )
    assert "no-stock (warehouse_id)" in told(decided).en
    assert "待货" in told(decided).zh


def test_a_book_without_reviews_lists_none(run: Run, book_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_BOOK_URL", book_url)
    with psycopg.connect(book_url) as connection:
        database.migrate(connection)
    assert run("review", "list", "--json").exit_code == ExitCode.OK


def test_without_a_book_it_says_how_to_have_one(run: Run) -> None:
    done = run("review", "list")
    assert done.exit_code == ExitCode.USAGE
    assert "ORDERFLEET_BOOK_URL" in done.output

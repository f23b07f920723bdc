"""`orderfleet backorders` on a real Redis."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import NOON, a_line, a_plan, a_planned_order, an_order
from tests.ops.cli.conftest import AskLedger, Program, Run, nobody_listens
from workers.inventory.waiting import waiting_of
from workers.reserve.agent import ReserveAgent
from workers.runtime.stage import Delivery


@pytest.fixture
def waiting(ask_ledger: AskLedger) -> AskLedger:
    """Order 1 waits for coffee, order 2, a minute younger, for a mug that Hangzhou gave back."""

    async def wait(ledger):  # type: ignore[no-untyped-def]
        agent = ReserveAgent(ledger, 1800)
        coffee = a_planned_order(an_order("1", lines=(a_line("COFFEE-1KG", 4),)), a_plan("hangzhou", "beijing"))
        younger = an_order("2", lines=(a_line("MUG-350"),), placed_at=NOON + timedelta(minutes=1))
        mug = a_planned_order(younger, a_plan("hangzhou", "beijing", gave_up=("hangzhou",)))
        for number, planned in enumerate((mug, coffee)):
            await agent.handle([Delivery(planned, key=b"", partition=2, offset=number)])

    ask_ledger(wait)
    return ask_ledger


def test_list_tells_who_waits_for_what_the_oldest_first(waiting: AskLedger, run: Run) -> None:
    result = run("backorders", "list", "--json")

    assert result.exit_code == 0, result.stderr
    coffee, mug = map(json.loads, result.stdout.splitlines())
    assert coffee["order_uid"] == an_order("1").uid
    assert (coffee["needs"], coffee["warehouses"], coffee["source"]) == (
        {"COFFEE-1KG": 4},
        ["hangzhou", "beijing"],
        "2:1",
    )
    assert coffee["placed_at"] == "2026-11-11T04:00:00Z"
    assert (mug["warehouses"], mug["gave_up"]) == (["beijing"], ["hangzhou"])


def test_list_as_a_table_says_it_in_words(waiting: AskLedger, run: Run) -> None:
    result = run("backorders", "list")

    [row] = [line for line in result.stdout.splitlines() if an_order("1").uid in line]
    assert "4 x COFFEE-1KG" in row
    assert "hangzhou, beijing" in row
    assert "hangzhou (gave it back)" in result.stdout
    assert "2 orders wait in all" in result.stderr


def test_list_can_be_narrowed(waiting: AskLedger, run: Run) -> None:
    def numbers(*options: object) -> list[str]:
        lines = run("backorders", "list", "--json", *options).stdout.splitlines()
        return [json.loads(line)["order_uid"].rpartition(":")[2] for line in lines]

    assert numbers("--sku", "MUG-350") == ["2"]
    assert numbers("--warehouse", "beijing") == ["1", "2"]
    assert numbers("--warehouse", "nowhere") == []
    assert numbers("--limit", 1) == ["1"]


def test_an_order_that_is_no_longer_kept_is_told_apart(waiting: AskLedger, run: Run) -> None:
    lost = replace(waiting_of(a_planned_order(an_order("3")), ""), warehouses=())
    waiting(lambda ledger: ledger.waiting.put([lost]))

    assert "nowhere: poll its shop again" in run("backorders", "list").stdout


def test_nobody_waits(redis_url: str, run: Run) -> None:
    result = run("backorders", "list")

    assert result.exit_code == 0
    assert "0 orders wait in all" in result.stderr


def test_a_redis_that_is_away_is_named(program: Program) -> None:
    done = program("backorders", "list", ORDERFLEET_REDIS_URL=f"redis://{nobody_listens()}/0")

    assert done.returncode == 3
    assert b"does not answer" in done.stderr

"""`orderfleet stock` on a real Redis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from redis import Redis

from ops.testbed.local_stack.redis_states import WRITES_REFUSED
from tests.builders import a_line, a_plan, a_planned_order, an_order
from tests.ops.cli.conftest import AskLedger, Program, Run, nobody_listens
from workers.inventory.keys import stock_key
from workers.inventory.records import Count
from workers.reserve.agent import ReserveAgent
from workers.runtime.stage import Delivery


@pytest.fixture
def counted(ask_ledger: AskLedger) -> AskLedger:
    """Two warehouses: 10 bags of coffee in Hangzhou (2 of them safety stock), 3 in Beijing; a paid order takes 4."""

    async def count(ledger):  # type: ignore[no-untyped-def]
        await ledger.stock.set_counts(
            "hangzhou", {"COFFEE-1KG": Count(on_hand=10, safety=2), "MUG-350": Count(on_hand=1)}
        )
        await ledger.stock.set_counts("beijing", {"COFFEE-1KG": Count(on_hand=3)})
        order = an_order("1", lines=(a_line("COFFEE-1KG", 4),))
        planned = a_planned_order(order, a_plan("hangzhou"))
        await ReserveAgent(ledger, 1800).handle([Delivery(planned, key=order.uid.encode())])

    ask_ledger(count)
    return ask_ledger


# -- show ----------------------------------------------------------------------------------------------------------


def test_show_tells_every_counter_and_what_may_be_sold(counted: AskLedger, run: Run) -> None:
    result = run("stock", "show", "--json")

    assert result.exit_code == 0, result.stderr
    rows = {(row["warehouse_id"], row["sku"]): row for row in map(json.loads, result.stdout.splitlines())}
    assert set(rows) == {("beijing", "COFFEE-1KG"), ("hangzhou", "COFFEE-1KG"), ("hangzhou", "MUG-350")}
    assert rows["hangzhou", "COFFEE-1KG"] == {
        "warehouse_id": "hangzhou",
        "sku": "COFFEE-1KG",
        "on_hand": 10,
        "held": 0,
        "committed": 4,
        "allocated": 0,
        "transfer": 0,
        "safety": 2,
        "available_to_promise": 4,
    }


def test_show_as_a_table_keeps_all_columns(counted: AskLedger, run: Run) -> None:
    text = run("stock", "show").stdout

    [row] = [line for line in text.splitlines() if "hangzhou" in line and "COFFEE" in line]
    assert row.split() == ["hangzhou", "COFFEE-1KG", "10", "0", "4", "0", "0", "2", "4"]


def test_show_can_be_narrowed(counted: AskLedger, run: Run) -> None:
    one = run("stock", "show", "--warehouse", "beijing", "--json")
    other = run("stock", "show", "--sku", "COFFEE-1KG", "--json")

    assert [json.loads(line)["sku"] for line in one.stdout.splitlines()] == ["COFFEE-1KG"]
    assert [json.loads(line)["warehouse_id"] for line in other.stdout.splitlines()] == ["beijing", "hangzhou"]


def test_show_of_what_is_not_there_fails(counted: AskLedger, run: Run) -> None:
    sku = run("stock", "show", "--sku", "COFFE-1KG")
    warehouse = run("stock", "show", "--warehouse", "hangzou")

    assert (sku.exit_code, warehouse.exit_code) == (1, 1)
    assert "there is no COFFE-1KG in any warehouse" in sku.stderr
    assert "nothing was ever counted in hangzou" in warehouse.stderr


# -- set -----------------------------------------------------------------------------------------------------------


def test_set_writes_one_count(counted: AskLedger, run: Run) -> None:
    result = run("stock", "set", "-w", "hangzhou", "-s", "COFFEE-1KG", "--on-hand", 25, "--json")

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {
        "warehouse_id": "hangzhou",
        "sku": "COFFEE-1KG",
        "available_to_promise": 25 - 4 - 2,
    }


def test_set_reads_a_file(redis_url: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("warehouse,sku,on_hand,safety\nhangzhou,A,5,1\nbeijing,A,7,\nbeijing,B,1,1\n", encoding="utf-8")

    assert run("stock", "set", "--file", file).exit_code == 0

    rows = [json.loads(line) for line in run("stock", "show", "--json").stdout.splitlines()]
    assert [(row["warehouse_id"], row["sku"], row["available_to_promise"]) for row in rows] == [
        ("beijing", "A", 7),
        ("beijing", "B", 0),
        ("hangzhou", "A", 4),
    ]


def test_set_sets_nothing_when_one_row_is_bad(redis_url: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("warehouse,sku,on_hand\nhangzhou,A,5\nhangzhou,B,five\n", encoding="utf-8")

    result = run("stock", "set", "--file", file)

    assert result.exit_code == 2
    assert "counts.csv, row 3, column C (on_hand): is 'five'; write a whole number" in result.stderr
    assert run("stock", "show").exit_code == 1


def test_set_below_what_is_promised_is_done_and_told(counted: AskLedger, run: Run) -> None:
    result = run("stock", "set", "-w", "hangzhou", "-s", "COFFEE-1KG", "--on-hand", 3)

    assert result.exit_code == 1
    assert "COFFEE-1KG in hangzhou: 3 more promised than counted" in result.stderr
    level = json.loads(run("stock", "show", "-w", "hangzhou", "-s", "COFFEE-1KG", "--json").stdout)
    assert (level["on_hand"], level["available_to_promise"]) == (3, -3)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("-w", "hangzhou"),
        ("-w", "hangzhou", "-s", "A"),
        ("-s", "A", "--on-hand", "1"),
        ("-w", "Hang Zhou", "-s", "A", "--on-hand", "1"),
        ("-w", "hangzhou", "-s", "A", "--on-hand", "-1"),
        ("-w", "hangzhou", "-s", "A", "--on-hand", "one"),
        ("--file", "no-such-file.csv"),
        ("--file", "x.csv", "-w", "hangzhou"),
    ],
)
def test_set_wants_to_know_what_was_counted(arguments: tuple[str, ...], redis_url: str, run: Run) -> None:
    assert run("stock", "set", *arguments).exit_code == 2


# -- audit ---------------------------------------------------------------------------------------------------------


def test_audit_of_a_sound_ledger_is_clean(counted: AskLedger, run: Run) -> None:
    result = run("stock", "audit", "--no-replay")

    assert result.exit_code == 0, result.stderr
    assert "clean: 2 warehouses, 3 SKUs, 1 reservations" in result.stdout


def test_audit_finds_a_counter_that_somebody_changed(counted: AskLedger, redis_url: str, run: Run) -> None:
    with Redis.from_url(redis_url) as client:
        client.hincrby(stock_key("hangzhou", "COFFEE-1KG"), "committed", 1)

    result = run("stock", "audit", "--no-replay")

    assert result.exit_code == 1
    assert "counter-drift" in result.stdout
    assert "COFFEE-1KG in hangzhou: committed is 5, its reservations add up to 4" in result.stdout
    assert "Stop what else writes to" in result.stdout


def test_audit_as_json_names_each_finding(counted: AskLedger, redis_url: str, run: Run) -> None:
    run("stock", "set", "-w", "hangzhou", "-s", "COFFEE-1KG", "--on-hand", 3)

    result = run("stock", "audit", "--no-replay", "--json")

    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["clean"] is True  # no rule is broken; a person must look all the same
    [finding] = document["findings"]
    assert (finding["kind"], finding["error"], finding["sku"]) == ("negative-available", False, "COFFEE-1KG")


@pytest.mark.parametrize(("on_hand", "oversold"), [(4, []), (3, ["1 more promised than a count found"])])
def test_safety_stock_that_is_gone_is_not_oversold(
    counted: AskLedger, run: Run, on_hand: int, oversold: list[str]
) -> None:
    """Four are promised to buyers, two more are kept back."""
    run("stock", "set", "-w", "hangzhou", "-s", "COFFEE-1KG", "--on-hand", on_hand, "--safety", 2)

    found = json.loads(run("stock", "audit", "--no-replay", "--json").stdout)["findings"]

    assert [finding["message"].split(": ")[1] for finding in found] == oversold


# -- servers that are away -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["show", "audit"])
def test_a_redis_that_is_away_is_one_clear_line(command: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    address = nobody_listens()
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", f"redis://user:secret-word@{address}/0")

    result = run("stock", command)

    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1
    assert f"Redis at {address}/0 does not answer" in result.stderr
    assert "secret-word" not in result.stderr


@pytest.mark.parametrize(
    "command",
    ["stock show", "forget taobao:tea-house:1 --dry-run", "dead-letters payload x", "explain taobao:tea-house:1"],
)
def test_an_address_that_is_none_is_wrong_usage_though_kafka_is_away(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", "localhost:6379")
    monkeypatch.setenv("ORDERFLEET_KAFKA", nobody_listens())

    result = run(*command.split())

    assert result.exit_code == 2
    assert "ORDERFLEET_REDIS_URL" in result.stderr


def test_the_program_says_so_too(program: Program) -> None:
    done = program("stock", "show", ORDERFLEET_REDIS_URL=f"redis://{nobody_listens()}", ORDERFLEET_LANG="zh")

    assert done.returncode == 3
    assert "没有应答" in done.stderr.decode()
    assert b"Traceback" not in done.stderr


# -- a Redis that refuses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "word"), [("OOM", "maxmemory"), ("READONLY", "primary"), ("NOREPLICAS", "replicas")])
def test_a_redis_that_refuses_writes_is_named_with_what_to_do(redis_url: str, run: Run, state: str, word: str) -> None:
    with Redis.from_url(redis_url) as admin, WRITES_REFUSED[state](admin):
        result = run("stock", "set", "--warehouse", "hangzhou", "--sku", "TEA", "--on-hand", 5)
    assert result.exit_code == 3
    assert f"({state})" in result.stderr
    assert word in result.stderr


def test_a_wrong_password_is_a_wrong_setting(redis_url: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", redis_url.replace("//", "//somebody:wrong@"))
    result = run("stock", "show")
    assert result.exit_code == 2
    assert "ORDERFLEET_REDIS_URL" in result.stderr
    assert "wrong@" not in result.stderr

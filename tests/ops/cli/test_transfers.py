"""`orderfleet stock transfer` on a real Redis and a real broker."""

from __future__ import annotations

import json

import pytest

from ops.testbed.local_stack.broker import Broker
from schemas.plan import TransferRequest
from schemas.record import encode
from schemas.topics import TRANSFERS_REQUESTED
from tests.kafka import create_topics, put
from tests.ops.cli.conftest import AskLedger, Run
from workers.inventory.records import Count

ID = "taobao:tea-house:1@r1/beijing"
UNITS = "COFFEE-1KG=4"


@pytest.fixture
def counted(ask_ledger: AskLedger) -> AskLedger:
    """Ten bags of coffee in Hangzhou, counted long ago."""

    async def count(ledger):  # type: ignore[no-untyped-def]
        await ledger.stock.set_counts("hangzhou", {"COFFEE-1KG": Count(on_hand=10)}, at_ms=1)

    ask_ledger(count)
    return ask_ledger


def step(run: Run, action: str, *options: object) -> tuple[int, str]:
    side = ("--to", "beijing") if action == "receive" else ("--from", "hangzhou")
    result = run("stock", "transfer", action, ID, *(options or (UNITS,)), *side)
    return result.exit_code, (result.stdout + result.stderr).strip()


def levels(run: Run) -> dict[str, tuple[int, int, int]]:
    rows = map(json.loads, run("stock", "show", "--json").stdout.splitlines())
    return {row["warehouse_id"]: (row["on_hand"], row["transfer"], row["available_to_promise"]) for row in rows}


def test_units_are_reserved_sent_and_received_each_once(counted: AskLedger, run: Run) -> None:
    for action, said, then in (
        ("reserve", "reserved", {"hangzhou": (10, 4, 6)}),
        ("send", "sent", {"hangzhou": (6, 0, 6)}),
        ("receive", "received", {"hangzhou": (6, 0, 6), "beijing": (4, 0, 4)}),
    ):
        where = "beijing" if action == "receive" else "hangzhou"
        assert step(run, action) == (0, f"{said}: {ID} in {where}")
        assert step(run, action) == (0, f"{ID} in {where} was {said} before; nothing was changed")
        assert levels(run) == then


def test_a_reservation_can_be_cancelled_and_then_not_sent(counted: AskLedger, run: Run) -> None:
    step(run, "reserve")
    assert step(run, "cancel")[0] == 0
    assert levels(run) == {"hangzhou": (10, 0, 10)}
    code, said = step(run, "send")
    assert code == 1
    assert "cannot be sent now" in said


def test_what_is_promised_already_is_not_given_away(counted: AskLedger, run: Run) -> None:
    code, said = step(run, "reserve", "COFFEE-1KG=11")
    assert code == 1
    assert "hangzhou cannot spare it (COFFEE-1KG: 10 of 11); nothing was reserved" in said
    assert levels(run) == {"hangzhou": (10, 0, 10)}


@pytest.mark.parametrize("units", ["COFFEE-1KG", "=3", "COFFEE-1KG=0", "COFFEE-1KG=-1", "COFFEE-1KG=1.5"])
def test_units_that_are_none_are_refused(counted: AskLedger, run: Run, units: str) -> None:
    code, said = step(run, "reserve", units)
    assert code == 2
    assert "write SKU=UNITS" in said


def test_json_holds_the_outcome(counted: AskLedger, run: Run) -> None:
    result = run("stock", "transfer", "reserve", ID, UNITS, "--from", "hangzhou", "--json")
    assert json.loads(result.stdout) == {
        "transfer_id": ID,
        "warehouse_id": "hangzhou",
        "outcome": "DONE",
        "available": {},
    }


def test_list_tells_what_orders_asked_for_once(broker: Broker, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_KAFKA", broker.address)
    request = TransferRequest(
        transfer_id=ID,
        order_uid="taobao:tea-house:1",
        revision="r1",
        to_warehouse="beijing",
        quantities={"COFFEE-1KG": 4, "MUG-350": 1},
        from_warehouse="hangzhou",
    )
    create_topics(broker.address, [TRANSFERS_REQUESTED.name], partitions=2)
    put(broker.address, TRANSFERS_REQUESTED.name, [(request.order_uid.encode(), encode(request))] * 2)

    result = run("stock", "transfer", "list", "--json")
    assert result.exit_code == 0, result.stderr
    [row] = [row for row in map(json.loads, result.stdout.splitlines()) if row["transfer_id"] == ID]
    assert (row["from_warehouse"], row["to_warehouse"]) == ("hangzhou", "beijing")
    [line] = [line for line in run("stock", "transfer", "list").stdout.splitlines() if ID in line]
    assert "COFFEE-1KG=4 MUG-350=1" in line

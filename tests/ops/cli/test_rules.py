"""`orderfleet rules check` and `rules try` on the shipped example and on files with mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.plan import PlannedOrder
from schemas.record import encode
from tests.builders import a_line, a_plan, a_ship_to, an_order
from tests.ops.cli.conftest import PROJECT, Program, Run, payload_file

RULES = PROJECT / "ops" / "docs" / "examples" / "rules.yaml"
CATALOGUE = PROJECT / "ops" / "docs" / "examples" / "catalogue.yaml"

BAD_RULES = """\
ruleset: {name: mine, version: 1}
warehouses:
  - {id: hangzhou}
rules:
  - {id: east, priority: 1, when: {region: 华东}, then: {assign: hangzou}}
  - {id: cold, priority: high, when: {storage: frozen}, then: {force: hangzhou}}
"""


@pytest.fixture
def order_file(tmp_path: Path) -> Path:
    """Two boxes of nuts to Hangzhou: nothing about them needs a person."""
    file = tmp_path / "order.json"
    file.write_bytes(encode(an_order("7", lines=(a_line("NUT-BOX-500", 2),))))
    return file


def test_the_shipped_example_is_good(run: Run) -> None:
    result = run("rules", "check", RULES, "--catalogue", CATALOGUE)

    assert result.exit_code == 0, result.stderr
    assert "seller-example@2026.1 is good: 14 rules, 5 warehouses" in result.stdout


def test_the_catalogue_of_the_settings_is_used_when_none_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_CATALOGUE_FILE", str(CATALOGUE))
    assert run("rules", "check", RULES).exit_code == 0

    monkeypatch.setenv("ORDERFLEET_CATALOGUE_FILE", "nowhere.yaml")
    result = run("rules", "check", RULES)
    assert result.exit_code == 2
    assert "there is no catalogue nowhere.yaml" in result.stderr
    assert "--catalogue FILE" in result.stderr


def test_every_problem_of_a_ruleset_is_told_with_its_line_and_rule(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(BAD_RULES, encoding="utf-8")

    result = run("rules", "check", file, "--catalogue", CATALOGUE)

    assert result.exit_code == 1
    assert result.stdout == ""
    first, second = [line for line in result.stderr.splitlines() if "line " in line]
    assert "mine.yaml, line 5: rule east" in first
    assert "hangzou" in first
    assert "did you mean hangzhou?" in first
    assert "mine.yaml, line 6: rule cold, priority" in second


def test_problems_as_json_stand_on_stdout(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(BAD_RULES, encoding="utf-8")

    result = run("rules", "check", file, "--catalogue", CATALOGUE, "--json")

    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert [problem["line"] for problem in document["problems"]] == [5, 6]
    assert document["problems"][0]["message_zh"]


def test_a_file_that_is_no_yaml_is_told_as_such(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("rules: [", encoding="utf-8")

    result = run("rules", "check", file, "--catalogue", CATALOGUE)

    assert result.exit_code == 1
    assert "mine.yaml" in result.stderr


def test_trying_an_order_tells_where_it_goes_and_why(run: Run, order_file: Path) -> None:
    result = run("rules", "try", RULES, order_file, "--catalogue", CATALOGUE)

    assert result.exit_code == 0, result.stderr
    assert "Order taobao:tea-house:7: take stock and ship" in result.stdout
    assert "east-to-hangzhou" in result.stdout
    assert "candidates: hangzhou" in result.stdout


def test_trying_as_json_gives_plan_and_trace_without_the_receiver(run: Run, order_file: Path) -> None:
    result = run("rules", "try", RULES, order_file, "--catalogue", CATALOGUE, "--json")

    document = json.loads(result.stdout)
    assert document["order_uid"] == "taobao:tea-house:7"
    assert document["plan"]["disposition"] == "reserve"
    assert [each["warehouse_id"] for each in document["plan"]["candidates"]] == ["hangzhou"]
    assert "east-to-hangzhou" in [match["rule"] for match in document["plan"]["matches"]]
    assert "测试路" not in result.stdout


def test_several_orders_one_a_line_are_all_tried(run: Run, tmp_path: Path) -> None:
    orders = [
        an_order("1", lines=(a_line("NUT-BOX-500"),)),
        an_order("2", lines=(a_line("ICECREAM-8"),)),
        an_order("3", lines=(a_line("NUT-BOX-500"),), ship_to=a_ship_to("广东省", "广州市", "天河区")),
    ]
    file = tmp_path / "orders.jsonl"
    file.write_bytes(b"\n".join(encode(order) for order in orders) + b"\n")

    result = run("rules", "try", RULES, file, "--catalogue", CATALOGUE, "--json")

    plans = [json.loads(line)["plan"] for line in result.stdout.splitlines()]
    assert [plan["candidates"][0]["warehouse_id"] for plan in plans] == ["hangzhou", "shanghai-cold", "guangzhou"]


def test_a_planned_order_is_decided_anew(run: Run) -> None:
    planned = PlannedOrder(order=an_order("9", lines=(a_line("ICECREAM-8"),)), plan=a_plan("beijing"))

    result = run("rules", "try", RULES, "-", "--catalogue", CATALOGUE, "--json", stdin=encode(planned))

    assert json.loads(result.stdout)["plan"]["candidates"][0]["warehouse_id"] == "shanghai-cold"


def test_what_parse_prints_can_be_tried_at_once(run: Run) -> None:
    parsed = run("parse", "taobao", payload_file("taobao", "02"))

    result = run("rules", "try", RULES, "-", "--catalogue", CATALOGUE, "--json", stdin=parsed.stdout.encode())

    uids = [json.loads(line)["order_uid"] for line in result.stdout.splitlines()]
    assert uids == ["taobao:main:3000000000000000101", "taobao:main:3000000000000000201"]


def test_a_platforms_own_payload_is_sent_to_parse_first(run: Run) -> None:
    result = run("rules", "try", RULES, payload_file("taobao", "01"), "--catalogue", CATALOGUE)

    assert result.exit_code == 1
    assert "is not an order as orderfleet parse prints it (uid: missing)" in result.stderr
    assert "goes through orderfleet parse first" in result.stderr


@pytest.mark.parametrize("body", [b"", b"no json", b"[1, 2]", b"{}"])
def test_what_is_no_order_is_refused(body: bytes, run: Run) -> None:
    result = run("rules", "try", RULES, "-", "--catalogue", CATALOGUE, stdin=body)

    assert result.exit_code == 1, result.exception
    assert "stdin is not an order" in result.stderr or "stdin, line 1 is not an order" in result.stderr


def test_a_bad_line_among_orders_is_named(run: Run) -> None:
    body = encode(an_order("1")) + b'\n{"uid": 1}\n'

    result = run("rules", "try", RULES, "-", "--catalogue", CATALOGUE, stdin=body)

    assert result.exit_code == 1
    assert "stdin, line 2 is not an order" in result.stderr


@pytest.mark.parametrize("at", ["tomorrow", "2026-13-01", "-5m"])
def test_a_time_that_is_none_is_wrong_usage(at: str, run: Run, order_file: Path) -> None:
    result = run("rules", "try", RULES, order_file, "--catalogue", CATALOGUE, f"--at={at}")

    assert result.exit_code == 2
    assert "2026-11-11T00:00:00+08:00" in result.stderr


def test_words_come_in_chinese(program: Program, order_file: Path) -> None:
    done = program("rules", "try", RULES, order_file, "--catalogue", CATALOGUE, ORDERFLEET_LANG="zh")

    assert done.returncode == 0
    assert "订单 taobao:tea-house:7：占用库存并发货" in done.stdout.decode()

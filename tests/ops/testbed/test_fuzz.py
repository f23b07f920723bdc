"""A few seconds of mutants. `make mutants` makes as many as one likes."""

from __future__ import annotations

import json

import pytest

from channel_adapters.registry import CHANNELS
from ops.testbed.fuzz import answers, files, orders
from ops.testbed.fuzz.findings import Findings
from ops.testbed.fuzz.json_text import Pairs, Raw, dumps
from ops.testbed.fuzz.samples import samples


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_changed_payload_is_an_order_or_a_named_refusal(channel: str) -> None:
    found = orders.try_mutants(channel, 1, range(330))

    assert _crashes(found) == {}
    assert found.outcomes["order"] > 50


def test_a_changed_answer_of_a_warehouse_is_noted_or_set_aside() -> None:
    found = answers.try_mutants(1, range(200))

    assert found.wrong == {}
    assert found.outcomes["noted"] > 20


def test_a_changed_file_of_counts_is_read_or_refused() -> None:
    found = files.try_mutants(1, range(150))

    assert found.wrong == {}
    assert found.outcomes["read"] > 20


def _crashes(found: Findings) -> dict[str, list[str]]:
    return {kind: seeds for kind, seeds in found.wrong.items() if " at " in kind}


def test_the_same_number_makes_the_same_mutant() -> None:
    assert orders.mutant("jd", 3, 7) == orders.mutant("jd", 3, 7) != orders.mutant("jd", 3, 8)
    assert files.mutant(3, 9)[0] == files.mutant(3, 9)[0]


def test_every_channel_has_decoration_to_change_and_pages_to_hurt() -> None:
    for channel in CHANNELS:
        assert any(each.decoration for each in samples(channel)), channel
        assert any(each.rows for each in samples(channel)), channel


def test_json_that_no_encoder_writes() -> None:
    text = dumps({"a": Pairs([("b", 1), ("b", Raw("1e2"))]), "c": ["\ud800", None]})

    assert text == '{"a":{"b":1,"b":1e2},"c":["\\ud800",null]}'
    assert json.loads(text)["a"] == {"b": 100.0}


def test_a_crash_is_told_by_its_place_with_a_mutant_to_repeat_it() -> None:
    found = Findings()
    try:
        json.loads("{")
    except ValueError as error:
        found.crash(error, "jd:1:5")

    [line] = [line for line in found.tell() if line.startswith("WRONG")]
    assert "JSONDecodeError at" in line
    assert line.endswith(": jd:1:5")

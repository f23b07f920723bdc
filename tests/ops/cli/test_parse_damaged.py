"""Payloads damaged by hand: an order, or a refusal that a shop's IT person understands. Never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas.order import Order
from schemas.record import decode
from tests.ops.cli.conftest import Program, Run, payload


def _taobao(change: Callable[[dict[str, Any]], None]) -> bytes:
    document = json.loads(payload("taobao", "01"))
    change(document["trade_fullinfo_get_response"]["trade"])
    return json.dumps(document, ensure_ascii=False).encode()


def _lines_of(trade: dict[str, Any]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = trade["orders"]["order"]
    return lines


def _five_hundred_lines(trade: dict[str, Any]) -> None:
    line = _lines_of(trade)[0]
    trade["orders"]["order"] = [{**line, "oid": 1000 + n, "oid_str": str(1000 + n)} for n in range(500)]


@dataclass(frozen=True)
class Damage:
    """A payload that is not as it should be, and every part of what is said about it."""

    name: str
    channel: str
    body: bytes
    says: tuple[str, ...]


REFUSED = (
    Damage(
        "cut off in the middle",
        "taobao",
        payload("taobao", "01")[:900],
        ("refused (broken-json)", "is not valid JSON", "cut off or changed on its way"),
    ),
    Damage(
        "money with three decimals",
        "taobao",
        _taobao(lambda trade: trade.update(payment="87.805")),
        ("order 3000000000000000001", "(bad-money)", "payment", "more than 2 decimals", "what to do:"),
    ),
    Damage(
        "money that is no number",
        "woocommerce",
        payload("woocommerce", "01").replace(b'"total": "14.00"', b'"total": "fourteen"'),
        ("order 1001", "(bad-money)", "total", "is not an amount of money"),
    ),
    Damage(
        "a negative quantity",
        "taobao",
        _taobao(lambda trade: _lines_of(trade)[0].update(num=-2)),
        ("order 3000000000000000001", "num"),
    ),
    Damage(
        "no list of lines",
        "taobao",
        _taobao(lambda trade: trade.update(orders=None)),
        ("order 3000000000000000001", "orders"),
    ),
    Damage("an empty file", "shopify", b"", ("refused (", "the file is empty")),
    Damage("only blanks", "jd", b" \n\t\n", ("refused (", "the file is empty")),
    Damage(
        "a web page",
        "pinduoduo",
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
        ("refused (", "this is a web page or XML, not JSON"),
    ),
    Damage("an image", "douyin", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00", ("refused (", "the file is binary")),
    Damage("a packed file", "jd", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", ("refused (", "unpack it first")),
    Damage(
        "the payload of another channel",
        "shopify",
        payload("pinduoduo", "01"),
        ("refused (not-an-order)", "try orderfleet parse pinduoduo"),
    ),
    Damage("a number", "taobao", b"42", ("refused (",)),
    Damage("an array of nothing", "taobao", b"[null]", ("refused (",)),
    Damage("deep nesting", "jd", b"[" * 100_000, ("refused (",)),
    Damage("text in another encoding", "taobao", "订单".encode("gb18030"), ("refused (broken-json)", "not UTF-8")),
)


@pytest.mark.parametrize("damage", REFUSED, ids=lambda damage: damage.name)
def test_a_damaged_payload_is_refused_in_plain_words(damage: Damage, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_bytes(damage.body)

    result = run("parse", damage.channel, file)

    assert result.exit_code == 1, result.exception
    assert result.stdout == ""
    assert "answer.json" in result.stderr
    for words in damage.says:
        assert words in result.stderr


def test_five_hundred_lines_are_one_order(run: Run) -> None:
    result = run("parse", "taobao", "-", stdin=_taobao(_five_hundred_lines))

    assert result.exit_code == 0, result.stderr
    assert len(decode(Order, result.stdout.encode()).lines) == 500


def test_a_field_nobody_knows_changes_nothing(run: Run) -> None:
    result = run("parse", "taobao", "-", stdin=_taobao(lambda trade: trade.update(brand_new={"a": [1]})))

    assert result.exit_code == 0
    assert decode(Order, result.stdout.encode()).uid == "taobao:main:3000000000000000001"


def test_an_order_without_a_receiver_is_still_an_order(run: Run) -> None:
    def without_receiver(trade: dict[str, Any]) -> None:
        for name in [name for name in trade if name.startswith("receiver_") or name == "oaid"]:
            del trade[name]

    result = run("parse", "taobao", "-", stdin=_taobao(without_receiver))

    assert result.exit_code == 0
    assert decode(Order, result.stdout.encode()).ship_to.privacy == "missing"


def test_refusals_quote_no_personal_data(run: Run) -> None:
    """The message of a damaged order names fields, never what stands in them."""

    def wrong_types(trade: dict[str, Any]) -> None:
        trade.update(receiver_name={"first": "Zhangsan"}, receiver_address=["Lane 9"], num="many", payment="87.805")

    result = run("parse", "taobao", "-", stdin=_taobao(wrong_types))

    assert result.exit_code == 1
    assert "Zhangsan" not in result.stderr
    assert "Lane 9" not in result.stderr


@pytest.mark.parametrize("damage", REFUSED[:12], ids=lambda damage: damage.name)
def test_the_program_ends_without_a_traceback(damage: Damage, program: Program, tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_bytes(damage.body)

    done = program("parse", damage.channel, file)

    assert done.returncode == 1
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert damage.says[0] in done.stderr.decode()

"""Every recorded payload is either orders or a refusal that names what it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from channel_adapters.registry import CHANNELS
from schemas.order import Order, OrderStatus
from schemas.record import decode
from tests.ops.cli.conftest import PAYLOADS, PROJECT, Program, Run, payload, payload_file

EMPTY_PAGE: tuple[str, ...] = ()

# What each file means: the platform ids of its orders, or what stderr says of it.
EXPECTED: dict[str, tuple[str, ...] | str] = {
    "taobao/01": ("3000000000000000001",),
    "taobao/02": ("3000000000000000101", "3000000000000000201"),
    "taobao/03": ("3000000000000000301", "3000000000000000401", "3000000000000000501"),
    "taobao/04": ("3000000000000000601",),
    "taobao/05": ("3000000000000000701",),
    "taobao/06": ("3000000000000000801",),
    "taobao/07": ("3000000000000000901",),
    "taobao/08": "refused (not-an-order)",
    "taobao/09": "error message of taobao, not an order",
    "taobao/10": "error message of taobao (invalid-sessionkey)",
    "pinduoduo/01": ("260920-000000000000001",),
    "pinduoduo/02": ("260920-000000000000002", "260920-000000000000003"),
    "pinduoduo/03": ("260920-000000000000004", "260920-000000000000005"),
    "pinduoduo/04": ("260920-000000000000006",),
    "pinduoduo/05": ("260920-000000000000007",),
    "pinduoduo/06": ("260920-000000000000009",),
    "pinduoduo/07": ("260920-000000000000010",),
    "pinduoduo/08": ("260920-000000000000011",),
    "pinduoduo/09": "refused (not-an-order)",
    "pinduoduo/10": "refused (not-an-order)",
    "pinduoduo/11": "error message of pinduoduo (10001)",
    "pinduoduo/12": "error message of pinduoduo, not an order",
    "douyin/01": ("6900000000000000001",),
    "douyin/02": ("6900000000000000010",),
    "douyin/03": ("6900000000000000020", "6900000000000000021", "6900000000000000022"),
    "douyin/04": ("6900000000000000030",),
    "douyin/05": ("6900000000000000040",),
    "douyin/06": ("6900000000000000050",),
    "douyin/07": ("6900000000000000060",),
    "douyin/08": "refused (not-an-order)",
    "douyin/09": "refused (not-an-order)",
    "douyin/10": "error message of douyin (isv.access-token-expired)",
    "douyin/11": "error message of douyin, not an order",
    "douyin/12": EMPTY_PAGE,
    "jd/01": ("249000000001",),
    "jd/02": ("249000000002", "249000000003"),
    "jd/03": ("249000000004", "249000000005", "249000000006"),
    "jd/04": "refused (not-an-order)",
    "jd/05": ("249000000008",),
    "jd/06": ("249000000010",),
    "jd/07": ("249000000011",),
    "jd/08": "refused (not-an-order)",
    "jd/09": "error message of jd, not an order",
    "jd/10": "error message of jd (19)",
    "jd/11": "error message of jd (10300003)",
    "jd/12": "refused (not-an-order)",
    "woocommerce/01": ("1001",),
    "woocommerce/02": ("1002", "1003"),
    "woocommerce/03": ("1004",),
    "woocommerce/04": ("1005",),
    "woocommerce/05": ("1006",),
    "woocommerce/06": "refused (not-an-order)",
    "woocommerce/07": ("1008",),
    "woocommerce/08": "refused (not-an-order)",
    "woocommerce/09": "error message of woocommerce (woocommerce_rest_cannot_view)",
    "woocommerce/10": "error message of woocommerce (woocommerce_rest_shop_order_invalid_id)",
    "shopify/01": ("5500000000001",),
    "shopify/02": ("5500000000002", "5500000000003"),
    "shopify/03": ("5500000000004",),
    "shopify/04": ("5500000000005",),
    "shopify/05": ("5500000000006",),
    "shopify/06": ("5500000000007",),
    "shopify/07": ("5500000000008",),
    "shopify/08": "error message of shopify, not an order",
    "shopify/09": "error message of shopify, not an order",
}


def test_every_recorded_payload_is_expected_here() -> None:
    files = sorted(PAYLOADS.glob("*/payloads/*.json"))
    assert {f"{file.parts[-3]}/{file.name[:2]}" for file in files} == set(EXPECTED)
    assert {name.partition("/")[0] for name in EXPECTED} == set(CHANNELS)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_payload_gives_its_orders_or_a_named_refusal(name: str, run: Run) -> None:
    channel, _, number = name.partition("/")
    expected = EXPECTED[name]
    file = payload_file(channel, number)

    result = run("parse", channel, file, "--shop", "flagship")

    if isinstance(expected, str):
        assert result.exit_code == 1
        assert result.stdout == ""
        assert expected in result.stderr
        assert file.name in result.stderr
    else:
        assert result.exit_code == 0, result.stderr
        orders = [decode(Order, line.encode()) for line in result.stdout.splitlines()]
        assert [order.uid for order in orders] == [f"{channel}:flagship:{number}" for number in expected]
        assert ("empty page" in result.stderr) is (not expected)


def test_an_order_is_one_line_of_json_on_stdout(run: Run) -> None:
    result = run("parse", "taobao", payload_file("taobao", "01"))

    [line] = result.stdout.splitlines()
    order = json.loads(line)
    assert order["uid"] == "taobao:main:3000000000000000001"
    assert order["placed_at"] == "2026-09-20T02:00:01Z"
    assert order["totals"]["paid"] == 8780
    assert order["lines"][0]["sku"] == "SKU-OAT-500"
    assert decode(Order, line.encode()).status is OrderStatus.TO_SHIP
    assert result.stderr == ""


def test_a_dash_reads_stdin(run: Run) -> None:
    result = run("parse", "jd", "-", stdin=payload("jd", "01"))

    assert result.exit_code == 0
    assert '"uid":"jd:main:249000000001"' in result.stdout


def test_a_refusal_from_stdin_is_called_stdin(run: Run) -> None:
    result = run("parse", "jd", "-", stdin=b"{")

    assert result.exit_code == 1
    assert "stdin: refused (broken-json)" in result.stderr


def test_a_page_with_one_bad_order_gives_the_good_one_and_refuses_the_other(run: Run, tmp_path: Path) -> None:
    page = json.loads(payload("taobao", "02"))
    page["trades_sold_increment_get_response"]["trades"]["trade"][0]["payment"] = "free"
    file = tmp_path / "page.json"
    file.write_text(json.dumps(page), encoding="utf-8")

    result = run("parse", "taobao", file)

    assert result.exit_code == 1
    assert [json.loads(line)["platform_order_id"] for line in result.stdout.splitlines()] == ["3000000000000000201"]
    assert "order 3000000000000000101: refused (bad-money)" in result.stderr
    assert "what to do: " in result.stderr


def test_an_order_with_an_unknown_status_is_held_and_says_so(run: Run, tmp_path: Path) -> None:
    page = json.loads(payload("taobao", "02"))
    page["trades_sold_increment_get_response"]["trades"]["trade"][0]["status"] = "WAIT_FOR_GODOT"
    file = tmp_path / "page.json"
    file.write_text(json.dumps(page), encoding="utf-8")

    result = run("parse", "taobao", file)

    assert result.exit_code == 0
    held = json.loads(result.stdout.splitlines()[0])
    assert (held["status"], held["holds"]) == ("on-hold", ["unknown-status"])
    assert "status?=WAIT_FOR_GODOT" in held["marks"]


def test_pretty_shows_a_summary_without_personal_data(run: Run) -> None:
    result = run("parse", "taobao", payload_file("taobao", "05"), "--pretty")

    assert result.exit_code == 0
    assert "taobao:main:3000000000000000701" in result.stdout
    assert "158.00 CNY" in result.stdout
    assert "GIFT-DRIPPER" in result.stdout
    assert "浙江省 杭州市 (masked)" in result.stdout
    for personal in ("测**", "样例街道", "Oaid", "*******"):
        assert personal not in result.stdout


def test_a_title_in_brackets_is_shown_as_it_is(run: Run) -> None:
    body = payload("taobao", "01").replace("样例燕麦片".encode(), b"[new] oats [/bold]")

    result = run("parse", "taobao", "-", "--pretty", stdin=body)

    assert result.exit_code == 0, result.exception
    assert "[new] oats [/bold]" in result.stdout


def test_an_unknown_channel_is_corrected(run: Run, tmp_path: Path) -> None:
    result = run("parse", "toabao", tmp_path)

    assert result.exit_code == 2
    assert "did you mean taobao?" in result.stderr
    assert all(name in result.stderr for name in CHANNELS)


def test_a_channel_that_is_nothing_like_ours_gets_the_list(run: Run) -> None:
    result = run("parse", "ebay", "x.json")

    assert result.exit_code == 2
    assert "there is no channel ebay" in result.stderr
    assert [result.stderr.count(name) for name in CHANNELS] == [1] * len(CHANNELS)


def test_a_file_that_is_not_there_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    missing = run("parse", "taobao", tmp_path / "no.json")
    folder = run("parse", "taobao", tmp_path)

    assert (missing.exit_code, folder.exit_code) == (2, 2)
    assert "there is no file" in missing.stderr
    assert "is a folder" in folder.stderr


@pytest.mark.parametrize("shop", ["Main", "my shop", "a:b", "", "x" * 64])
def test_a_shop_id_that_cannot_be_in_a_uid_is_wrong_usage(shop: str, run: Run) -> None:
    result = run("parse", "taobao", payload_file("taobao", "01"), "--shop", shop)

    assert result.exit_code == 2
    assert "small letters, digits and hyphens" in result.stderr


def test_refusals_are_told_in_chinese_when_asked(run: Run, chinese: None) -> None:
    result = run("parse", "taobao", "-", stdin=b"")

    assert result.exit_code == 1
    assert "错误：stdin：无法解读（" in result.stderr
    assert "文件为空" in result.stderr


def test_the_program_speaks_chinese_too(program: Program) -> None:
    done = program("parse", "taobao", payload_file("taobao", "10"), ORDERFLEET_LANG="zh")

    assert done.returncode == 1
    assert "是 taobao 的错误报文" in done.stderr.decode()


def test_a_reader_that_leaves_early_is_no_trouble(tmp_path: Path) -> None:
    """`orderfleet parse ... | head -1` closes the pipe while we write."""
    page = tmp_path / "page.json"
    order = payload("woocommerce", "01").decode()
    page.write_text("[" + ",".join([order] * 2000) + "]", encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "parse", "woocommerce", str(page)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        assert process.wait(30) in (0, 1)

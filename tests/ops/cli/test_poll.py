"""`orderfleet poll` as a program: against the simulated platforms, a real broker and a real Redis."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ops.testbed.local_stack.broker import Broker
from ops.testbed.simulators.shops import SHOP_IDS, simulated_shops
from ops.testbed.simulators.stories import SHOWS_UNPAID
from schemas.ids import OrderUid
from tests.kafka import TopicReader, wait_until
from tests.ops.cli.conftest import PROJECT, Program, Run, nobody_listens
from tests.ops.testbed.simulators.test_process import simulators
from workers.runtime.kafka.topics import create_topics, wanted_topics

CHANNELS = tuple(SHOP_IDS)
SECRETS = ("app_secret", "access_token", "webhook_secret")


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[str]:
    with Broker(tmp_path) as broker:
        topics = wanted_topics(channels=CHANNELS, warehouses=(), partitions=2, replication=1)
        create_topics(broker.address, topics)
        yield broker.address


def shops_file(folder: Path, base_url: str, **changed: Any) -> Path:
    rows = []
    for shop in simulated_shops(base_url):
        row = shop.model_dump(mode="json")
        rows.append({**row, **{name: getattr(shop, name).get_secret_value() for name in SECRETS}, **changed})
    path = folder / "shops.yaml"
    path.write_text(yaml.safe_dump(rows), encoding="utf-8")
    return path


@pytest.fixture
def world() -> Iterator[str]:
    """Platforms that have sold and fallen silent."""
    with simulators("--orders", "60", "--rate", "600", "--pay-seconds", "1") as (_, base_url), httpx.Client() as http:
        wait_until(lambda: bool(http.get(f"{base_url}/_simulator/progress").json()["finished"]), 60, "all is sold")
        yield base_url


def raw(kafka: str, enough: Callable[[list[Any]], bool]) -> list[Any]:
    reader = TopicReader(kafka, [f"orders.raw.{channel}" for channel in CHANNELS], 2)
    try:
        return list(reader.until(enough))
    finally:
        reader.close()


def uid_of(sale: dict[str, Any]) -> OrderUid:
    return OrderUid(sale["channel"], sale["shop_id"], sale["platform_order_id"])


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_one_round_takes_in_what_every_platform_has(
    world: str, kafka: str, redis_url: str, program: Program, tmp_path: Path
) -> None:
    shops = shops_file(tmp_path, world)
    servers = {"ORDERFLEET_KAFKA": kafka, "ORDERFLEET_REDIS_URL": redis_url}
    first = program("poll", "--shops", shops, "--once", "--json", **servers)

    assert first.returncode == 0, first.stderr.decode()
    told = {line["shop"]: line["orders"] for line in lines(first.stdout)}
    assert set(told) == {f"{channel}/{shop}" for channel, shop in SHOP_IDS.items()}
    messages = raw(kafka, lambda seen: len(seen) >= sum(told.values()))
    assert {dict(message.headers())["source"] for message in messages} == {b"poll"}
    for message in messages:
        channel, shop = message.key().decode().split(":")[:2]
        assert message.topic() == f"orders.raw.{channel}"
        assert shop == SHOP_IDS[channel]
    truth = httpx.get(f"{world}/_simulator/truth").text.splitlines()
    sold = {uid_of(json.loads(line)) for line in truth}
    taken = {OrderUid.parse(message.key().decode()) for message in messages}
    assert taken <= sold
    assert {uid for uid in sold if uid.channel in SHOWS_UNPAID} <= taken


def test_a_shop_that_is_refused_is_named_with_what_to_do_and_no_secret(
    world: str, kafka: str, redis_url: str, program: Program, tmp_path: Path
) -> None:
    shops = shops_file(tmp_path, world, access_token="wrong-token-value", app_secret="wrong-secret-value")
    servers = {"ORDERFLEET_KAFKA": kafka, "ORDERFLEET_REDIS_URL": redis_url}
    result = program("poll", "--shops", shops, "--once", **servers)

    assert result.returncode == 1
    for channel, shop in SHOP_IDS.items():
        assert f"{channel}/{shop}" in result.stderr.decode()
    assert b"wrong-" not in result.stderr + result.stdout
    assert b"Traceback" not in result.stderr


def test_servers_that_are_away_are_no_mistake_of_a_shop(kafka: str, program: Program, tmp_path: Path) -> None:
    shops = shops_file(tmp_path, f"http://{nobody_listens()}")
    servers = {"ORDERFLEET_KAFKA": kafka, "ORDERFLEET_REDIS_URL": f"redis://{nobody_listens()}/0"}
    result = program("poll", "--shops", shops, "--once", **servers)

    assert result.returncode == 3, result.stderr.decode()
    assert b"ORDERFLEET_REDIS_URL" in result.stderr
    assert b"TransientError" not in result.stderr


@contextmanager
def polling(shops: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERFLEET_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "poll", "--shops", str(shops), "--json"],
        cwd=PROJECT,
        env={**own, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline() or b"{}")
    finally:
        process.kill()
        process.communicate()


def test_it_polls_takes_pushes_tells_metrics_and_leaves_when_told(
    world: str, kafka: str, redis_url: str, tmp_path: Path
) -> None:
    shops = shops_file(tmp_path, world)
    settings = {"ORDERFLEET_WEBHOOK_PORT": "0", "ORDERFLEET_METRICS_PORT": "0", "ORDERFLEET_POLL_PEAKS": "20:00/22:30"}
    servers = {"ORDERFLEET_KAFKA": kafka, "ORDERFLEET_REDIS_URL": redis_url}
    with polling(shops, **servers, **settings) as (process, ready):
        polled = raw(kafka, lambda seen: {m.topic() for m in seen} == {f"orders.raw.{c}" for c in CHANNELS})
        assert polled

        body = b'{"id": 77, "status": "processing", "currency": "CNY", "line_items": []}'
        secret = b"demo-woocommerce-webhook-secret"
        sign = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
        push = f"http://127.0.0.1:{ready['webhook_port']}/webhooks/woocommerce/woo-mall"
        assert httpx.post(push, content=body, headers={"X-WC-Webhook-Signature": sign}).status_code == 200
        assert httpx.post(push, content=body).status_code == 401
        raw(kafka, lambda seen: any(m.key() == b"woocommerce:woo-mall:77" for m in seen))

        text = httpx.get(f"http://127.0.0.1:{ready['metrics_port']}/metrics").text
        assert 'orders_intake_orders_total{channel="taobao",shop="tb-flagship",source="poll"}' in text
        assert 'orders_intake_webhooks_total{channel="woocommerce",shop="woo-mall",status="401"} 1.0' in text

        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 0, errors.decode()


def test_a_port_that_is_taken_is_told(kafka: str, redis_url: str, program: Program, tmp_path: Path) -> None:
    shops = shops_file(tmp_path, f"http://{nobody_listens()}")
    port = kafka.rpartition(":")[2]
    servers = {"ORDERFLEET_KAFKA": kafka, "ORDERFLEET_REDIS_URL": redis_url}
    result = program("poll", "--shops", shops, ORDERFLEET_WEBHOOK_PORT=port, **servers)

    assert result.returncode == 2
    assert f"cannot listen at 127.0.0.1:{port}" in result.stderr.decode()


def test_no_shops_are_told_with_the_way_to_name_them(run: Run) -> None:
    result = run("poll")

    assert result.exit_code == 2
    assert "--shops" in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[{", "is not valid YAML"),
        ("- channel: taobao\n  shop_id: Main Shop\n  base_url: http://x", "shop_id"),
        ("- channel: ebay\n  shop_id: main\n  base_url: http://x", "no channel ebay"),
        ("- channel: taobao\n  shop_id: main\n  base_url: http://x\n  app_secrt: hush-hush", "app_secrt"),
    ],
)
def test_a_bad_shops_file_is_told_by_shop_and_field(text: str, told: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "shops.yaml"
    path.write_text(text, encoding="utf-8")
    result = run("poll", "--shops", path)

    assert result.exit_code == 2
    assert told in result.stderr
    assert "hush-hush" not in result.stderr


def test_bad_peaks_are_told_with_the_way_to_write_them(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERFLEET_POLL_PEAKS", "8pm to 10pm")
    result = run("poll", "--shops", shops_file(tmp_path, "http://x"))

    assert result.exit_code == 2
    assert "write 20:00/22:30" in result.stderr

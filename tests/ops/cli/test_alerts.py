"""`orderfleet alerts` as a program: it asks for a token, and tells people when Kafka and Redis cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ops.testbed.local_stack.ports import free_port
from tests.ops.cli.conftest import PROJECT, Program
from tests.workers.intake.test_alerts import an_alert, posted
from tests.workers.notify.mail import MailServer


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


def test_without_a_token_it_does_not_begin(program: Program) -> None:
    done = program("alerts")
    assert done.returncode == 2
    assert "ORDERFLEET_ALERTS_TOKEN" in done.stderr.decode()


def test_while_kafka_and_redis_are_away_people_are_told_all_the_same(tmp_path: Path, mail: MailServer) -> None:
    file = tmp_path / "notices.yaml"
    file.write_text("recipients:\n  ops: {language: zh, minimum: critical}\n")
    environment = {
        "ORDERFLEET_ALERTS_TOKEN": "open-sesame",
        "ORDERFLEET_ALERTS_PORT": "0",
        "ORDERFLEET_KAFKA": f"127.0.0.1:{free_port()}",
        "ORDERFLEET_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
        "ORDERFLEET_NOTICES_FILE": str(file),
        "ORDERFLEET_NOTICES_URLS": json.dumps({"ops": mail.url()}),
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERFLEET_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "alerts", "--json"],
        cwd=PROJECT,
        env={**own, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate(timeout=10)[1].decode()
        url = f"http://127.0.0.1:{json.loads(line)['alerts_port']}/alerts"
        head = {"Authorization": "Bearer open-sesame"}
        assert httpx.post(url, content=posted(an_alert()), headers=head, timeout=60).status_code == 200
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said.decode()
    [one] = mail.mails
    assert one.subject.startswith("[orderfleet] 严重 · 新: 告警 OrdersShopBehind：店铺 main 读取滞后")
    assert "zh/OrdersShopBehind.md" in one.body

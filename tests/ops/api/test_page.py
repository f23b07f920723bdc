"""The examples of ops/docs/api.md work as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ops.api.conftest import Client
from tests.workers.admin.desk.books import fill, in_review
from workers.admin.desk.access import Role

PAGE = (Path(__file__).parents[3] / "ops" / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^curl .*$", PAGE, re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_example_is_answered(client: Client, port: int, database: str) -> None:
    planned = in_review("1")
    fill(database, [planned])
    one = client(Role.ADMIN)
    environment = {
        "API": f"http://127.0.0.1:{port}/api/v1",
        "TOKEN": one.headers["authorization"].removeprefix("Bearer "),
        "ORDER": planned.order.uid,
        "SEEN": planned.order.revision,
        "PATH": "/usr/bin:/bin:/usr/local/bin",
    }
    assert len(EXAMPLES) >= 10
    for line in EXAMPLES:
        done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, (line, done.stderr.decode())
        assert done.stdout[:1] in (b"{", b"["), line
        assert b'"code":"bug"' not in done.stdout


def test_every_code_that_the_page_names_is_in_the_code() -> None:
    root = Path(__file__).parents[3]
    places = [
        *(root / "workers" / "admin").rglob("*.py"),
        *(root / "ops" / "api").rglob("*.py"),
        root / "schemas/decision.py",
    ]
    text = "".join(path.read_text(encoding="utf-8") for path in places)
    rows = re.findall(r"^\| [0-9, ]+ \| (.*?) \|", PAGE, re.MULTILINE)
    codes = {code for row in rows for code in re.findall(r"`([a-z-]+)`", row)}
    assert len(codes) > 10
    assert [code for code in sorted(codes) if f'"{code}"' not in text] == []

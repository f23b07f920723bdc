"""The channel that ADDING_A_CHANNEL.md builds works as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "channel_adapters" / "ADDING_A_CHANNEL.md"

_FILE = re.compile(r"^`([\w./]+)`\n\n```(?:python|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

CONFTEST = """
import channel_adapters, tests.channel_adapters
channel_adapters.__path__.append({code!r})
tests.channel_adapters.__path__.append({tests!r})
from channel_adapters import registry
from channel_adapters.acme import adapter, client
from schemas.text import Text
registry.CHANNELS["acme"] = registry.Channel("acme", Text("Acme", "Acme"), adapter.ADAPTER, client.make_client)
"""


def test_the_channel_of_the_guide_passes_the_contract_kit(tmp_path: Path) -> None:
    files = dict(_FILE.findall(GUIDE.read_text(encoding="utf-8")))
    assert len(files) == 9
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    folders = {"code": str(tmp_path / "channel_adapters"), "tests": str(tmp_path / "tests" / "channel_adapters")}
    (tmp_path / "conftest.py").write_text(CONFTEST.format(**folders), encoding="utf-8")
    test = tmp_path / "tests" / "channel_adapters" / "acme" / "test_contract.py"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(tmp_path),
        str(test),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert re.search(r"\d\d+ passed", done.stdout)

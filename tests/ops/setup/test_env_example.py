"""The example of a settings file is whole and true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops.setup.env_example import PATH, env_example, variable
from workers.runtime.settings import Settings

SHOWN = dict(re.findall(r"^#([A-Z_]+)=(.*)$", PATH.read_text(encoding="utf-8"), re.MULTILINE))

CODE = "".join(
    path.read_text(encoding="utf-8")
    for path in (PATH.parent / "topology.py", *PATH.parent.glob("workers/**/*.py"), *PATH.parent.glob("ops/**/*.py"))
)


def test_it_is_the_one_made_from_the_settings() -> None:
    names = [variable(name) for name in Settings.model_fields]
    missing = [name for name in names if name not in SHOWN]
    gone = [name for name in SHOWN if name.startswith("ORDERFLEET_") and name not in names]
    assert PATH.read_text(encoding="utf-8") == env_example(), (
        f".env.example is stale (missing: {missing or 'none'}; no longer settings: {gone or 'none'}); "
        "write it anew with: python -m ops.setup.env_example"
    )


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is(name: str) -> None:
    assert Settings.model_fields[name].description, (
        f"give {name} in workers/runtime/settings.py a Field(description=...): .env.example shows it"
    )


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_changes_something(name: str) -> None:
    assert re.search(rf"\.{name}\b", CODE), f"nothing reads the setting {name}: use it or take it out"


def test_what_it_shows_are_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SHOWN:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text(
        "\n".join(f"{name}={value}" for name, value in SHOWN.items() if value), encoding="utf-8"
    )
    assert Settings() == Settings(_env_file=None)

"""What holds for every command: help with examples, exit codes, settings, language, and no traceback."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from ops.cli import main as entry
from ops.cli.output import ExitCode
from tests.ops.cli.conftest import PROJECT, Program, Run


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command there is, as words on the command line."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


ALL = sorted(commands(typer.main.get_command(entry.app)))


def test_the_commands_that_operators_rely_on_are_there() -> None:
    expected = {
        ("parse",),
        ("rules", "check"),
        ("rules", "try"),
        ("explain",),
        ("stock", "show"),
        ("stock", "set"),
        ("stock", "audit"),
        ("worker",),
        ("poll",),
        ("demo",),
        ("topics", "create"),
        ("topics", "list"),
        ("dead-letters", "list"),
        ("dead-letters", "payload"),
        ("dead-letters", "retry"),
    }
    assert expected <= set(ALL)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help_with_examples_and_exit_codes(words: tuple[str, ...], run: Run) -> None:
    result = run(*words, "--help")

    assert result.exit_code == 0
    assert "Examples" in result.stdout
    assert f"orderfleet {words[0]}" in result.stdout
    assert "Exit codes" in result.stdout
    assert "wrong usage" in result.stdout


def test_the_version_is_that_of_the_project(run: Run) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert run("--version").stdout == f"orderfleet {project['version']}\n"


def test_help_groups_the_commands(run: Run) -> None:
    text = run("--help").stdout

    assert "Read and try (no server needed)" in text
    assert "Look and act (Redis, Kafka, PostgreSQL)" in text


def test_help_comes_in_chinese(program: Program) -> None:
    done = program("parse", "--help", ORDERFLEET_LANG="zh")

    assert done.returncode == 0
    assert "每行一个 JSON" in done.stdout.decode()
    assert "退出码" in done.stdout.decode()


@pytest.mark.parametrize("command", [(), ("stock",), ("stock", "rebuild"), ("dead-letters",), ("rules",)])
def test_no_help_in_chinese_is_cut(program: Program, command: tuple[str, ...]) -> None:
    """A Chinese sentence is one long word; in a table's cell it must go on in the next line."""
    done = program(*command, "--help", ORDERFLEET_LANG="zh", COLUMNS="80")

    assert done.returncode == 0
    assert "…" not in done.stdout.decode()


def test_help_needs_nothing_heavy() -> None:
    """Start-up stays quick because what is heavy is imported inside the commands."""
    heavy = {"pydantic", "confluent_kafka", "redis", "httpx", "faust", "aiokafka", "channel_adapters", "topology"}
    code = f"import sys, ops.cli.main; print(sorted({heavy!r} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_mistyped_command_is_corrected(run: Run) -> None:
    result = run("explan", "x")

    assert result.exit_code == 2
    assert "explain" in result.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ORDERFLEET_PARTITIONS", "many"), ("ORDERFLEET_LOG_LEVEL", "LOUD"), ("ORDERFLEET_HOLD_SECONDS", "-1")],
)
def test_a_bad_setting_is_named_and_its_value_is_not(
    variable: str, value: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    result = run("stock", "show")

    assert result.exit_code == 2
    assert f"the setting {variable} is not usable" in result.stderr
    assert value not in result.stderr.replace(variable, "")


def test_settings_that_do_not_go_together_are_all_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_KAFKA_SECURITY", "sasl_ssl")
    monkeypatch.setenv("ORDERFLEET_KAFKA_PASSWORD", "s3cret")

    result = run("stock", "show")

    assert result.exit_code == 2
    assert "the settings are not usable: ORDERFLEET_KAFKA_SECURITY is sasl_ssl" in result.stderr
    assert "ORDERFLEET_KAFKA_USERNAME" in result.stderr
    assert "s3cret" not in result.stderr


def test_a_bad_language_is_named(program: Program) -> None:
    done = program("--help", ORDERFLEET_LANG="fr")

    assert done.returncode == 2
    assert "ORDERFLEET_LANG" in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_bug_is_told_in_one_line_that_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise KeyError("13800138000")

    monkeypatch.setattr(entry, "app", broken)

    with pytest.raises(SystemExit) as left:
        entry.main()

    assert left.value.code == ExitCode.BUG
    told = capsys.readouterr().err
    assert "KeyError, test_main.py:" in told
    assert "13800138000" not in told


def test_a_bug_shows_its_details_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise KeyError("details")

    monkeypatch.setattr(entry, "app", broken)
    monkeypatch.setenv("ORDERFLEET_LOG_LEVEL", "DEBUG")

    with pytest.raises(KeyError, match="details"):
        entry.main()

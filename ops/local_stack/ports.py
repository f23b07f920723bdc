"""Free loopback ports."""

from __future__ import annotations

import random
import socket
from typing import Final

LOOPBACK = "127.0.0.1"

_LOW: Final = 20_000
_HIGH: Final = 32_000  # from 32,768 on, systems take ports for connections that go out
_ATTEMPTS: Final = 200


def free_port() -> int:
    """A port that nobody listens on at this moment, from a range that no outgoing connection is given.

    A port that the system picks may be taken by somebody's connection before a server has started on it.
    Raises OSError when none is found.
    """
    for _ in range(_ATTEMPTS):
        port = random.randint(_LOW, _HIGH)  # noqa: S311  # spreads processes, guards nothing
        if _is_free(port):
            return port
    raise OSError(f"no free port from {_LOW} to {_HIGH} on {LOOPBACK}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True

"""What a fault may wait for, and the step that several kinds of it share."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator, Sequence
from typing import Final

from ops.testbed.local_stack.child import Child
from ops.testbed.torture.rig import Rig

Wait = float | Callable[[], bool]
"""Seconds, or until it holds."""

Trouble = Generator[Wait, None, None]


PATIENCE_SECONDS: Final = 30.0
"""What a supervisor gives a process that is to leave, before it is killed."""


def leave(children: Sequence[Child], rig: Rig) -> Trouble:
    """Ask these processes to leave, all at once, and wait until they have. Who does not is killed; it is noticed."""
    began = time.monotonic()
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = began + PATIENCE_SECONDS
    yield lambda: not any(child.running for child in children) or time.monotonic() > deadline
    rig.slowest_leave = max(rig.slowest_leave, time.monotonic() - began)
    for child in children:
        if child.running:
            child.kill()

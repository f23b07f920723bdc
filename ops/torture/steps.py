"""What a fault may wait for, and the step that several kinds of it share."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator, Sequence

from ops.local_stack.child import Child
from ops.torture.rig import Rig

Wait = float | Callable[[], bool]
"""Seconds, or until it holds."""

Trouble = Generator[Wait, None, None]


def leave(children: Sequence[Child], rig: Rig) -> Trouble:
    """Ask these processes to leave, all at once, and wait until they have."""
    began = time.monotonic()
    for child in children:
        child.signal(signal.SIGTERM)
    yield lambda: not any(child.running for child in children)
    rig.slowest_leave = max(rig.slowest_leave, time.monotonic() - began)

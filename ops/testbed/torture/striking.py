"""All workers die between two steps of their orders, and before they are back, the stock has changed.

The proxy before Redis waits for the request that workers send as their next step, and loses it or its answer. They are
killed while they wait for that answer: what they did before stands in the ledger, what they were to do does not.
"""

from __future__ import annotations

import time
from random import Random
from typing import Final

from ops.testbed.torture.faults import Fault
from ops.testbed.torture.proxy import Trap
from ops.testbed.torture.rig import Rig
from ops.testbed.torture.steps import Trouble, Wait
from workers.inventory.operations import claim, release, reserve, settle

BACKLOG_SECONDS: Final = 2.0
"""How long Redis answers nobody first, so that many orders wait and are at work at once."""

ORDERS: Final = 12
"""As many are to be at the same step when the workers die; after a while, whatever there is."""

PATIENCE_SECONDS: Final = 1.5
"""How long to wait for so many, and then for one; then there is nothing to do, and the workers die idle."""

CAUGHT_SECONDS: Final = 0.5
"""How long the others have, once one worker is caught, to come to the same step."""

_STEPS: Final = (claim, reserve, release, settle)
_ODDS: Final = (1, 2, 1, 12)  # before it is settled, an order has taken everything and nobody knows


def strike(fault: Fault, rig: Rig) -> Trouble:
    """Until they are dead; they are not started again. Redis must be in nobody else's hands."""
    rng = Random(str(fault))  # noqa: S311  # repeatable on purpose
    trap = _trap(rng)
    rig.redis_proxy.stall()
    yield BACKLOG_SECONDS
    rig.redis_proxy.set_trap(trap)
    rig.redis_proxy.flow()
    for trap.times in (ORDERS, 1):
        yield _sprung(trap)
    yield CAUGHT_SECONDS
    for worker in rig.workers:
        if worker.running:
            worker.kill()
    rig.redis_proxy.set_trap(None)
    rig.redis_proxy.cut()
    rig.stock.fill(rng)


def _sprung(trap: Trap) -> Wait:
    over = time.monotonic() + PATIENCE_SECONDS
    return lambda: trap.sprung or time.monotonic() > over


def _trap(rng: Random) -> Trap:
    [step] = rng.choices(_STEPS, _ODDS)
    digest = step.SCRIPT.digest
    return Trap(digest.encode(), ORDERS, heard=rng.random() < 0.1)

"""What a process of the fleet asks of Python's memory."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 50_000


def calm_the_collector() -> None:
    """Have the cyclic garbage collector look rarely, and never again at what is here now. Call it once all is built.

    A batch of 500 orders keeps some 100,000 objects alive for a moment, none of them in a cycle: with the usual
    threshold they are walked again and again, and with them the catalogue, the rules and all modules.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 100)

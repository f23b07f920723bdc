"""What a process of the fleet asks of Python's memory, and of the C library's under it."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

_YOUNG: Final = 50_000
_MMAP_THRESHOLD: Final = -3  # mallopt's names for them, see malloc.h
_TRIM_THRESHOLD: Final = -1
_BIG: Final = 128 * 1024  # bytes; what glibc starts with


def tune_gc() -> None:
    """Have the cyclic garbage collector look rarely, and never again at what is here now. Call it once all is built.

    A batch of 500 orders keeps some 100,000 objects alive for a moment, none of them in a cycle: with the usual
    threshold they are walked again and again, and with them the catalogue, the rules and all modules.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 100)


def tune_malloc() -> bool:
    """Have each big block go back to the system when it is freed. Whether this C library can be told.

    glibc moves its limit for "big" up to the biggest block it has seen freed. Then the answers of the brokers, up to
    some MB each, lie among small blocks that live long, and the heap grows by its holes: over 50,000 orders a worker's
    heap had 25 MB in use all the time, but its free blocks grew from 6 to 17 MB. A limit that is set stays.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _BIG)) and bool(mallopt(_TRIM_THRESHOLD, _BIG))

"""Platforms fail: now and then one is over its limit, now and then it breaks. Seeded, so that a run repeats."""

from __future__ import annotations

from enum import Enum
from random import Random


class Fault(Enum):
    """How a call fails."""

    LIMITED = "limited"  # too many calls, in the platform's own words
    BROKEN = "broken"  # a gateway's 5xx, with a page of HTML


class Faults:
    """Whether the next call fails: `rate` of all calls, half of them for each reason."""

    def __init__(self, rate: float = 0.0, seed: int = 0) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"a fault rate is a share from 0 to below 1, not {rate}")
        self._rate = rate
        self._rng = Random(seed)  # noqa: S311  # repeatable on purpose

    def strike(self) -> Fault | None:
        """The fault of this call, None for none."""
        if not self._rate or self._rng.random() >= self._rate:
            return None
        return self._rng.choice((Fault.LIMITED, Fault.BROKEN))

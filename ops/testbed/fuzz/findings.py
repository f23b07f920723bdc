"""What was found, told so that it can be looked at again; and what the slowest and the largest input cost."""

from __future__ import annotations

import resource
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_WORTH_LOOKING: Final = 20_000  # bytes: what a smaller input costs cannot be told from noise


@dataclass(slots=True)
class Cost:
    """The dearest input so far."""

    amount: float = 0.0
    seed: str = ""
    size: int = 0

    def take(self, amount: float, seed: str, size: int) -> None:
        """Keep the dearer one."""
        if amount > self.amount:
            self.amount, self.seed, self.size = amount, seed, size

    def join(self, other: Cost) -> None:
        """The same of two."""
        self.take(other.amount, other.seed, other.size)


@dataclass(slots=True)
class Findings:
    """What became of mutants: outcomes, and what must not be, by kind with the first mutants that show it."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    slowest: Cost = field(default_factory=Cost)
    largest: Cost = field(default_factory=Cost)  # megabytes by which the process grew

    def note(self, outcome: str) -> None:
        """One that is as it should be."""
        self.outcomes[outcome] += 1

    def finding(self, kind: str, seed: str) -> None:
        """One that is not."""
        self.counts[kind] += 1
        shown = self.wrong.setdefault(kind, [])
        if len(shown) < 3:
            shown.append(seed)

    def crash(self, error: BaseException, seed: str) -> None:
        """An exception that nobody should see: by its kind and the last place in our own code."""
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/site-packages/" not in frame.filename]
        frames = [frame for frame in ours if "/fuzz/" not in frame.filename] or ours
        place = f"{Path(frames[-1].filename).parent.name}/{Path(frames[-1].filename).name}:{frames[-1].lineno}"
        self.finding(f"{type(error).__name__} at {place}", seed)

    def join(self, other: Findings) -> None:
        """Both together."""
        self.outcomes += other.outcomes
        self.counts += other.counts
        for kind, seeds in other.wrong.items():
            self.wrong[kind] = (self.wrong.get(kind, []) + seeds)[:3]
        self.slowest.join(other.slowest)
        self.largest.join(other.largest)

    @contextmanager
    def measured(self, seed: str, size: int) -> Iterator[None]:
        """Time this process works, and memory that it grows by, meanwhile."""
        before = forget_peak() if size > _WORTH_LOOKING else 0.0
        started = time.process_time()
        yield
        self.slowest.take(time.process_time() - started, seed, size)
        if size > _WORTH_LOOKING:
            self.largest.take(peak_megabytes() - before, seed, size)

    def tell(self) -> Iterator[str]:
        """Line by line."""
        total = sum(self.outcomes.values()) + sum(self.counts.values())
        yield f"{total} mutants: " + ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common(12))
        yield f"slowest {self.slowest.amount * 1000:.0f} ms ({self.slowest.seed}, {self.slowest.size:,} bytes)"
        yield f"largest +{self.largest.amount:.0f} MB ({self.largest.seed}, {self.largest.size:,} bytes)"
        for kind, count in self.counts.most_common():
            yield f"WRONG {count} x {kind}: {' '.join(self.wrong[kind])}"


def forget_peak() -> float:
    """Let the peak begin anew, where the system can (Linux). How much the process has now, in megabytes."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return peak_megabytes()
    return _of_status("VmRSS")


def peak_megabytes() -> float:
    """The most that the process ever had, or since `forget_peak`."""
    try:
        return _of_status("VmHWM")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _of_status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024

"""Who runs: the fleet in one process, each of its stages in one, and what people would use instead."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.bench.ground import Ground
from ops.testbed.local_stack.child import Child, worker

QUIX_PYTHON: Final = Path(".venv-quix/bin/python")
"""Made by `make bench`: see ops/bench/quix/requirements.lock."""

ONE_PROCESS: Final = "orderfleet"
APART: Final = "orderfleet-apart"
BARE: Final = "bare-loop"
QUIX: Final = "quix-streams"
QUIX_SINK: Final = "quix-sink"
FAUST: Final = "plain-faust"

STAGES: Final = ("normalize", "uphold", "tag", "route", "reserve")


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work. `processes` are made anew for each run, not started."""

    name: str
    title: str
    processes: Callable[[Ground], list[Child]]


def _together(ground: Ground) -> list[Child]:
    return [worker("all stages", "normalize,reserve", ground.folder, ground.environment())]


def _apart(ground: Ground) -> list[Child]:
    environment = ground.environment({"ORDERFLEET_DURABLE_HANDOVER": "true"})
    return [worker(stage, stage, ground.folder, environment) for stage in STAGES]


def _module(name: str, *options: str, python: Path | str = sys.executable) -> Callable[[Ground], list[Child]]:
    def processes(ground: Ground) -> list[Child]:
        command = [str(python), "-m", f"ops.bench.{name}", *options]
        return [Child(name, command, ground.folder, ground.environment(), says="ready")]

    return processes


CONTENDERS: Final = (
    Contender(ONE_PROCESS, "orderfleet, one process", _together),
    Contender(APART, "orderfleet, a process a stage", _apart),
    Contender(BARE, "bare loop, no framework", _module("bare_loop")),
    Contender(QUIX, "Quix Streams", _module("quix_loop", python=QUIX_PYTHON)),
    Contender(QUIX_SINK, "Quix Streams, batching sink", _module("quix_loop", "--sink", python=QUIX_PYTHON)),
    Contender(FAUST, "plain Faust", _module("plain_faust")),
)


def available(tell: Callable[[str], None]) -> tuple[Contender, ...]:
    """All that can run here; `tell` hears of those that cannot."""
    if QUIX_PYTHON.exists():
        return CONTENDERS
    tell(f"Quix Streams is left out: there is no {QUIX_PYTHON}; `make bench` makes it")
    return tuple(contender for contender in CONTENDERS if contender.name not in (QUIX, QUIX_SINK))


def chosen(names: Sequence[str]) -> tuple[Contender, ...]:
    """Those named. Raises ValueError for a name that nobody has."""
    known = {contender.name: contender for contender in CONTENDERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no contender is called {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names)

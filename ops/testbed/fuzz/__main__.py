"""`python -m ops.testbed.fuzz`: so many mutants of each kind, on so many processes; then what was found."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

from channel_adapters.registry import CHANNELS
from ops.testbed.fuzz import answers, files, orders
from ops.testbed.fuzz.findings import Findings, forget_peak, peak_megabytes
from ops.testbed.fuzz.mutations import Mutant

_CHUNK: Final = 500
_BOMB_BYTES: Final = 10_000_000
_PATIENCE_SECONDS: Final = 10
_CEILING: Final = 1536 << 20
_BOMB_SECONDS: Final = 1.0
_BOMB_MEGABYTES: Final = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was found."""
    asked = _arguments().parse_args(arguments)
    if asked.again:
        return _again(asked.again)
    found = Findings()
    started = time.monotonic()
    for kind, work in _work(asked):
        of_kind = Findings()
        for part in work:
            of_kind.join(part)
        _say(f"\n{kind}, {time.monotonic() - started:.0f} s so far")
        for line in of_kind.tell():
            _say(f"  {line}")
        found.join(of_kind)
    _say(f"\n{sum(found.counts.values())} findings")
    return 1 if found.counts else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops.testbed.fuzz", description=__doc__)
    parser.add_argument("--orders", type=int, default=12_000, help="mutants of payloads, over all channels")
    parser.add_argument("--answers", type=int, default=500, help="mutants of WMS answers, on a Redis of its own")
    parser.add_argument("--files", type=int, default=200, help="mutants of files of counts")
    parser.add_argument("--bombs", type=int, default=12, help="list bombs of 10 MB, per channel")
    parser.add_argument("--channel", choices=list(CHANNELS), help="only this one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--again", metavar="NAME", help="write one mutant to stdout: taobao:1:42, files:1:42")
    return parser


def _work(asked: argparse.Namespace) -> Iterator[tuple[str, Iterator[Findings]]]:
    channels = [asked.channel] if asked.channel else list(CHANNELS)
    with ProcessPoolExecutor(asked.jobs) as pool:
        for channel in channels if asked.orders else ():
            each = partial(orders.try_mutants, channel, asked.seed)
            yield channel, _spread(pool, each, asked.orders // len(channels))
        if asked.answers:
            yield "answers", _spread(pool, partial(answers.try_mutants, asked.seed), asked.answers)
        if asked.files:
            yield "files", _spread(pool, partial(files.try_mutants, asked.seed), asked.files)
        for channel in channels if asked.bombs else ():
            yield f"bombs of {channel}", iter([_bombs(channel, asked.bombs)])


def _spread(pool: ProcessPoolExecutor, work: Callable[[range], Findings], count: int) -> Iterator[Findings]:
    starts = range(0, count, _CHUNK)
    yield from pool.map(work, [range(start, min(start + _CHUNK, count)) for start in starts])


def _bombs(channel: str, most: int) -> Findings:
    """One after the other, each in a process of its own that may not grow without end."""
    found = Findings()
    for name, body in orders.bombs(channel, _BOMB_BYTES, most):
        seconds, grown, wrong = _explode(channel, name, body)
        found.slowest.take(seconds, name, len(body))
        found.largest.take(grown, name, len(body))
        if wrong or seconds > _BOMB_SECONDS or grown > _BOMB_MEGABYTES:
            found.finding(wrong or f"a bomb takes {seconds:.1f} s and {grown:.0f} MB", name)
        else:
            found.note("bomb survived")
    return found


def _explode(channel: str, name: str, body: bytes) -> tuple[float, float, str]:
    """Seconds of work, megabytes more, and what went wrong, of one body in a child that is limited in both."""
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_exploding, args=(channel, name, body, theirs))
    child.start()
    theirs.close()
    try:
        seconds, grown, wrong = ours.recv()
    except EOFError:
        return (
            _PATIENCE_SECONDS,
            0.0,
            f"a bomb ends its process, with {_CEILING >> 20} MB or {_PATIENCE_SECONDS} s",
        )
    finally:
        child.join()
    return float(seconds), float(grown), str(wrong)


def _exploding(channel: str, name: str, body: bytes, report: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_PATIENCE_SECONDS, _PATIENCE_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_CEILING, _CEILING))
    before, started, found = forget_peak(), time.process_time(), Findings()
    orders.try_one(channel, name, Mutant(body), found)
    report.send((time.process_time() - started, peak_megabytes() - before, next(iter(found.wrong), "")))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _again(name: str) -> int:
    kind, seed, number = name.split(":")
    if kind == "files":
        sys.stdout.buffer.write(files.mutant(int(seed), int(number))[1])
    else:
        sys.stdout.buffer.write(orders.mutant(kind, int(seed), int(number)).body)
    return 0


if __name__ == "__main__":
    sys.exit(main())

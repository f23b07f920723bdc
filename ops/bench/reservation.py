"""The stock ledger against its floor: the same scripts with the same arguments, packed beforehand, sent as fast as a
socket takes them. `python -m ops.bench.reservation --help`

Uniform orders spread over 5,000 SKUs; hot orders all hold one SKU. The two take turns on one Redis, and every order is
a new one. Medians of all turns are printed: many short turns, as what else the machine has to do comes and goes.
"""

from __future__ import annotations

import argparse
import json
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from typing import Final
from urllib.parse import urlsplit

import hiredis
import uvloop

from ops.bench.ground import Grounds
from ops.bench.seller import SKUS
from workers.inventory.ledger import Ledger
from workers.inventory.operations import reserve
from workers.inventory.operations.reserve import Reserve, ReserveOutcome
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.records import Answer, ReservationState
from workers.inventory.retention import REMEMBER_MS
from workers.runtime.redis.connections import connect
from workers.runtime.redis.pipeline import packed
from workers.runtime.redis.scripts import command_of

WAREHOUSE: Final = "beijing"
HOT: Final = "SKU-00001"
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """One combination. Orders a second; the ledger's share of the floor's beside it; microseconds of CPU an order."""

    stock: str
    lines: int
    batch: int
    ledger: int
    floor: int
    share: float
    ledger_cpu: float
    floor_cpu: float


class Orders:
    """New reservations without end."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = Random(seed)  # noqa: S311  # repeatable on purpose
        self._numbers = count(1)

    def take(self, number: int, lines: int, *, hot: bool) -> list[Reserve]:
        """So many, of so many lines each."""
        return [self._one(lines, hot=hot) for _ in range(number)]

    def _one(self, lines: int, *, hot: bool) -> Reserve:
        number = next(self._numbers)
        skus = {f"SKU-{each:05d}": 1 for each in self._dice.sample(range(60, SKUS - 60), lines)}
        if hot:
            skus.popitem()
            skus[HOT] = 1
        return Reserve(WAREHOUSE, f"bench:shop:{number}", "1", number, ReservationState.COMMITTED, skus)


class Floor:
    """A socket, commands packed beforehand, and a parser that counts replies."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._socket = socket.create_connection((where.hostname or "", where.port or 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = hiredis.Reader()

    def send(self, pipeline: bytes, replies: int) -> None:
        """One pipeline. Raises AssertionError when a reservation was not made."""
        self._socket.sendall(pipeline)
        while replies:
            self._reader.feed(self._socket.recv(_READ_BYTES))
            while (reply := self._reader.gets()) is not False:
                assert reply == [b"RESERVED"], reply
                replies -= 1

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


async def compare(url: str, rows: Sequence[tuple[bool, int, int]], orders: int, repeats: int) -> list[Row]:
    """Measure every combination of (hot, lines, batch)."""
    made, context, floor = Orders(), CallContext(REMEMBER_MS), Floor(url)
    async with connect(url) as redis:
        ledger = Ledger(redis)
        await ledger.orders.apply(made.take(500, 2, hot=False))  # loads the script, warms up
        measured = [await _row(ledger, context, floor, made, row, orders, repeats) for row in rows]
    floor.close()
    return measured


async def _row(
    ledger: Ledger,
    context: CallContext,
    floor: Floor,
    made: Orders,
    row: tuple[bool, int, int],
    orders: int,
    repeats: int,
) -> Row:
    hot, lines, batch = row
    ours, theirs = [], []
    for _ in range(repeats):
        batches = list(_batches(made.take(orders, lines, hot=hot), batch))
        ours.append(await _timed_ledger(ledger, batches))
        pipelines = [
            (packed([command_of(reserve.call(step, context)) for step in each]), len(each))
            for each in _fresh(made, batches, hot=hot)
        ]
        theirs.append(_timed_floor(floor, pipelines))
    return Row(
        "one hot SKU" if hot else "uniform",
        lines,
        batch,
        round(orders / median(wall for wall, _ in ours)),
        round(orders / median(wall for wall, _ in theirs)),
        round(median(its / own for (own, _), (its, _) in zip(ours, theirs, strict=True)), 3),
        round(median(cpu for _, cpu in ours) / orders * 1e6, 1),
        round(median(cpu for _, cpu in theirs) / orders * 1e6, 1),
    )


def _fresh(made: Orders, batches: Sequence[Sequence[Reserve]], *, hot: bool) -> Iterator[list[Reserve]]:
    for each in batches:
        yield made.take(len(each), len(each[0].quantities), hot=hot)


def _batches(steps: Sequence[Reserve], size: int) -> Iterator[Sequence[Reserve]]:
    for start in range(0, len(steps), size):
        yield steps[start : start + size]


async def _timed_ledger(ledger: Ledger, batches: Sequence[Sequence[Reserve]]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for each in batches:
        for answer in await ledger.orders.apply(each):
            assert isinstance(answer, Answer)
            assert answer.outcome is ReserveOutcome.RESERVED
    return time.perf_counter() - wall, time.process_time() - cpu


def _timed_floor(floor: Floor, pipelines: Sequence[tuple[bytes, int]]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for pipeline, replies in pipelines:
        floor.send(pipeline, replies)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(prog="python -m ops.bench.reservation", description=__doc__)
    asked.add_argument("--orders", type=int, default=2_000, help="in each turn (default: 2,000)")
    asked.add_argument("--repeats", type=int, default=25, help="turns (default: 25)")
    asked.add_argument("--json", type=Path, help="write the figures here")
    options = asked.parse_args()
    rows = [(hot, lines, 500) for lines in (1, 2, 3, 6) for hot in (False, True)]
    rows += [(False, 2, batch) for batch in (1, 10, 50, 200, 1000)]
    with tempfile.TemporaryDirectory() as folder, Grounds(Path(folder)).fresh() as ground:
        measured = uvloop.run(compare(ground.redis_url, rows, options.orders, options.repeats))
    print(f"{'stock':14}{'lines':>6}{'batch':>7}{'ledger/s':>10}{'floor/s':>10}{'share':>8}{'us CPU':>9}{'floor':>7}")
    for row in measured:
        figures = f"{row.lines:>6}{row.batch:>7}{row.ledger:>10,}{row.floor:>10,}{row.share:>8.2f}"
        print(f"{row.stock:14}{figures}{row.ledger_cpu:>9}{row.floor_cpu:>7}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in measured], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

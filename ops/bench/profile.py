"""Where each microsecond between raw and routed goes, by part of the way and by function: python -m ops.bench.profile

CPU of this process only, threads of the client libraries included; Redis and the broker are beside it. Every part is
run over the same chunks several times and the least is taken: neighbours on the machine can only add to it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from cProfile import Profile
from itertools import islice
from pathlib import Path
from typing import Any

import uvloop
from pydantic import SecretStr

import topology
from ops.bench.ground import Ground, Grounds
from ops.bench.orders import endless
from ops.bench.parts import Clock, Way
from schemas.topics import ORDERS_RAW
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record
from workers.runtime.redis.connections import connect
from workers.runtime.settings import Settings

CHUNK = 600


async def walk_all(ground: Ground, records: Sequence[Record], clock: Clock, functions: Profile) -> None:
    """Every chunk all the way; the first ones only to warm up. Every second one under the profiler, off the clock."""
    settings = settings_of(ground)
    redis = connect(ground.redis_url)
    producer = Producer(settings.kafka)
    producer.start()
    services = topology.build_services(settings, redis)
    chunks = [records[start : start + CHUNK] for start in range(0, len(records), CHUNK)]
    await Way(services, producer, Clock()).walk(chunks[0])
    for number, chunk in enumerate(chunks[1:]):
        if number % 2:
            await Way(services, producer, Clock(1, functions)).walk(chunk)
        else:
            await Way(services, producer, clock).walk(chunk)
    await producer.close()
    await redis.aclose()


def settings_of(ground: Ground) -> Settings:
    """What a worker there is told."""
    return Settings(
        kafka=ground.kafka,
        redis_url=SecretStr(ground.redis_url),
        rules_file=ground.rules,
        catalogue_file=ground.catalogue,
    )


def chosen(count: int, channel: str) -> list[Record]:
    """So many orders, of one channel or of all."""
    topic = ORDERS_RAW.of(channel) if channel else ""
    return list(islice((each for each in endless() if topic in ("", each.topic)), count))


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(prog="python -m ops.bench.profile", description=__doc__)
    asked.add_argument("--orders", type=int, default=6000, help="how many orders go the way (default: 6000)")
    asked.add_argument("--channel", default="", help="only orders of this channel, such as taobao (default: all six)")
    asked.add_argument("--functions", type=int, default=40, help="how many functions to list (default: 40)")
    options = asked.parse_args()
    clock, functions = Clock(), Profile(time.thread_time)
    orders = chosen(options.orders, options.channel)
    with tempfile.TemporaryDirectory() as folder, Grounds(Path(folder), partitions=1).fresh() as ground:
        uvloop.run(walk_all(ground, orders, clock, functions))
    by_part = clock.microseconds(CHUNK)
    print_parts(by_part)
    print_functions(functions, options.functions, sum(by_part.values()))


def print_parts(by_part: dict[str, float]) -> None:
    """The table by part."""
    whole = sum(by_part.values())
    print(f"{'part of the way':32}{'us/order':>10}{'share':>8}")
    for part, spent in by_part.items():
        print(f"{part:32}{spent:10.1f}{spent / whole:8.1%}")
    print(f"{'all':32}{whole:10.1f}")


def print_functions(functions: Profile, count: int, whole: float) -> None:
    """The table by function: its own time, scaled so that all of them add up to what the parts took."""
    functions.create_stats()
    rows: Mapping[tuple[str, int, str], tuple[int, int, float, float, Any]] = functions.stats
    total = sum(row[2] for row in rows.values())
    print(f"\n{'function':64}{'calls':>10}{'us/order':>10}{'share':>8}")
    for (file, line, name), (_, calls, own, _, _) in sorted(rows.items(), key=lambda item: -item[1][2])[:count]:
        print(f"{place_of(file, line, name)[-64:]:64}{calls:>10}{own / total * whole:10.2f}{own / total:8.1%}")


def place_of(file: str, line: int, name: str) -> str:
    """`taobao/mapping.py:75 to_order`; a built-in by its name."""
    return f"{'/'.join(Path(file).parts[-2:])}:{line} {name}" if line else name


if __name__ == "__main__":
    main()

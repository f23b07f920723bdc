"""`python -m ops.testbed.simulators.wms --kafka 127.0.0.1:9092 --seed 11`: prints {"port": 0}, then picks and answers.

It reads `orders.routed.<warehouse>` of all warehouses from the beginning, or of those named. It keeps all in memory and
may be killed at any time: started again, it reads again and says again what it said. Stops on SIGTERM and Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import fields

from ops.testbed.simulators.wms.fate import Mishaps
from ops.testbed.simulators.wms.house import Houses
from ops.testbed.simulators.wms.line import SAY_LATER, Line
from schemas.namespace import use_prefix


def main(arguments: Sequence[str] | None = None) -> int:
    """Work until SIGTERM or SIGINT."""
    options = _parser().parse_args(arguments)
    shares = {each.name: getattr(options, each.name) for each in fields(Mishaps)}
    use_prefix(options.prefix)
    warehouses = [name for name in options.warehouses.split(",") if name]
    line = Line(options.kafka, warehouses, options.say_later)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: line.stop())
    try:
        houses = Houses(options.seed, Mishaps(**shares), options.pace, said=line.said())
        line.catch_up(houses)
        sys.stdout.write(json.dumps({"port": 0}) + "\n")
        sys.stdout.flush()
        line.work(houses)
    finally:
        line.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.testbed.simulators.wms", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("--kafka", default="127.0.0.1:9092", help="bootstrap brokers")
    parser.add_argument("--warehouses", default="", help="comma separated; all that have a topic when none is named")
    parser.add_argument("--prefix", default="", help="as ORDERFLEET_PREFIX of the fleet whose orders it answers")
    parser.add_argument("--seed", type=int, default=11, help="the same seed, the same fates")
    parser.add_argument("--pace", type=float, default=1.0, help="1: an order is shipped in one to three seconds")
    say_later = "seconds between what is done and saying so, at least"
    parser.add_argument("--say-later", type=float, default=SAY_LATER, help=say_later)
    for each in fields(Mishaps):
        name = each.name.replace("_", "-")
        parser.add_argument(f"--{name}", type=float, default=each.default, help="a share of 0 to 1")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""`python -m ops.testbed.simulators --port 0 --orders 5000 --rate 150 --seed 11`: prints {"port": ...}, then sells.

Stops on SIGTERM and Ctrl-C, within two seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from ops.testbed.simulators.catalogue import EXAMPLE, load_catalogue
from ops.testbed.simulators.faults import Faults
from ops.testbed.simulators.generator import PAY_SECONDS, Generator
from ops.testbed.simulators.server import Simulator, listening
from ops.testbed.simulators.world import World, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _parser().parse_args(arguments)
    try:
        catalogue = load_catalogue(options.catalogue)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"simulators: {options.catalogue}: {error}\n")
        return 2
    world = World(Generator(options.seed, catalogue, options.pay_seconds), options.orders, options.rate)
    simulator = Simulator(world, time.time, Faults(options.faults, options.seed))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(simulator, options.port))
    return 0


async def _serve(simulator: Simulator, port: int) -> None:
    """Raises what went wrong in the world, rather than going on with a world that stands still."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with listening(simulator, port) as bound:
        sys.stdout.write(json.dumps({"port": bound}) + "\n")
        sys.stdout.flush()
        living = asyncio.create_task(run(simulator.world, time.time))
        living.add_done_callback(lambda task: stopped.set() if _failed(task) else None)
        await stopped.wait()
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living


def _failed(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is not None


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError("a share is from 0 to below 1")
    return share


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.testbed.simulators", description="Simulated selling platforms."
    )
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0: any free port")
    parser.add_argument("--orders", type=int, default=5000, help="place this many orders, then only go on answering")
    parser.add_argument("--rate", type=float, default=150.0, help="orders placed per second, over all channels")
    parser.add_argument("--seed", type=int, default=11, help="the same seed gives the same orders")
    parser.add_argument("--faults", type=_share, default=0.0, help="share of calls that fail: rate limits and 5xx")
    parser.add_argument("--pay-seconds", type=int, default=PAY_SECONDS, help="how long buyers may take to pay")
    parser.add_argument("--catalogue", type=Path, default=EXAMPLE, help="the SKU catalogue to sell from")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""All contenders do the same work. No test here looks at a clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.bench.contenders import APART, BARE, CONTENDERS, FAUST, ONE_PROCESS, QUIX, QUIX_PYTHON, QUIX_SINK
from ops.bench.ground import Grounds
from ops.bench.orders import raw_orders
from ops.bench.runs import Throughput, throughput

WARMUP, ORDERS = 60, 240


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Grounds:
    """Few partitions: these runs are short."""
    return Grounds(Path(tmp_path_factory.mktemp("bench")), partitions=2)


@pytest.fixture(scope="module")
def bare(grounds: Grounds) -> Throughput:
    """What the loop without a framework says."""
    return run(grounds, BARE)


def run(grounds: Grounds, name: str) -> Throughput:
    orders = raw_orders(WARMUP + ORDERS)
    contender = next(each for each in CONTENDERS if each.name == name)
    return throughput(grounds, contender, orders[:WARMUP], orders[WARMUP:])


@pytest.mark.parametrize("name", [ONE_PROCESS, APART, FAUST, QUIX, QUIX_SINK])
def test_every_contender_tells_the_warehouses_the_same_and_leaves_the_same_counters(
    grounds: Grounds, bare: Throughput, name: str
) -> None:
    if name in (QUIX, QUIX_SINK) and not QUIX_PYTHON.exists():
        pytest.skip("Quix Streams has an environment of its own, which `make bench` makes")
    other = run(grounds, name)
    assert other.outputs == bare.outputs
    assert other.counters == bare.counters


def test_a_run_counts_what_it_cost(bare: Throughput) -> None:
    assert bare.orders == ORDERS
    assert bare.cost.redis_calls >= 3 * ORDERS  # claim, take, settle
    assert set(bare.cost.cpu) == {"bare_loop", "broker", "redis"}
    assert bare.cost.memory["bare_loop"] > 0

"""All contenders do the same work. No test here looks at a clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.bench.contenders import APART, BARE, FAUST, ONE_PROCESS, QUIX, QUIX_PYTHON, QUIX_SINK, chosen
from ops.bench.ground import Grounds
from ops.bench.orders import raw_orders
from ops.bench.runs import Throughput, fed_orders, latency, sustained, throughput

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
    return throughput(grounds, chosen([name])[0], orders[:WARMUP], orders[WARMUP:])


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


def test_each_order_fed_at_a_rate_counts_once_the_rate_is_settled(
    grounds: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.bench.runs.WARM_SECONDS", 0.5)
    monkeypatch.setattr("ops.bench.runs._SETTLE_SECONDS", 0.2)
    [contender], orders = chosen([BARE]), raw_orders(WARMUP + fed_orders(200.0, seconds=1.0))
    warmup, work = orders[:WARMUP], orders[WARMUP:]
    late = latency(grounds, contender, warmup, work, load=0.5, rate=200.0)
    assert late.orders == pytest.approx(200, abs=1)
    assert 0 <= late.p50 <= late.p99 <= late.longest
    assert 0 < sustained(grounds, contender, warmup, work, rate=200.0) < 220

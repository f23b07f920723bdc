"""A round is what its seed says, and holds what it is for: late, repeated and reordered input, shortage, faults."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from ops.testbed.simulators.catalogue import load_catalogue
from ops.testbed.torture.faults import KEEPS_ITS_DATA, FaultKind, Kafka, possible_faults
from ops.testbed.torture.plan import RoundPlan, Size, plan_round
from workers.intake.raw import dedupe_key

CATALOGUE = load_catalogue()
WAREHOUSES = ("hangzhou", "beijing")
NOW = 1_800_000_000


def planned(seed: int, kafka: Kafka = Kafka.APACHE, now: int = NOW) -> RoundPlan:
    return plan_round(seed, Size(orders=200), possible_faults(kafka), CATALOGUE, WAREHOUSES, now)


def test_the_same_seed_gives_the_same_plan() -> None:
    assert planned(7) == planned(7)


def test_another_seed_gives_other_orders_faults_and_stock() -> None:
    one, other = planned(7), planned(8)
    assert one.faults != other.faults
    assert one.stock != other.stock
    assert not {each.uid for each in one.truth} & {each.uid for each in other.truth}


def test_the_clock_moves_the_times_inside_the_payloads_and_nothing_else() -> None:
    one, later = planned(7), planned(7, now=NOW + 86_400)
    assert (one.faults, one.stock, one.truth) == (later.faults, later.stock, later.truth)
    assert [(f.at, f.record.key) for f in one.feeds] == [(f.at, f.record.key) for f in later.feeds]
    assert one.feeds != later.feeds


def test_a_round_repeats_and_reorders_what_comes_in() -> None:
    plan = planned(7)
    times = Counter(dedupe_key(feed.record) for feed in plan.feeds)
    assert sum(times.values()) - len(times) == plan.repeated > 20
    assert plan.reordered > 5


def test_some_revisions_of_one_order_share_a_modify_time_and_were_received_one_after_the_other() -> None:
    """Otherwise nothing would show that bad news wins a tie."""
    states: defaultdict[tuple[bytes, bytes], dict[bytes, bytes]] = defaultdict(dict)
    for feed in planned(7).feeds:
        stamp, _, digest = dedupe_key(feed.record).rpartition(b"@")[2].partition(b".")
        received = dict(feed.record.headers)["received-at"]
        states[feed.record.key, stamp][digest] = received or b""
    ties = [received for received in states.values() if len(received) > 1]
    assert ties
    assert all(len(set(received.values())) == len(received) for received in ties)


def test_some_orders_are_touched_by_their_shop_when_they_may_have_left() -> None:
    plan = planned(7)
    first_seen: dict[tuple[bytes, bytes], float] = {}
    for feed in plan.feeds:
        first_seen.setdefault((feed.record.key, dedupe_key(feed.record)), feed.at)
    times = defaultdict(list)
    for (uid, _), at in first_seen.items():
        times[uid].append(at)
    told_at_once = [times[each.uid.encode()] for each in plan.truth if each.story == "paid-at-once"]
    assert {len(each) for each in told_at_once} == {1, 3}
    assert all(sorted(each)[1] >= 0.6 * Size().seconds for each in told_at_once if len(each) == 3)


def test_faults_happen_while_input_still_comes_in() -> None:
    for seed in range(50):
        plan = planned(seed)
        assert len(plan.faults) == Size().faults
        assert all(0 < fault.at < plan.feeds[-1].at for fault in plan.faults)
        assert sum(fault.kind in KEEPS_ITS_DATA for fault in plan.faults) <= 1


@pytest.mark.parametrize("kind", [FaultKind.REDIS_EMPTY, FaultKind.WORKER_STRIKE])
def test_what_takes_the_whole_fleet_away_happens_in_some_rounds_and_never_twice_in_one(kind: FaultKind) -> None:
    times = [sum(fault.kind is kind for fault in planned(seed).faults) for seed in range(100)]
    assert set(times) == {0, 1}


def test_of_a_kind_that_happens_once_there_are_fewer_faults_than_wished_for() -> None:
    plan = plan_round(7, Size(orders=10, faults=4), [FaultKind.REDIS_EMPTY], CATALOGUE, WAREHOUSES, NOW)
    assert [fault.kind for fault in plan.faults] == [FaultKind.REDIS_EMPTY]


def test_every_kind_of_fault_is_drawn_sooner_or_later() -> None:
    drawn = {fault.kind for seed in range(100) for fault in planned(seed).faults}
    assert drawn == set(FaultKind)


def test_the_embedded_broker_is_never_restarted() -> None:
    assert set(FaultKind) - set(possible_faults(Kafka.EMBEDDED)) == KEEPS_ITS_DATA

"""The ledger against a model of it: random work on a few orders, with crashes, repeats, races and counts that shrink.

After every single call its answer is compared with the model's, and then all that can be seen of the ledger. A worker
that stops after some of its calls may be dead for good or may wake up later, when others have taken over its order.
ORDERFLEET_TEST_PROFILE=slow looks a hundred times as far.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from ops.testbed.local_stack.redis_server import RedisServer
from schemas.fulfillment import InstructionKind
from schemas.record import encode
from tests.workers.inventory.chance import (
    ORDERS,
    SKUS,
    TRANSFERS,
    WAREHOUSES,
    Happening,
    Wish,
    Word,
    Work,
    happenings,
    picked,
)
from tests.workers.inventory.looking import FOREVER, Connection
from tests.workers.inventory.proof import ProvenLedger
from tests.workers.inventory.stories import Story
from workers.inventory.keys import relay_key
from workers.inventory.ledger import Ledger
from workers.inventory.operations.allocate import Allocate
from workers.inventory.operations.claim import Claim, ClaimOutcome
from workers.inventory.operations.drop_return import DropReturn
from workers.inventory.operations.fence import Fence, FenceOutcome
from workers.inventory.operations.record_return import RecordReturn
from workers.inventory.operations.release import Giving, Release, ReleaseOutcome
from workers.inventory.operations.reserve import Reserve, ReserveOutcome, Taking
from workers.inventory.operations.settle import Settlement
from workers.inventory.operations.ship import Ship
from workers.inventory.operations.short import Short
from workers.inventory.operations.stash_return import StashReturn
from workers.inventory.operations.steps import Step
from workers.inventory.operations.transfer import Transfer, TransferAction
from workers.inventory.operations.trim import TrimOutcome
from workers.inventory.operations.withdraw import Withdraw
from workers.inventory.records import LIVE, ActiveInstruction, Answer, Count, OrderState, Reservation, ReservationState
from workers.reserve.result import Instruction, Result

Place = tuple[str, str]
HELD, COMMITTED = ReservationState.HELD, ReservationState.COMMITTED
ALLOCATED = ReservationState.ALLOCATED
MOST_ASLEEP = 4
MOST_TOLD = 4


class LedgerMachine(ProvenLedger):
    """Workers, sweepers, counts and a relay, all on one small stock."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.relays = (self.ledger, Ledger(self.redis))
        self.asleep: list[Work] = []
        self.seen: list[Reservation] = []

    @initialize(on_hand=st.integers(2, 8))
    def stock_arrives(self, on_hand: int) -> None:
        for warehouse in WAREHOUSES:
            self.count(warehouse, {sku: Count(on_hand=on_hand) for sku in SKUS}, at_ms=0)

    @rule(happenings=happenings)
    def something_happens(self, happenings: list[Happening]) -> None:
        for one in happenings:
            getattr(self, one.name)(**one.arguments)

    # --- workers

    def an_order_comes(self, order_uid: str, newer: int, named: tuple[str, ...], wish: Wish, calls: int) -> None:
        """To a worker that makes only so many calls, and then sleeps."""
        work = self.claim(order_uid, newer, named)
        if work is not None:
            for _ in islice(self.course(work, wish), calls):
                pass
            if not work.over:
                self.asleep = [*self.asleep, work][-MOST_ASLEEP:]

    def a_worker_wakes_up(self, pick: int, places: list[int], wish: Wish, act: str) -> None:
        """It goes on where it was, whatever happened since; any step that its claim allows may be its next."""
        for place in places if self.asleep else ():
            work = picked(self.asleep, pick)
            warehouse = picked(work.places, place) if work.places else ""
            if work.over:
                break
            if work.to_fence:
                self.fence(work)
            elif act == "settle" or not warehouse:
                self.settle(work)
            elif act == "take":
                self.take(work, warehouse, wish)
            else:
                self.give_back(work, warehouse, wish.giving)
        self.asleep = [work for work in self.asleep if not work.over]

    def course(self, work: Work, wish: Wish) -> Iterator[None]:
        """The way of an order from its claim on, as the reserve stage goes it; between two calls it may stop."""
        while work.to_fence and not work.over:
            self.fence(work)
            yield
        taken = ""
        for warehouse in work.named:
            if not work.over and not taken:
                taken = warehouse if self.take(work, warehouse, wish) else ""
                yield
        for warehouse in [one for one in work.has if one != taken]:
            if not work.over:
                self.give_back(work, warehouse, wish.giving)
            yield
        if not work.over:
            self.settle(work)
            yield

    def claim(self, order_uid: str, newer: int, named: tuple[str, ...]) -> Work | None:
        before = self.model.pointers[order_uid]
        revision = f"r{max(1, int(before.revision[1:] or 0) + newer):04}"
        [claim] = self.run(self.ledger.orders.claim([(order_uid, revision, named)]))
        assert isinstance(claim, Claim)
        told = tuple(sorted(claim.told))  # the ledger tells them in any order
        assert claim._replace(told=told) == self.model.claim(order_uid, revision, named, claim.fence)
        self.check()
        if claim.outcome is not ClaimOutcome.CLAIMED:
            return None
        assert claim.fence > before.fence + 999, "steps of the claim before may have this number"
        has = {warehouse: dict(units) for warehouse, units in claim.holdings.items()}
        left = list(dict.fromkeys((*claim.intent, *claim.holdings))) if claim.interrupted else []
        return Work(order_uid, revision, claim, named, has, left)

    def fence(self, work: Work) -> None:
        """Shut the claim before out of one of the places that it may have touched."""
        warehouse = work.to_fence.pop()
        answer = self.apply(Fence(warehouse, work.order_uid, work.claim.fence))
        work.over = answer.outcome is FenceOutcome.STALE
        work.has.pop(warehouse, None)
        if answer.state in LIVE:
            work.has[warehouse] = answer.quantities

    def take(self, work: Work, warehouse: str, wish: Wish) -> bool:
        has = work.has.get(warehouse, {})
        state, deadline_ms = (COMMITTED, 0) if wish.paid else (HELD, wish.deadline_ms)
        order, number = (work.order_uid, work.revision), work.next_fence()
        answer = self.apply(Reserve(warehouse, *order, number, state, wish.quantities, deadline_ms, has, wish.taking))
        work.over = answer.outcome is ReserveOutcome.STALE
        if answer.outcome in (ReserveOutcome.NOTHING_HELD, ReserveOutcome.SHIPPED):
            work.has.pop(warehouse, None)
        if answer.outcome not in (ReserveOutcome.RESERVED, ReserveOutcome.ALREADY):
            return False
        if wish.taking is Taking.GROW:
            has = {sku: max(wish.quantities.get(sku, 0), has.get(sku, 0)) for sku in {*wish.quantities, *has}}
        work.has[warehouse] = wish.quantities if wish.taking is Taking.TAKE else has
        return True

    def give_back(self, work: Work, warehouse: str, giving: Giving) -> None:
        has = work.has.get(warehouse, ())
        answer = self.apply(Release(warehouse, work.order_uid, work.revision, work.next_fence(), has, giving))
        work.over = answer.outcome is ReleaseOutcome.STALE
        if answer.outcome in (ReleaseOutcome.RELEASED, ReleaseOutcome.NOTHING_HELD):
            work.has.pop(warehouse, None)

    def settle(self, work: Work) -> None:
        state = OrderState.HELD if work.has else OrderState.RELEASED
        told = {warehouse: self.told(work, warehouse) for warehouse in work.has}
        said = [
            Instruction(warehouse_id=warehouse, kind=InstructionKind.CHANGE, units=dict(one.units))
            for warehouse, one in told.items()
        ]
        result = encode(Result(told=tuple(said))) if said else b""  # which had nothing to say
        end = Settlement(work.order_uid, work.revision, work.claim.fence, state, work.has, told, result, "0:7")
        for _ in range(2):  # the answer to the first may have been lost on its way
            [outcome] = self.run(self.ledger.orders.settle([end]))
            assert outcome is self.model.settle(end)
            self.check()
        work.over = True

    def told(self, work: Work, warehouse: str) -> ActiveInstruction:
        """The warehouse is told of each revision, after those that it was told of before."""
        before = work.claim.routed.get(warehouse, ActiveInstruction(digest=""))
        revisions = (*before.revisions, work.revision)[-MOST_TOLD:]
        return ActiveInstruction(
            digest="digest", parcels=len(work.has), revisions=revisions, units=dict(work.has[warehouse])
        )

    def apply(self, step: Step, *, reveals: bool = False) -> Answer:
        [answer] = self.run(self.ledger.orders.apply([step]))
        assert answer == self.model.apply(step)
        assert isinstance(answer, Answer)
        self.check(reveals=reveals)
        return answer

    # --- sweepers: what one has seen may be long gone when it acts

    def a_sweeper_comes(self, warehouse: str, now_ms: int, dies: bool) -> None:
        due = self.run(self.ledger.holds.due(warehouse, now_ms, 100))
        assert due == self.model.due(warehouse, now_ms)
        if dies:
            self.seen = [*self.seen, *due][-MOST_ASLEEP:]
        else:
            self.expire(due, now_ms)

    def a_sweeper_wakes_up(self, chosen: list[int], now_ms: int) -> None:
        if self.seen:
            self.expire([picked(self.seen, pick) for pick in chosen], now_ms)

    def expire(self, seen: list[Reservation], now_ms: int) -> None:
        assert self.run(self.ledger.holds.expire(seen, now_ms)) == [self.model.expire(hold, now_ms) for hold in seen]
        self.check()

    # --- stock

    def count(self, warehouse: str, counts: Mapping[str, Count], at_ms: int) -> None:
        available = self.run(self.ledger.stock.set_counts(warehouse, counts, at_ms))
        assert available == self.model.set_stock(warehouse, counts, at_ms)
        self.check(reveals=True)

    def goods_move(self, warehouse: str, transfer_id: str, action: TransferAction, at_ms: int) -> None:
        step = Transfer(warehouse, transfer_id, action, at_ms, TRANSFERS[transfer_id])
        assert self.run(self.ledger.stock.transfer([step])) == [self.model.transfer(step)]
        self.check()

    # --- the WMS: it speaks of what was once told to it, late, twice, in any order

    def the_wms_speaks(self, pick: int, words: list[Word]) -> None:
        place = picked(self.places(), pick)
        for word in words:
            found = self.model.reservation(*place)
            revision = "r0000" if word.is_late else found.revision
            message, units = f"{place}/{word.number}", word.units
            match word.says:
                case "accepted":
                    self.apply(Allocate(*place))
                case "withdrawn":
                    self.apply(Withdraw(*place, revision))
                case "short":
                    step = Short(*place, message, word.at_ms, revision, word.lost, units, told=word.told)
                    aside = word.is_late or found.state not in (COMMITTED, ALLOCATED)
                    self.apply(step, reveals=aside)  # what was promised may be what is broken
                case _:
                    self.ship(Ship(*place, message, word.at_ms, units), found)

    def the_wms_gives_back(self, pick: int, which: int, number: int, says: str) -> None:
        """An instruction that stands, one that was replaced or given back before, or one that it never had."""
        warehouse, uid = picked(self.places(), pick)
        order = self.model.pointers[uid]
        told = order.routed.get(warehouse, ActiveInstruction(digest=""))
        before = [revision for where, revision in order.heard if where == warehouse]
        revision = picked(("r0000", *before, *told.revisions), which)
        match says:
            case "remember":
                note = StashReturn(uid, warehouse, revision, f"{warehouse}/{number}", b'{"number":%d}' % number)
                self.run(self.ledger.warehouses.update_stash([note]))
                self.model.stash_return(note)
            case "follow":
                self.run(self.ledger.warehouses.update_stash([DropReturn(uid, warehouse, revision)]))
                self.model.drop_return(DropReturn(uid, warehouse, revision))
            case _:
                self.record_return(RecordReturn(uid, warehouse, revision, change_only=says == "refuse"))
        self.check()

    def record_return(self, given_back: RecordReturn) -> None:
        for _ in range(2):  # it comes again when the answer to the first was lost on its way
            [heard] = self.run(self.ledger.warehouses.record_return([given_back]))
            assert heard == self.model.record_return(given_back)
            self.check()

    def ship(self, step: Ship, found: Reservation) -> None:
        """Units that nobody reserved may be on their way, too: then more was promised than was there."""
        has = found.quantities if found.state in LIVE else {}
        left = step.quantities or found.quantities
        self.apply(step, reveals=any(units > has.get(sku, 0) for sku, units in left.items()))

    def places(self) -> list[Place]:
        """Where orders may have something; those last, and so picked first, where the WMS was told of it."""
        every = [(warehouse, uid) for warehouse in WAREHOUSES for uid in ORDERS]
        rank: dict[str, int] = {HELD: 1, COMMITTED: 2, ALLOCATED: 3}
        return sorted(every, key=lambda place: rank.get(self.model.reservation(*place).state, 0))

    # --- the outbox

    def a_relay_comes(self, warehouse: str, turn: int, limit: int, dies: bool, lapses: bool) -> None:
        """Only who has the lease may trim; who dies after reading has trimmed nothing."""
        relay, other = self.relays[turn], self.relays[1 - turn]
        if lapses:
            self.run(self.redis.delete(relay_key(warehouse)))
        if not self.run(relay.outbox.lease([warehouse], 60_000)):
            assert self.run(relay.outbox.trim({warehouse: f"{FOREVER}-0"})) == [TrimOutcome.TAKEN]
            return
        assert self.run(other.outbox.lease([warehouse], 60_000)) == []
        events, end = self.run(relay.outbox.read(warehouse, limit))
        if events and not dies:
            assert self.run(relay.outbox.trim({warehouse: end})) == [TrimOutcome.TRIMMED]
            self.relayed[warehouse] += events
        self.check()


PROFILES = {"default": (25, 8), "slow": (5000, 16)}
PROFILE = os.environ.get("ORDERFLEET_TEST_PROFILE", "default")
SEEDS = {"default": 12, "slow": 500}[PROFILE]
STORY = 150


@pytest.fixture
def connection(cluster_node: RedisServer) -> Iterator[Connection]:
    connection = Connection(cluster_node.url)
    yield connection
    connection.close()


def test_the_ledger_does_what_its_model_does(connection: Connection) -> None:
    examples, steps = PROFILES[PROFILE]
    health = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    profile = settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=health)
    machine: Any = partial(LedgerMachine, connection)
    run_state_machine_as_test(machine, settings=profile)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_ledger_does_what_its_model_does_in_a_long_story(connection: Connection, seed: int) -> None:
    story, machine = Story(seed), LedgerMachine(connection)
    machine.stock_arrives(on_hand=5)
    for _ in range(STORY):
        machine.something_happens([story.next()])
    machine.teardown()

"""Whatever changes, is pushed, is read, is killed or overtaken, in whatever order: what is true is in force at last."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from ops.testbed.local_stack.redis_server import RedisServer
from tests.workers.inventory.looking import Connection
from workers.intake.lease import LeaseLost
from workers.intake.register import GONE, Due, OpenOrders, PlatformState, RereadPolicy
from workers.intake.store import ShopKey

SHOP = ShopKey("woocommerce", "mall")
ORDER = "1"
POLICY = RereadPolicy()
CONTENTS = st.sampled_from(["a", "b", "c"])


class Published(NamedTuple):
    """A record: from when on it holds, as normalization makes it of stamp and edition, and what it says."""

    time: int
    says: str


class Reading(NamedTuple):
    """Begun, and not at its end."""

    fence: int
    due: Due
    shown: PlatformState


class SilentShop(RuleBasedStateMachine):
    """A shop that changes an order with and without moving its stamp, everybody who tells of it, and the register."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.run = connection.run
        self.redis = connection.redis
        self.run(self.redis.flushall())
        self.register = OpenOrders(self.redis, POLICY)
        self.seconds = 1_790_000_000
        self.shown = self.state("a")
        self.pushes = [self.shown]
        self.kafka: list[Published] = []
        self.read: list[Published] = []  # of these, what readings brought
        self.unnoted: list[PlatformState] = []
        self.reading: Reading | None = None
        self.fence = 0
        self.take_over()

    def state(self, content: str, stamp: int | None = None) -> PlatformState:
        return PlatformState(ORDER, self.seconds * 1000 if stamp is None else stamp, content, ended=False)

    # -- the shop --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.shown.digest != GONE)
    @rule(content=CONTENTS, moves=st.booleans())
    def change(self, content: str, moves: bool) -> None:
        self.seconds += 1
        self.shown = self.state(content, None if moves else self.shown.stamp)
        self.pushes.append(self.shown)

    @precondition(lambda self: self.shown.digest != GONE)
    @rule()
    def delete(self) -> None:
        self.seconds += 1
        self.shown = self.shown._replace(digest=GONE)

    @precondition(lambda self: self.shown.digest == GONE)
    @rule(content=CONTENTS)
    def restore(self, content: str) -> None:
        self.seconds += 1
        self.shown = self.state(content)
        self.pushes.append(self.shown)

    # -- pushes, late, twice and out of order ----------------------------------------------------------------------

    @rule(data=st.data())
    def a_push_arrives(self, data: st.DataObject) -> None:
        state = data.draw(st.sampled_from(self.pushes))
        self.kafka.append(Published(state.stamp, state.digest))
        self.unnoted.append(state)

    @rule()
    def the_register_hears_of_pushes(self) -> None:
        for state in self.unnoted:
            self.run(self.register.note(SHOP, self.seconds, [state]))
        self.unnoted.clear()

    @precondition(lambda self: self.shown.digest == GONE)
    @rule(killed=st.booleans())
    def a_deletion_is_pushed(self, killed: bool) -> None:
        self.the_register_hears_of_pushes()
        known = self.run(self.register.delete(SHOP, self.seconds, ORDER))
        after = known.stamp + known.edition if known.stamp else self.seconds * 1000
        self.kafka.append(Published(after, GONE))
        if not killed:
            state = PlatformState(ORDER, known.stamp, GONE, ended=True)
            self.run(self.register.confirm(SHOP, self.seconds, [(state, known.edition)]))

    # -- readings --------------------------------------------------------------------------------------------------

    @rule()
    def take_over(self) -> None:
        self.fence += 1
        self.run(self.redis.set(SHOP.redis_key("fence"), self.fence))

    @rule()
    def begin_reading(self) -> None:
        due = self.run(self.register.due(SHOP, self.seconds + POLICY.every_seconds + 1, 10))
        self.reading = Reading(self.fence, due, self.shown)

    @precondition(lambda self: self.reading is not None)
    @rule(killed=st.sampled_from(["", "before Kafka has it", "before the register knows"]))
    def end_reading(self, killed: str) -> None:
        assert self.reading is not None
        fence, due, state = self.reading
        self.reading = None
        if state.digest == GONE:
            if not due.orders:
                return
            state = PlatformState(ORDER, due.orders[0].stamp, GONE, ended=True)
        if fence != self.fence:
            with pytest.raises(LeaseLost):
                self.run(self.register.assign(SHOP, fence, self.seconds, due.marks, [state]))
            return
        [as_of] = self.run(self.register.assign(SHOP, fence, self.seconds, due.marks, [state]))
        if as_of.older or as_of.overtaken or killed == "before Kafka has it":
            return
        if not as_of.confirmed:
            self.publish(state, as_of.edition)
        if not killed:
            self.run(self.register.confirm(SHOP, self.seconds, [(state, as_of.edition)]))

    def publish(self, state: PlatformState, edition: int) -> None:
        time = state.stamp + edition
        if state.digest == GONE:
            time = state.stamp + max(1, edition)
        for before in self.read:
            assert (before.time, before.says) == (time, state.digest) or before.time < time, "an edition went backwards"
        record = Published(time, state.digest)
        self.read.append(record)
        self.kafka.append(record)

    # -- at last ---------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Everybody has time to finish: one reading finds what is true, and there is nothing more to find."""
        self.the_register_hears_of_pushes()
        self.take_over()
        for _ in range(2):
            self.begin_reading()
            self.end_reading("")
        if self.kafka:
            newest = max(record.time for record in self.kafka)
            assert {record.says for record in self.kafka if record.time == newest} == {self.shown.digest}
        before = len(self.kafka)
        self.begin_reading()
        self.end_reading("")
        assert len(self.kafka) == before, "what has not changed was published again"


def test_what_is_true_is_in_force_at_last(redis_server: RedisServer) -> None:
    connection = Connection(redis_server.url)

    class Machine(SilentShop):
        def __init__(self) -> None:
            super().__init__(connection)

    try:
        run_state_machine_as_test(Machine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))
    finally:
        connection.close()

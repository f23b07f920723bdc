"""Several states of one order under one time stamp: what stops or reduces wins, else what was received later.

In whatever order they come, however often, and whoever dies meanwhile. `Told` says the rule in its own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.testbed.local_stack.redis_server import RedisServer
from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.order import Order, OrderStatus, PaymentStatus, RefundStatus, Source
from schemas.plan import Disposition, PlannedOrder
from schemas.revision import Newest, is_same_state, retry_of, revision_of
from tests.builders import NOON, a_line, a_plan, a_planned_order, an_order
from tests.fakes import DyingLedger
from tests.workers.inventory.looking import Connection
from workers.inventory.keys import order_key
from workers.inventory.ledger import Ledger
from workers.inventory.operations.claim import Claim, ClaimOutcome
from workers.inventory.operations.settle import Settlement
from workers.inventory.records import Count, OrderState
from workers.reserve.agent import ReserveAgent
from workers.runtime.errors import TransientError
from workers.runtime.stage import Delivery

HZ, NUT = "hangzhou", "NUT-BOX-500"
UNPAID, TO_SHIP, ON_HOLD, CANCELLED = (
    OrderStatus.AWAITING_PAYMENT,
    OrderStatus.TO_SHIP,
    OrderStatus.ON_HOLD,
    OrderStatus.CANCELLED,
)
LATER = (UNPAID, TO_SHIP, ON_HOLD, CANCELLED)  # paying comes after placing; a stop beats a go
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Told:
    """What a platform told of the order, and when we heard it."""

    stamp: int  # seconds
    status: OrderStatus
    quantity: int
    refund: bool
    remark: str
    heard: int  # milliseconds

    @property
    def content(self) -> tuple[Any, ...]:
        return self.stamp, self.status, self.quantity, self.refund, self.remark

    def beats(self, other: Told) -> bool:
        """The rule of decision 18. What was heard once more counts as of the last time."""
        if self.stamp != other.stamp:
            return self.stamp > other.stamp
        if self.status is not other.status:
            return LATER.index(self.status) > LATER.index(other.status)
        if self.refund is not other.refund and self.status is not ON_HOLD:
            return self.refund
        if self._to_ship != other._to_ship:
            return self._to_ship < other._to_ship
        return self.heard > other.heard

    @property
    def _to_ship(self) -> int:
        return 1 + (0 if self.refund else self.quantity)

    @property
    def planned(self) -> PlannedOrder:
        refund = RefundStatus.REQUESTED if self.refund else RefundStatus.NONE
        held = ("risk-review",) if self.status is ON_HOLD else ()
        order = an_order(
            lines=(a_line(quantity=self.quantity, refund=refund, paid=100), a_line("TEA-LONGJING-250", line_id="2")),
            placed_at=NOON,
            modified_at=NOON + timedelta(seconds=self.stamp),
            status=self.status,
            payment=PaymentStatus.UNPAID if self.status is UNPAID else PaymentStatus.PAID,
            holds=held,
            buyer_remark=self.remark,
            source=Source(template="test", received_at=NOON + timedelta(minutes=1, milliseconds=self.heard)),
        )
        disposition = {CANCELLED: Disposition.RELEASE, ON_HOLD: Disposition.REVIEW}.get(self.status)
        if refund is not RefundStatus.NONE and disposition is None:
            disposition = Disposition.REVIEW
        return a_planned_order(order, a_plan(HZ, disposition=disposition or Disposition.RESERVE))


def in_force(told: Sequence[Told]) -> Told:
    """Of all that was told, what counts."""
    latest = {one.content: max(each.heard for each in told if each.content == one.content) for one in told}
    return reduce(
        lambda best, one: one if one.beats(best) else best, [replace(t, heard=latest[t.content]) for t in told]
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Told]:
    """A few states, some of them told several times. We hear one thing at a time."""
    remarks = st.sampled_from(("", "ring twice", "leave it at the gate"))
    anything = st.builds(
        Told, st.integers(0, 1), st.sampled_from(LATER), st.integers(1, 3), st.booleans(), remarks, st.just(0)
    )
    alike = st.builds(Told, st.just(1), st.just(TO_SHIP), st.just(2), st.just(value=False), remarks, st.just(0))
    states = draw(st.lists(draw(st.sampled_from((anything, alike))), min_size=1, max_size=4, unique=True))
    told = draw(st.lists(st.sampled_from(states), min_size=1, max_size=7))
    return [replace(one, heard=number) for number, one in enumerate(told)]


@pytest.fixture(scope="module")
def connection(redis_server: RedisServer) -> Iterator[Connection]:
    connection = Connection(redis_server.url)
    yield connection
    connection.close()


class Fleet:
    """The reserve stage, and a warehouse that reads what it is told."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.ledger = Ledger(connection.redis)
        connection.run(connection.redis.flushall())
        counts = {sku: Count(on_hand=50) for sku in (NUT, "TEA-LONGJING-250")}
        connection.run(self.ledger.stock.set_counts(HZ, counts))
        self.newest: FulfillmentInstruction | None = None

    def take(self, told: Sequence[Told], dies_at: int = 0) -> None:
        """A batch; with `dies_at` the worker dies at that call of the ledger, and another begins the batch anew."""
        deliveries = [Delivery(one.planned, key=b"o") for one in told]
        if dies_at:
            dying = DyingLedger(self._connection.redis, dies_at, after=bool(dies_at % 2))
            with suppress(TransientError):
                self._connection.run(ReserveAgent(dying, 3600).handle(deliveries))
        for outcome in self._connection.run(ReserveAgent(self.ledger, 3600).handle(deliveries)):
            assert isinstance(outcome, Sequence)
            for event in outcome:
                if isinstance(event, FulfillmentInstruction) and (
                    self.newest is None or event.revision > self.newest.revision
                ):
                    self.newest = event

    def revision(self) -> str:
        where = self._connection.run(self.ledger.orders.where_is(an_order().uid))
        assert where.settled
        return where.revision

    def to_ship(self) -> int:
        """Units of the first line that the warehouse goes on to ship."""
        if self.newest is None or self.newest.kind is InstructionKind.CANCEL:
            return 0
        return sum(line.quantity for line in self.newest.purchased if line.sku == NUT)


@QUICK
@given(stories(), st.randoms(use_true_random=False), st.lists(st.integers(0, 12), min_size=3, max_size=3))
def test_in_whatever_order_it_is_told_the_same_state_is_in_force(
    connection: Connection, story: list[Told], random: Any, deaths: list[int]
) -> None:
    expected = in_force(story)
    for dies_at in deaths:
        fleet, order = Fleet(connection), list(story)
        random.shuffle(order)
        cut = random.randrange(len(order)) + 1
        fleet.take(order[:cut], dies_at)
        fleet.take(order[random.randrange(cut) :], dies_at)  # a part of the first batch comes once more

        assert is_same_state(fleet.revision(), expected.planned.order.revision)
        goes = expected.status is TO_SHIP and not expected.refund
        assert fleet.to_ship() == (expected.quantity if goes else 0)


@QUICK
@given(stories(), st.randoms(use_true_random=False))
def test_nothing_older_ever_undoes_what_is_in_force(connection: Connection, story: list[Told], random: Any) -> None:
    fleet, order, heard = Fleet(connection), list(story), list[Told]()
    random.shuffle(order)
    for one in [*order, *order]:
        heard.append(one)
        fleet.take([one])
        assert is_same_state(fleet.revision(), in_force(heard).planned.order.revision)


STATES = st.builds(
    "{:015d}.{:d}000999999{:d}.{:014d}.{:012x}".format,
    st.sampled_from((1, 1, 1, 2)),
    st.sampled_from((3, 3, 3, 4)),
    st.sampled_from((8, 8, 9)),
    st.integers(0, 5),
    st.integers(10, 11),
)
FORMER = st.builds("{:015d}.{:d}000.{:012x}".format, st.integers(1, 2), st.integers(3, 4), st.integers(10, 12))


@QUICK
@given(st.lists(st.tuples(STATES | FORMER, st.sampled_from((0, 0, 0, 1, 2))), min_size=3, max_size=12))
def test_the_script_and_python_agree_which_revision_is_in_force(
    connection: Connection, told: list[tuple[str, int]]
) -> None:
    ledger, newest = Ledger(connection.redis), Newest()
    connection.run(connection.redis.flushall())
    for revision, tries in told:
        for _ in range(tries):
            revision = retry_of(revision)
        [claim] = connection.run(ledger.orders.claim([("o1", revision, [HZ])]))
        before, newest = newest, newest.after(revision)
        assert isinstance(claim, Claim)
        assert (claim.outcome is ClaimOutcome.CLAIMED) == (newest.revision != before.revision)
        if claim.outcome is ClaimOutcome.CLAIMED:
            connection.run(
                ledger.orders.settle([Settlement("o1", revision, claim.fence, OrderState.HELD, {}, {}, b"")])
            )
        found: Any = connection.run(connection.redis.hmget(order_key("o1"), "revision", "seen"))
        assert [value.decode() if value else "" for value in found] == list(newest)


def at(revision_time: datetime, received: int, **fields: Any) -> Order:
    """As it was received so many seconds after noon."""
    source = Source(template="test", received_at=NOON + timedelta(seconds=received))
    return an_order(modified_at=revision_time, source=source, **fields)


def test_a_revision_of_the_former_form_is_older_than_the_same_state_and_as_stubborn_as_it_was() -> None:
    """Those that lie in Kafka and Redis when this version comes: progress and stopped lines decide first, as before."""
    now = revision_of(at(NOON, 5))
    stamp, rank, _, digest = now.split(".")
    former = f"{stamp}.{rank[:4]}.{digest}"
    assert former < now
    assert is_same_state(former, now)
    assert f"{stamp}.7000.{digest}" > now
    assert f"{stamp}.0000.{digest}" < now

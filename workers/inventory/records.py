"""What the ledger keeps, and what it tells of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple

from schemas.record import record
from workers.runtime.errors import PermanentError

Quantities = dict[str, int]
"""Units by SKU."""


Holdings = dict[str, Quantities]
"""Units by warehouse and SKU."""


class ReservationState(StrEnum):
    """What an order's stock in one warehouse is."""

    HELD = "held"  # ordered, not paid
    COMMITTED = "committed"  # paid, not handed to the WMS
    ALLOCATED = "allocated"  # with the WMS, not shipped
    RELEASED = "released"  # given back: a tombstone
    EXPIRED = "expired"  # given back because the payment never came: a tombstone
    SHIPPED = "shipped"  # all of it has left: a tombstone


LIVE = frozenset({ReservationState.HELD, ReservationState.COMMITTED, ReservationState.ALLOCATED})


class OrderState(StrEnum):
    """Where an order stands, as its pointer tells."""

    HELD = "held"
    COMMITTED = "committed"
    BACKORDERED = "backordered"
    AWAITING_TRANSFER = "awaiting-transfer"
    RELEASED = "released"
    STOPPING = "stopping"  # given up; units wait for a WMS to answer that it does not ship them
    EXPIRED = "expired"
    SHIPPED = "shipped"
    PARTLY_SHIPPED = "partly-shipped"  # nobody is told to ship the rest: a person must decide
    NOTHING = "nothing"  # it needs no stock, or was never given any


ENDED = frozenset(
    {
        OrderState.RELEASED,
        OrderState.STOPPING,
        OrderState.EXPIRED,
        OrderState.SHIPPED,
        OrderState.PARTLY_SHIPPED,
        OrderState.NOTHING,
    }
)
"""Orders in these states are forgotten after a while."""


class Answer(NamedTuple):
    """What came of a step."""

    outcome: StrEnum  # of the step's operation
    quantities: Quantities = {}  # noqa: RUF012  # what this order could have, with FENCED has; NOTED: what must be counted
    state: str = ""  # with ALREADY, FENCED and NOTHING_HELD of an allocation: the reservation's
    stop: str = ""  # with RESERVED: what was to happen on the WMS's answer, where it was told to stop before


class CorruptLedger(PermanentError):
    """A key of the ledger is not what the scripts left there: somebody else wrote to it."""


@record
class ActiveInstruction:
    """What a WMS was last told of an order."""

    digest: str  # the same digest: it need not be told again
    line_ids: tuple[str, ...] | None = None  # None = all lines
    parcel: int = 1
    parcels: int = 1
    revisions: tuple[str, ...] = ()  # of its instructions since it was told to ship, newest last, less refused changes
    units: Quantities = field(default_factory=dict)  # that the newest of them asks for; empty = not known


class SupersededReturn(NamedTuple):
    """What a warehouse gave back when a change had replaced it: it counts only if that change is refused."""

    revision: str  # of the instruction that it gave back
    event: bytes  # what it said, as it stood in `wms.events`


class InstructionStatus(NamedTuple):
    """What an order's pointer says about one instruction to one warehouse."""

    revision: str  # the order's newest, at work or settled
    skus: Collection[str] = ()  # what the order has there, as far as the pointer knows
    told: str = ""  # revision of the instruction that stands there, "" when none does
    heard: bool = False  # the instruction was given back before
    units: Mapping[str, int] = {}  # that the instruction which stands there asks for
    fence: int = 0  # of the newest claim: the time it was made, microseconds since 1970
    at_work: bool = False  # that claim is open: what the warehouse is told may be another thing in a moment
    told_last: str = ""  # when none stands: revision of the last one by which the warehouse was told to ship ...
    cancelled: str = ""  # ... and of the cancellation of it
    replaced: Collection[str] = ()  # revisions of what stands again when all changes since are refused
    overtaken: tuple[SupersededReturn, ...] = ()  # what the warehouse gave back of these
    sent: Collection[tuple[str, str]] | None = None  # revision and kind of all it was ever sent; None: not known
    most: Mapping[str, int] | None = None  # the most units of each SKU that any of them asked for; None: not known
    may_ship: Mapping[str, Mapping[str, int]] = {}  # what it may still follow: units by revision; empty: not known
    asked: Mapping[str, int] | None = None  # units that the instruction which is answered asked for; None: not known
    followed: str = ""  # revision of the newest instruction that is known to be followed, of those that replaced others
    wants: Mapping[str, int] = {}  # that the newest of its instructions to ship asked for, refused or not

    def counts(self, revision: str, *, cancellation: bool) -> bool:
        """Whether an answer to an instruction says what the warehouse does now: nothing newer was told since."""
        if self.told:
            return self.told == revision
        return bool(revision) and revision == (self.cancelled if cancellation else self.told_last)

    def concerns(self, revision: str) -> bool:
        """Whether the warehouse answers what it was last told, and was not told to stop."""
        return self.told == revision or (not self.told and self.heard)


class Swept(NamedTuple):
    """What one batch of a sweep did."""

    looked_at: int
    expired: int
    corrupt: tuple[CorruptLedger, ...] = ()


@record
class Count:
    """What is physically there of one SKU, and how much of it is kept back. None leaves a figure as it is."""

    on_hand: int | None = None
    safety: int | None = None


@record
class StockLevel:
    """The counters of one SKU in one warehouse, in units."""

    warehouse_id: str
    sku: str
    on_hand: int = 0
    held: int = 0
    committed: int = 0
    allocated: int = 0
    transfer: int = 0
    safety: int = 0

    @property
    def available_to_promise(self) -> int:
        """What may still be sold. Below zero after a count that found less than is promised."""
        return self.on_hand - self.held - self.committed - self.allocated - self.transfer - self.safety

    @property
    def oversold(self) -> int:
        """Units that are promised and not there. Safety stock that is gone is none of it: nobody was promised that."""
        return max(0, -self.available_to_promise - self.safety)


@record
class Reservation:
    """What one order has, or had, in one warehouse."""

    warehouse_id: str
    order_uid: str
    revision: str
    state: str
    quantities: Quantities
    deadline_ms: int = 0
    fence: int = 0
    shipped: Quantities = field(default_factory=dict)
    stop: str = ""  # the WMS was told to stop, and on its answer: release | keep | hold


@record
class OrderSnapshot:
    """All the ledger knows of one order: its pointer, and the reservations that the pointer leads to."""

    order_uid: str
    revision: str = ""
    state: OrderState | None = None
    settled: bool = False  # False with a revision: somebody is working on it, or died doing so
    intent: tuple[str, ...] = ()
    holdings: Holdings
    routed: tuple[str, ...] = ()
    source: str = ""
    reservations: tuple[Reservation, ...] = ()

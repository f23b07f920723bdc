"""What the ledger is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple

from schemas.record import record
from schemas.text import Text
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
    NOTHING = "nothing"  # it needs no stock, or was never given any


ENDED = frozenset(
    {OrderState.RELEASED, OrderState.STOPPING, OrderState.EXPIRED, OrderState.SHIPPED, OrderState.NOTHING}
)
"""Orders in these states are forgotten after a while."""


class ReserveOutcome(StrEnum):
    """What `reserve.lua` answers."""

    RESERVED = "RESERVED"
    ALREADY = "ALREADY"
    STALE = "STALE"
    INSUFFICIENT = "INSUFFICIENT"
    NOTHING_HELD = "NOTHING_HELD"
    SHIPPED = "SHIPPED"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class ReleaseOutcome(StrEnum):
    """What `release.lua` answers."""

    RELEASED = "RELEASED"
    NOTHING_HELD = "NOTHING_HELD"
    KEPT = "KEPT"
    WAITING = "WAITING"
    STALE = "STALE"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class AllocateOutcome(StrEnum):
    """What `allocate.lua` answers."""

    ALLOCATED = "ALLOCATED"
    ALREADY = "ALREADY"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class ShipOutcome(StrEnum):
    """What `ship.lua` answers."""

    SHIPPED = "SHIPPED"
    PARTLY = "PARTLY"
    REPEAT = "REPEAT"
    AFTER_RELEASE = "AFTER_RELEASE"
    NOTHING_KNOWN = "NOTHING_KNOWN"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class ShortOutcome(StrEnum):
    """What `short.lua` answers."""

    NOTED = "NOTED"
    REPEAT = "REPEAT"
    STALE = "STALE"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class WithdrawOutcome(StrEnum):
    """What `withdraw.lua` answers."""

    RELEASED = "RELEASED"
    KEPT = "KEPT"
    GIVEN_UP = "GIVEN_UP"
    STALE = "STALE"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class TransferOutcome(StrEnum):
    """What `transfer.lua` answers."""

    DONE = "DONE"
    ALREADY = "ALREADY"
    INSUFFICIENT = "INSUFFICIENT"
    REFUSED = "REFUSED"


class FenceOutcome(StrEnum):
    """What `fence.lua` answers."""

    FENCED = "FENCED"
    STALE = "STALE"


class ClaimOutcome(StrEnum):
    """What `claim.lua` answers."""

    CLAIMED = "CLAIMED"
    REPEAT = "REPEAT"
    STALE = "STALE"


class SettleOutcome(StrEnum):
    """What `settle.lua` answers."""

    SETTLED = "SETTLED"
    LOST = "LOST"


class HearOutcome(StrEnum):
    """What `hear.lua` answers."""

    HEARD = "HEARD"
    STALE = "STALE"


class RememberOutcome(StrEnum):
    """What `remember.lua` answers."""

    REMEMBERED = "REMEMBERED"
    REPEAT = "REPEAT"
    FULL = "FULL"
    UNKNOWN = "UNKNOWN"


class ForgetOutcome(StrEnum):
    """What `forget.lua` answers."""

    FORGOTTEN = "FORGOTTEN"
    NOTHING = "NOTHING"


class ExpireOutcome(StrEnum):
    """What `expire.lua` answers."""

    EXPIRED = "EXPIRED"
    CHANGED = "CHANGED"
    GONE = "GONE"
    NOT_DUE = "NOT_DUE"


class LapseOutcome(StrEnum):
    """What `lapse.lua` answers."""

    LAPSED = "LAPSED"
    MOVED_ON = "MOVED_ON"


class CountOutcome(StrEnum):
    """What `count.lua` answers."""

    COUNTED = "COUNTED"
    UNCHANGED = "UNCHANGED"


class LeaseOutcome(StrEnum):
    """What `lease.lua` answers."""

    MINE = "MINE"
    TAKEN = "TAKEN"


class TrimOutcome(StrEnum):
    """What `trim.lua` answers."""

    TRIMMED = "TRIMMED"
    TAKEN = "TAKEN"


class Taking(StrEnum):
    """What a reserve step may do to the units that an order has."""

    TAKE = "take"  # make them what is wanted
    KEEP = "keep"  # take nothing new: only carry over what is there
    STOP = "stop"  # keep, and the WMS was told to stop: on its answer the units are committed and wait
    GROW = "grow"  # give nothing back: the WMS may ship it all the same, until it says that it follows the change
    SHRINK = "shrink"  # take nothing: the WMS follows the change, and what it leaves out is free


class Giving(StrEnum):
    """Which units a release step gives back."""

    ANY = "any"
    HELD = "held"  # none that are committed
    ASK = "ask"  # holds at once, what a WMS was told of when it has answered


class Lost(StrEnum):
    """What the units that a WMS could not use mean for on-hand."""

    SHELF = "shelf"  # not there: nothing of the SKU is promised until it is counted again
    UNITS = "units"  # damaged: these units are lost
    NONE = "none"  # there, but not for this order


class TransferAction(StrEnum):
    """The steps of a transfer, the first three in the warehouse that gives."""

    RESERVE = "reserve"
    SEND = "send"
    CANCEL = "cancel"
    RECEIVE = "receive"


class Reserve(NamedTuple):
    """Give an order its units in one warehouse, or replace those it has there."""

    warehouse_id: str
    order_uid: str
    revision: str
    fence: int
    state: ReservationState  # held or committed
    quantities: Mapping[str, int]
    deadline_ms: int = 0  # of a hold; 0 = it never ends by itself
    has: Collection[str] = ()  # SKUs the order is known to have there
    taking: Taking = Taking.TAKE


class Release(NamedTuple):
    """Give back what an order has in one warehouse."""

    warehouse_id: str
    order_uid: str
    revision: str
    fence: int
    has: Collection[str]  # SKUs the order is known to have there
    giving: Giving = Giving.ANY


class Fence(NamedTuple):
    """Shut an earlier, unfinished claim out of one warehouse."""

    warehouse_id: str
    order_uid: str
    fence: int


class Allocate(NamedTuple):
    """The WMS took an order over."""

    warehouse_id: str
    order_uid: str
    has: Collection[str] = ()


class Ship(NamedTuple):
    """Units of an order left the warehouse."""

    warehouse_id: str
    order_uid: str
    message_id: str
    at_ms: int
    quantities: Mapping[str, int] = {}  # empty = all that it has
    has: Collection[str] = ()


class Short(NamedTuple):
    """A WMS could not find or use units of an order."""

    warehouse_id: str
    order_uid: str
    message_id: str
    at_ms: int
    revision: str  # of the instruction; the order's, when the warehouse was told nothing newer
    lost: Lost
    quantities: Mapping[str, int] = {}  # empty = all that it has
    has: Collection[str] = ()


class Withdraw(NamedTuple):
    """A WMS says that it does not ship an order."""

    warehouse_id: str
    order_uid: str
    revision: str  # of the instruction; the order's, when the warehouse was told nothing newer
    has: Collection[str] = ()


class Transfer(NamedTuple):
    """One step of moving units to another warehouse, in one of the two."""

    warehouse_id: str
    transfer_id: str
    action: TransferAction
    at_ms: int
    quantities: Mapping[str, int]


Step = Reserve | Release | Fence | Allocate | Ship | Short | Withdraw
StepOutcome = (
    ReserveOutcome | ReleaseOutcome | FenceOutcome | AllocateOutcome | ShipOutcome | ShortOutcome | WithdrawOutcome
)


class Answer(NamedTuple):
    """What came of a step."""

    outcome: StepOutcome
    quantities: Quantities = {}  # noqa: RUF012  # with INSUFFICIENT: what this order could have; with FENCED: what it has
    state: str = ""  # with ALREADY, FENCED and NOTHING_HELD of an allocation: the reservation's


class CorruptLedger(PermanentError):
    """A key of the ledger is not what the scripts left there: somebody else wrote to it."""


@record
class Routed:
    """What a WMS was last told of an order."""

    digest: str  # the same digest: it need not be told again
    line_ids: tuple[str, ...] | None = None  # None = all lines
    parcel: int = 1
    parcels: int = 1
    revisions: tuple[str, ...] = ()  # of its instructions since it was told to ship, newest last, less refused changes
    units: Quantities = field(default_factory=dict)  # that the newest of them asks for; empty = not known


class Overtaken(NamedTuple):
    """What a warehouse gave back when a change had replaced it: it counts only if that change is refused."""

    revision: str  # of the instruction that it gave back
    event: bytes  # what it said, as it stood in `wms.events`


class Standing(NamedTuple):
    """What an order's pointer says about one instruction to one warehouse."""

    revision: str  # the order's newest, at work or settled
    skus: Collection[str] = ()  # what the order has there, as far as the pointer knows
    told: str = ""  # revision of the instruction that stands there, "" when none does
    heard: bool = False  # the instruction was given back before
    units: Mapping[str, int] = {}  # that the instruction which stands there asks for
    fence: int = 0  # of the newest claim
    told_last: str = ""  # when none stands: revision of the last one by which the warehouse was told to ship ...
    cancelled: str = ""  # ... and of the cancellation of it
    replaced: Collection[str] = ()  # revisions of what stands again when all changes since are refused
    overtaken: tuple[Overtaken, ...] = ()  # what the warehouse gave back of these

    def counts(self, revision: str, *, cancellation: bool) -> bool:
        """Whether an answer to an instruction says what the warehouse does now: nothing newer was told since."""
        if self.told:
            return self.told == revision
        return bool(revision) and revision == (self.cancelled if cancellation else self.told_last)

    def concerns(self, revision: str) -> bool:
        """Whether the warehouse answers what it was last told, and was not told to stop."""
        return self.told == revision or (not self.told and self.heard)


class Hear(NamedTuple):
    """A WMS gave an instruction back: the order, or only a change of it."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the instruction
    change_only: bool = False


class Remember(NamedTuple):
    """A WMS gave back what a change has replaced."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the instruction
    message_id: str
    event: bytes  # what it said


class Forget(NamedTuple):
    """A WMS follows a change: what it gave back of earlier instructions is void."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the change


class Heard(NamedTuple):
    """What follows from it."""

    outcome: HearOutcome
    open: bool = False  # the order has not moved on since: it must be placed anew, or be looked at
    source: tuple[int, int] | None = None  # where in `orders.planned` its newest revision stands
    warehouses: tuple[str, ...] = ()  # where it has or had units


class Claim(NamedTuple):
    """The right to work on one revision of an order, and what was there before."""

    outcome: ClaimOutcome
    fence: int = 0  # this claim's number: the next 999 are for its steps
    state: OrderState | None = None  # of the last settled revision; None: there is none
    holdings: Holdings = {}  # noqa: RUF012
    routed: Mapping[str, Routed] = {}  # by warehouse
    interrupted: bool = False  # an earlier claim never settled ...
    intent: tuple[str, ...] = ()  # ... and may have touched these warehouses
    result: bytes = b""  # with REPEAT; empty when that revision said nothing


class Settlement(NamedTuple):
    """How one revision of an order ended."""

    order_uid: str
    revision: str
    fence: int
    state: OrderState
    holdings: Holdings
    routed: Mapping[str, Routed]
    result: bytes  # empty = it said nothing
    source: str = ""  # where its planned order stands, <partition>:<offset>


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
    stop: str = ""  # the WMS was told to stop, and on its answer: release | keep


@record
class Whereabouts:
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


class FindingKind(StrEnum):
    """What an audit can find."""

    COUNTER_DRIFT = "counter-drift"
    NEGATIVE_AVAILABLE = "negative-available"
    UNKNOWN_STATE = "unknown-state"
    HOLD_WITHOUT_DEADLINE = "hold-without-deadline"
    DEADLINE_WITHOUT_HOLD = "deadline-without-hold"
    CORRUPT = "corrupt"
    HELD_TWICE = "held-twice"
    REPLAY_DRIFT = "replay-drift"
    RECORD_DRIFT = "record-drift"
    LOST_EVENT = "lost-event"
    EVENT_CONFLICT = "event-conflict"
    REDIS_BEHIND = "redis-behind"
    UNREADABLE_EVENT = "unreadable-event"


@record
class Finding:
    """One thing that is not as it must be."""

    kind: FindingKind
    warehouse_id: str
    message: Text
    sku: str = ""
    order_uid: str = ""

    @property
    def is_error(self) -> bool:
        """False for what calls for a person but breaks no rule: more promised than a count found."""
        return self.kind is not FindingKind.NEGATIVE_AVAILABLE


@record
class AuditReport:
    """What an audit looked at and what it found."""

    warehouses: int
    skus: int
    reservations: int
    findings: tuple[Finding, ...] = ()
    events: int | None = None  # that were replayed; None: they were left out
    lag: int = 0  # newest events that were not in Kafka yet

    @property
    def is_clean(self) -> bool:
        """No rule of the ledger is broken."""
        return not any(finding.is_error for finding in self.findings)

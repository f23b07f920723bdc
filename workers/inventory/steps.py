"""What the ledger is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import NamedTuple

from workers.inventory.records import ActiveInstruction, Holdings, OrderState, ReservationState


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
    quantities: Mapping[str, int] = {}  # empty = all that it has of what it was told
    has: Collection[str] = ()
    told: Mapping[str, int] | None = None  # no more than this may leave in all; None: as many as are named, or all


class Short(NamedTuple):
    """A WMS could not find or use units of an order."""

    warehouse_id: str
    order_uid: str
    message_id: str
    at_ms: int
    revision: str  # of the instruction; the order's, when the warehouse was told nothing newer
    lost: Lost
    quantities: Mapping[str, int] = {}  # empty = all that it has of what it was told
    has: Collection[str] = ()
    told: Mapping[str, int] | None = None  # what its instruction asked for: no more can be damaged; None: not known
    limit: int = -1  # with a shelf lost: if more units of a SKU would be promised no more, a person counts; -1 = none


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


class RecordReturn(NamedTuple):
    """A WMS gave an instruction back: the order, or only a change of it."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the instruction
    change_only: bool = False


class StashReturn(NamedTuple):
    """A WMS gave back what a change has replaced."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the instruction
    message_id: str
    event: bytes  # what it said


class DropReturn(NamedTuple):
    """A WMS follows a change: earlier instructions, and what it gave back of them, are void."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the change


class Settlement(NamedTuple):
    """How one revision of an order ended."""

    order_uid: str
    revision: str
    fence: int
    state: OrderState
    holdings: Holdings
    routed: Mapping[str, ActiveInstruction]
    result: bytes  # empty = it said nothing
    source: str = ""  # where its planned order stands, <partition>:<offset>

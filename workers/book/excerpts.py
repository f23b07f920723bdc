"""What the book reads of a record: only what it keeps, so that the rest of a message costs nothing. Pure.

A field here is the field of the record of the same name, its enumerations as their words. What does not fit is read as
the whole record first (`schemas.record.reader`), which is the judge of what is bad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.codes import Explanation
from schemas.fulfillment import FulfillmentInstruction, WmsEvent
from schemas.inventory import InventoryEvent
from schemas.plan import Backorder, DeferredOrder, PlannedOrder, ReviewOrder
from schemas.record import encode, reader


class _Excerpt(msgspec.Struct, gc=False):
    """Of a record."""


def _word(default: str) -> Any:
    """A word that is written down even where it is the usual one."""
    return msgspec.field(default_factory=lambda: default)


class LineExcerpt(_Excerpt, omit_defaults=True):
    """Of a line; the form in which the book keeps it, without what is empty."""

    quantity: int
    line_id: str = ""
    sku: str = ""
    title: str = ""
    kind: str = _word("purchase")
    status: str = _word("open")
    refund: str = _word("none")
    storage_class: str = _word("ambient")
    bound_to: tuple[str, ...] = ()


class ShipToExcerpt(_Excerpt):
    """Of a receiver."""

    province: str = ""
    city: str = ""


class TotalsExcerpt(_Excerpt):
    """Of an order's money."""

    paid: int


class OrderExcerpt(_Excerpt):
    """Of an order."""

    uid: str
    revision: str
    placed_at: datetime
    status: str
    payment: str
    lines: tuple[LineExcerpt, ...]
    ship_to: ShipToExcerpt
    totals: TotalsExcerpt
    currency: str = "CNY"
    paid_at: datetime | None = None
    ship_by: datetime | None = None


class FlagExcerpt(_Excerpt):
    """Of a flag; the form in which the book keeps it."""

    code: str
    explanation: Explanation | None = None
    blocks: bool = True
    line_ids: tuple[str, ...] = ()


class MatchExcerpt(_Excerpt):
    """Of a rule that matched; the form in which the book keeps it."""

    rule: str
    action: str
    effects: tuple[Explanation, ...] = ()


class CandidateExcerpt(_Excerpt):
    """Of a candidate."""

    warehouse_id: str


class PlanExcerpt(_Excerpt):
    """Of a plan."""

    disposition: str
    ruleset: str
    explanation: Explanation | None = None
    candidates: tuple[CandidateExcerpt, ...] = ()
    on_short: str = "next"
    matches: tuple[MatchExcerpt, ...] = ()
    hold_codes: tuple[str, ...] = ()
    suggested: tuple[CandidateExcerpt, ...] = ()
    gave_up: tuple[str, ...] = ()
    returns: int = 0


class PlannedExcerpt(_Excerpt):
    """Of a planned order."""

    order: OrderExcerpt
    plan: PlanExcerpt
    tags: tuple[str, ...] = ()
    flags: tuple[FlagExcerpt, ...] = ()


class ReviewExcerpt(_Excerpt):
    """Of an order in review."""

    planned: PlannedExcerpt
    missing: dict[str, int] = {}  # msgspec gives each its own


class DeferredExcerpt(_Excerpt):
    """Of a deferred order."""

    planned: PlannedExcerpt
    not_before: datetime | None


class BackorderExcerpt(_Excerpt):
    """Of an order that waits for stock."""

    planned: PlannedExcerpt
    missing: dict[str, int]
    after_expiry: bool = False


class PickExcerpt(_Excerpt):
    """Of a line of a pick list."""

    quantity: int


class InstructionExcerpt(_Excerpt):
    """Of an instruction."""

    instruction_id: str
    kind: str
    order_uid: str
    revision: str
    warehouse_id: str
    purchased: tuple[PickExcerpt, ...]
    gifts: tuple[PickExcerpt, ...]
    ship_by: datetime | None = None
    parcel: int = 1
    parcels: int = 1


class AnswerExcerpt(_Excerpt):
    """Of a warehouse's answer."""

    message_id: str
    kind: str
    order_uid: str
    warehouse_id: str
    instruction_id: str
    at: datetime
    reason: str = ""


class StockExcerpt(_Excerpt):
    """Of a change of stock. `changes` are told apart from none only."""

    sequence: int
    warehouse_id: str
    kind: str
    at: datetime
    changes: tuple[msgspec.Raw, ...]
    order_uid: str = ""
    revision: str = ""
    state: str = ""
    deadline: datetime | None = None


EXCERPTS: Final[Mapping[type, type]] = MappingProxyType(
    {
        PlannedOrder: PlannedExcerpt,
        ReviewOrder: ReviewExcerpt,
        DeferredOrder: DeferredExcerpt,
        Backorder: BackorderExcerpt,
        FulfillmentInstruction: InstructionExcerpt,
        WmsEvent: AnswerExcerpt,
        InventoryEvent: StockExcerpt,
    }
)
"""Of which records there is one. The others are read whole: they are few."""


def excerpt_reader(model: type) -> Callable[[bytes], Any]:
    """What reads the excerpt of a record, or the record. It raises pydantic.ValidationError, ValueError."""
    whole: Callable[[bytes], Any] = reader(model)
    excerpt = EXCERPTS.get(model)
    if excerpt is None:
        return whole
    quick: Callable[[bytes], Any] = msgspec.json.Decoder(excerpt).decode

    def read(payload: bytes) -> Any:
        try:
            return quick(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return quick(encode(whole(payload)))

    return read

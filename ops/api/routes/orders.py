"""Orders: found, shown, waiting for a person, and decided about."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ops.api.calling import Caller, TheDesk, answer
from ops.api.parameters import Cursor, Limit, OrderUid, Shop, Sku, Warehouse
from ops.api.problems import language_of
from ops.api.wording import worded
from schemas.decision import AddedGift, Correction, DecisionKind, LineCorrection, ReceiverCorrection
from schemas.record import record
from workers.admin.desk.choices import Choices, choice_text
from workers.admin.desk.deciding import MOST_WAIT_SECONDS, Verdict
from workers.admin.desk.filters import STAGES, OrderFilter, ReviewFilter
from workers.admin.desk.orders import InReview, OrderPage, OrderSummary
from workers.admin.desk.paging import Page
from workers.book.queries import TimelineEntry

router = APIRouter(tags=["orders"])

_ORDERED = ConfigDict(extra="forbid", str_max_length=500)


class LineChange(BaseModel):
    """What is changed about one line; what is left out stays."""

    model_config = _ORDERED

    line_id: str
    sku: str | None = Field(None, min_length=1, max_length=200, description="Pick this instead.")
    quantity: int | None = Field(None, ge=0, description="Never more than the buyer ordered; 0 drops the line.")


class GiftLine(BaseModel):
    """A gift that is added."""

    model_config = _ORDERED

    sku: str = Field(min_length=1, max_length=200)
    quantity: int = Field(ge=1)
    bound_to: list[str] = Field(default_factory=list, max_length=100, description="Line ids it goes with.")


class ReceiverChange(BaseModel):
    """Fields of the receiver, in plain words; what is left out stays."""

    model_config = _ORDERED

    province: str | None = None
    city: str | None = None
    district: str | None = None
    town: str | None = None
    street: str | None = None
    name: str | None = None
    phone: str | None = None
    postcode: str | None = None


class CorrectionRequest(BaseModel):
    """What `correct` changes."""

    model_config = _ORDERED

    lines: list[LineChange] = Field(default_factory=list, max_length=500)
    gifts: list[GiftLine] = Field(default_factory=list, max_length=100)
    receiver: ReceiverChange | None = None

    def as_record(self) -> Correction:
        """As it travels."""
        return Correction(
            lines=tuple(LineCorrection(**line.model_dump()) for line in self.lines),
            gifts=tuple(
                AddedGift(sku=gift.sku, quantity=gift.quantity, bound_to=tuple(gift.bound_to)) for gift in self.gifts
            ),
            receiver=ReceiverCorrection(**self.receiver.model_dump()) if self.receiver is not None else None,
        )


class DecisionRequest(BaseModel):
    """What is decided about one order."""

    model_config = _ORDERED

    kind: DecisionKind = Field(description="release, redecide, hold, cancel, correct, split, settle-flag or note.")
    why: str = Field(min_length=1, description="Kept for ever, with the name of the token's user.")
    seen: str = Field("", description="`revision` of the order as you saw it. Needed but to hold, redecide or note.")
    warehouse: str | None = Field(None, pattern="^[a-z0-9-]{1,63}$", description="release: from this one.")
    codes: list[str] = Field(default_factory=list, max_length=50, description="settle-flag: which reasons.")
    correction: CorrectionRequest | None = Field(None, description="correct: what is changed.")
    decision_id: UUID | None = Field(None, description="Of your own making: asked for again, it is done once.")
    wait_seconds: float = Field(10.0, ge=0, le=MOST_WAIT_SECONDS, description="How long to wait for the answer.")


@record
class ReviewCount:
    """How many orders wait for one reason."""

    code: str
    orders: int


Stage = Annotated[
    str | None,
    Query(pattern=f"^({'|'.join(STAGES)})$", description=f"Only orders that are there: {', '.join(STAGES)}."),
]
Code = Annotated[str | None, Query(max_length=100, description="Only what waits for this reason.")]


@router.get("/orders", response_model=Page[OrderSummary], summary="Find orders, the newest first")
def find(
    actor: Caller,
    desk: TheDesk,
    q: Annotated[str | None, Query(max_length=300, description="An order uid, or the platform's order id.")] = None,
    shop: Shop = None,
    stage: Stage = None,
    sku: Sku = None,
    placed_from: Annotated[datetime | None, Query(description="Placed at or after, RFC 3339.")] = None,
    placed_to: Annotated[datetime | None, Query(description="Placed before, RFC 3339.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """From the order book: a second or so behind. Of the shops that the token's user sees. Scope: `orders:read`."""
    wanted = OrderFilter(text=q, shop=shop, stage=stage, sku=sku, placed_from=placed_from, placed_to=placed_to)
    return answer(desk.orders.find(actor, wanted, cursor=cursor, limit=limit))


@router.get("/orders/{order_uid}", response_model=OrderPage, summary="One order")
def show(actor: Caller, desk: TheDesk, request: Request, order_uid: OrderUid) -> Response:
    """Its lines, what was decided and why, and how it stands in each warehouse. Scope: `orders:read`.

    404 `unknown-order` when there is none; 403 `shop-not-yours` when it is of a shop that the user may not see.
    """
    return answer(worded(desk.orders.show(actor, order_uid), language_of(request)))


@router.get("/orders/{order_uid}/timeline", response_model=list[TimelineEntry], summary="What happened to an order")
def timeline(actor: Caller, desk: TheDesk, order_uid: OrderUid) -> Response:
    """Oldest first, at most the newest thousand. Scope: `orders:read`."""
    return answer(desk.orders.timeline(actor, order_uid))


@router.get("/orders/{order_uid}/choices", response_model=Choices, summary="What may be done with an order now")
def choices(actor: Caller, desk: TheDesk, request: Request, order_uid: OrderUid) -> Response:
    """Whether you may make each kind of decision, else `code` and `text` say why not; and where stock is for it.

    Asks the stock ledger and Kafka, so it is as it stands now. Scope: `orders:read`.
    """
    found, language = desk.choices.of(actor, order_uid), language_of(request)
    told = worded(found, language)
    for each, choice in zip(told["choices"], found.choices, strict=True):
        each["text"] = choice_text(choice).tell(language)
    return answer(told)


@router.get("/review", response_model=Page[InReview], summary="Orders that wait for a person, the longest first")
def review(
    actor: Caller,
    desk: TheDesk,
    request: Request,
    code: Code = None,
    shop: Shop = None,
    sku: Sku = None,
    warehouse: Warehouse = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Why each waits is in `codes`, and in `explanation` in words. Scope: `orders:read`."""
    wanted = ReviewFilter(code=code, shop=shop, sku=sku, warehouse=warehouse)
    return answer(worded(desk.orders.review(actor, wanted, cursor=cursor, limit=limit), language_of(request)))


@router.get("/review/counts", response_model=list[ReviewCount], summary="How many orders wait for each reason")
def review_counts(actor: Caller, desk: TheDesk) -> Response:
    """Most first; an order that waits for two reasons is counted with both. Scope: `orders:read`."""
    counts = desk.orders.review_counts(actor)
    return answer([ReviewCount(code=code, orders=orders) for code, orders in counts.items()])


@router.post(
    "/orders/{order_uid}/decisions",
    response_model=Verdict,
    responses={202: {"model": Any, "description": "Written down; no answer came in time. Ask again with its id."}},
    summary="Decide about one order",
)
def decide(actor: Caller, desk: TheDesk, order_uid: OrderUid, body: DecisionRequest) -> Response:
    """It is written to Kafka, and applied once. Scope: `orders:decide`; role: operator, to cancel: lead.

    200: done. 202: no answer came in time; it is applied as soon as it can be, and the same `decision_id` asked for
    again gives the answer. 409, and 404 `unknown-order`: refused, nothing was changed, and `code` says why:
    `overtaken-by-platform`, `overtaken-by-decision`, `already-shipped`, `already-told`, `no-stock` ...
    """
    verdict = desk.deciding.decide(
        actor,
        body.kind,
        order_uid,
        why=body.why,
        seen=body.seen,
        warehouse_id=body.warehouse,
        codes=body.codes,
        correction=body.correction.as_record() if body.correction is not None else None,
        decision_id=str(body.decision_id or ""),
        seconds=body.wait_seconds,
    )
    return answer(verdict, 200 if verdict.done else 202)

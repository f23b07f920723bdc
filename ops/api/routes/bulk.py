"""One decision about many orders."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ops.api.calling import Caller, TheDesk, answer
from ops.api.parameters import Cursor, Limit
from schemas.decision import DecisionKind
from workers.admin.desk.bulk import BulkRequest, Job, JobOrder, Preview
from workers.admin.desk.filters import ReviewFilter
from workers.admin.desk.offers import Offers
from workers.admin.desk.paging import Page
from workers.admin.desk.wish import Wish

router = APIRouter(tags=["bulk"])

_STRICT = ConfigDict(extra="forbid", str_max_length=500)
JobId = Annotated[UUID, Path(description="Its id.")]


class FilterRequest(BaseModel):
    """Orders in review; what is left out does not matter."""

    model_config = _STRICT

    code: str | None = Field(None, description="What waits for this reason.", examples=["unknown-sku"])
    shop: str | None = Field(None, pattern="^[a-z0-9-]+:[a-z0-9-]+$", description="CHANNEL:SHOP.")
    sku: str | None = Field(None, description="With a line of this SKU.")
    warehouse: str | None = Field(None, description="For which this warehouse is suggested.")
    until: datetime | None = Field(None, description="What waits since before then; left out: now.")
    uids: list[str] = Field(default_factory=list, max_length=5000, description="Only these.")
    refused_in: UUID | None = Field(None, description="Only what this job was refused for: again for the failed.")
    refused_code: str | None = Field(None, description="With `refused_in`: refused for this reason.")
    not_ruleset: str | None = Field(None, description="Planned by other rules than these, NAME@VERSION.")
    without_skus: list[str] = Field(default_factory=list, max_length=5000, description="With none of these.")

    def as_record(self) -> ReviewFilter:
        """As the desk takes it."""
        given = self.model_dump(include=set(FilterRequest.model_fields))
        plain: dict[str, Any] = {name: tuple(it) if isinstance(it, list) else it for name, it in given.items()}
        return ReviewFilter(**plain)


class PreviewRequest(FilterRequest):
    """A filter, and what is to be done to each order; without `kind` they are only counted."""

    kind: DecisionKind | None = Field(None, description="Then it is asked what would become of it.")
    wish_warehouse: str | None = Field(None, description="release: from this one.")
    wish_codes: list[str] = Field(default_factory=list, max_length=50, description="settle-flag: these reasons.")
    wish_sku: str = Field("", description="correct: the SKU that is replaced.")
    wish_to_sku: str = Field("", description="correct: by this one.")

    def wish(self) -> Wish | None:
        """What is to be done."""
        if self.kind is None:
            return None
        return Wish(
            kind=self.kind,
            warehouse_id=self.wish_warehouse,
            codes=tuple(self.wish_codes),
            sku=self.wish_sku,
            to_sku=self.wish_to_sku,
        )


class StartRequest(BaseModel):
    """What the preview told, and what is to be done."""

    model_config = _STRICT

    kind: DecisionKind
    filter: FilterRequest
    count: int = Field(ge=0, description="As the preview counted; refused when it is another by now.")
    version: str = Field(description="As the preview told.")
    why: str = Field(min_length=1)
    confirmed_count: int | None = Field(None, description="Beyond 500 orders: the count once more.")
    warehouse: str | None = Field(None, pattern="^[a-z0-9-]{1,63}$", description="release: from this one.")
    codes: list[str] = Field(default_factory=list, max_length=50, description="settle-flag: these reasons.")
    sku: str = Field("", description="correct: the SKU that is replaced, in whichever lines it stands.")
    to_sku: str = Field("", description="correct: by this one.")


class StopRequest(BaseModel):
    """Why a job is stopped."""

    model_config = _STRICT

    why: str = Field(min_length=1)


@router.post("/bulk/preview", response_model=Preview, summary="How many orders a filter matches")
def preview(actor: Caller, desk: TheDesk, body: PreviewRequest) -> Response:
    """Hand `filter`, `count` and `version` of the answer back to start. Scope: `bulk:run`; role: lead.

    With `kind`, `can` and `refused` tell what would become of it now, of the `looked_at` orders that wait longest.
    """
    return answer(desk.bulk.preview(actor, body.as_record(), body.wish()))


@router.post("/bulk", response_model=Job, status_code=202, summary="Decide about all orders that match")
def start(actor: Caller, desk: TheDesk, body: StartRequest) -> Response:
    """Each of the orders that match now is decided about once, whatever dies meanwhile. Scope: `bulk:run`; role: lead.

    409 `count-changed` when others match than were counted, `book-made-again`, `needs-confirmation` beyond 500 orders.
    """
    request = BulkRequest(
        kind=body.kind,
        filter=body.filter.as_record(),
        count=body.count,
        version=body.version,
        why=body.why,
        confirmed_count=body.confirmed_count,
        warehouse_id=body.warehouse,
        codes=tuple(body.codes),
        sku=body.sku,
        to_sku=body.to_sku,
    )
    return answer(desk.bulk.start(actor, request), 202)


@router.get("/bulk", response_model=Page[Job], summary="Jobs, the newest first")
def jobs(actor: Caller, desk: TheDesk, cursor: Cursor = None, limit: Limit = 20) -> Response:
    """With how far each is. Scope: `bulk:run`; role: operator."""
    return answer(desk.bulk.list(actor, cursor=cursor, limit=limit))


@router.get("/bulk/offers", response_model=Offers, summary="What today's rules and catalogue may let go")
def offers(actor: Caller, desk: TheDesk) -> Response:
    """Orders in review that were decided by other rules, or whose SKUs the catalogue knows by now, reason by reason.

    Hand `filter` and `kind` of one to `/bulk/preview`, and start it. Scope: `bulk:run`; role: lead.
    """
    return answer(desk.offers.of(actor))


@router.get("/bulk/{job_id}", response_model=Job, summary="How far a job is")
def job(actor: Caller, desk: TheDesk, job_id: JobId) -> Response:
    """Orders done, waiting, and refused by reason. Scope: `bulk:run`; role: operator."""
    return answer(desk.bulk.show(actor, job_id))


@router.get("/bulk/{job_id}/orders", response_model=Page[JobOrder], summary="What became of each order of a job")
def job_orders(
    actor: Caller,
    desk: TheDesk,
    job_id: JobId,
    state: Annotated[str | None, Query(pattern="^(waiting|done|refused)$", description="Only those.")] = None,
    code: Annotated[str | None, Query(max_length=100, description="Only those refused for this reason.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Kept for as long as the job is. Scope: `bulk:run`; role: operator."""
    return answer(desk.bulk.orders(actor, job_id, state=state, code=code, cursor=cursor, limit=limit))


@router.post("/bulk/{job_id}/stop", response_model=Job, summary="Stop a job")
def stop(actor: Caller, desk: TheDesk, job_id: JobId, body: StopRequest) -> Response:
    """No further orders are decided about; those that were stay so. Scope: `bulk:run`; role: lead."""
    return answer(desk.bulk.stop(actor, job_id, body.why))

"""One decision about many orders."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from ops.api.calling import Caller, TheDesk, answer
from ops.api.parameters import Cursor, Limit
from schemas.decision import DecisionKind
from workers.admin.desk.bulk import BulkRequest, Job, Preview
from workers.admin.desk.filters import ReviewFilter
from workers.admin.desk.paging import Page

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

    def as_record(self) -> ReviewFilter:
        """As the desk takes it."""
        return ReviewFilter(**self.model_dump(exclude={"uids"}), uids=tuple(self.uids))


class StartRequest(BaseModel):
    """What the preview told, and what is to be done."""

    model_config = _STRICT

    kind: Literal["release", "redecide"]
    filter: FilterRequest
    count: int = Field(ge=0, description="As the preview counted; refused when it is another by now.")
    version: str = Field(description="As the preview told.")
    why: str = Field(min_length=1)
    confirmed_count: int | None = Field(None, description="Beyond 500 orders: the count once more.")


class StopRequest(BaseModel):
    """Why a job is stopped."""

    model_config = _STRICT

    why: str = Field(min_length=1)


@router.post("/bulk/preview", response_model=Preview, summary="How many orders a filter matches")
def preview(actor: Caller, desk: TheDesk, body: FilterRequest) -> Response:
    """Hand `filter`, `count` and `version` of the answer back to start. Scope: `bulk:run`; role: lead."""
    return answer(desk.bulk.preview(actor, body.as_record()))


@router.post("/bulk", response_model=Job, status_code=202, summary="Decide about all orders that match")
def start(actor: Caller, desk: TheDesk, body: StartRequest) -> Response:
    """Each of the orders that match now is decided about once, whatever dies meanwhile. Scope: `bulk:run`; role: lead.

    409 `count-changed` when others match than were counted, `book-made-again`, `needs-confirmation` beyond 500 orders.
    """
    request = BulkRequest(
        kind=DecisionKind(body.kind),
        filter=body.filter.as_record(),
        count=body.count,
        version=body.version,
        why=body.why,
        confirmed_count=body.confirmed_count,
    )
    return answer(desk.bulk.start(actor, request), 202)


@router.get("/bulk", response_model=Page[Job], summary="Jobs, the newest first")
def jobs(actor: Caller, desk: TheDesk, cursor: Cursor = None, limit: Limit = 20) -> Response:
    """With how far each is. Scope: `bulk:run`; role: operator."""
    return answer(desk.bulk.list(actor, cursor=cursor, limit=limit))


@router.get("/bulk/{job_id}", response_model=Job, summary="How far a job is")
def job(actor: Caller, desk: TheDesk, job_id: JobId) -> Response:
    """Orders done, waiting, and refused by reason. Scope: `bulk:run`; role: operator."""
    return answer(desk.bulk.show(actor, job_id))


@router.post("/bulk/{job_id}/stop", response_model=Job, summary="Stop a job")
def stop(actor: Caller, desk: TheDesk, job_id: JobId, body: StopRequest) -> Response:
    """No further orders are decided about; those that were stay so. Scope: `bulk:run`; role: lead."""
    return answer(desk.bulk.stop(actor, job_id, body.why))

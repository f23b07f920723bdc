"""Notices: what stands, what is over, who looks after it, what was sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ops.api.calling import Caller, TheDesk, answer
from ops.api.parameters import Cursor, Limit
from ops.api.problems import language_of
from ops.api.wording import worded
from schemas.notice import NoticeSeverity
from workers.admin.desk.notices import NoticeFilter
from workers.admin.desk.paging import Page
from workers.admin.notices import LONGEST_SNOOZE, MatterRow, MessageRow, Unreached

router = APIRouter(tags=["notices"])

Why = Annotated[str, Field(min_length=1, max_length=500, description="For the audit list.", examples=["on my way"])]
Key = Annotated[
    str, Field(min_length=1, max_length=300, description="`key` of the list.", examples=["review-waiting/jd/main"])
]


class TakeRequest(BaseModel):
    """Which matter the caller looks after."""

    model_config = ConfigDict(extra="forbid")

    key: Key
    why: Why


class SnoozeRequest(BaseModel):
    """Which matter nobody is to be told of for a while."""

    model_config = ConfigDict(extra="forbid")

    key: Key
    seconds: Annotated[int, Field(ge=0, le=LONGEST_SNOOZE, description="For so long; 0: no longer.", examples=[7200])]
    why: Why


class RetryRequest(BaseModel):
    """Which recipient is tried again."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[str, Field(min_length=1, max_length=100, examples=["ops"])]
    why: Why


@router.get("/notices", response_model=Page[MatterRow], summary="Matters that stand, the worst first; or that are over")
def matters(
    actor: Caller,
    desk: TheDesk,
    request: Request,
    past: Annotated[bool, Query(description="Those that are over, the last first.")] = False,
    minimum: Annotated[NoticeSeverity, Query(description="Only those as bad as this.")] = NoticeSeverity.INFO,
    scope: Annotated[str, Query(max_length=200, description="fleet, shop:jd/main, warehouse:*; * is anything.")] = "*",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What each is about is in `explanation`, in words in its `text`. Scope: `notices:read`."""
    wanted = NoticeFilter(past=past, minimum=minimum, scope=scope)
    return answer(worded(desk.notices.list(actor, wanted, cursor=cursor, limit=limit), language_of(request)))


@router.get("/notices/sent", response_model=list[MessageRow], summary="What was sent to whom, the newest first")
def sent(
    actor: Caller,
    desk: TheDesk,
    recipient: Annotated[str | None, Query(max_length=100, description="Only to this one.")] = None,
    failed: Annotated[bool, Query(description="Only what did not arrive.")] = False,
    limit: Limit = 50,
) -> Response:
    """`why` says why a message did not arrive; it is tried again. Scope: `notices:read`; role: operator."""
    return answer(desk.notices.sent(actor, recipient=recipient, failed=failed, limit=limit))


@router.get("/notices/unreached", response_model=list[Unreached], summary="Recipients that are not reached now")
def unreached(actor: Caller, desk: TheDesk) -> Response:
    """Since how many tries, and when the next is. Scope: `notices:read`; role: operator."""
    return answer(desk.notices.unreached(actor))


@router.post("/notices/take", response_model=MatterRow, summary="Look after a matter")
def take(actor: Caller, desk: TheDesk, request: Request, body: TakeRequest) -> Response:
    """Reminders name the caller for as long as it stands. Scope: `notices:handle`; role: operator."""
    return answer(worded(desk.notices.take(actor, body.key, body.why), language_of(request)))


@router.post("/notices/snooze", response_model=MatterRow, summary="Have nobody told of a matter for a while")
def snooze(actor: Caller, desk: TheDesk, request: Request, body: SnoozeRequest) -> Response:
    """It is told of when it becomes worse, and when it is over. Scope: `notices:handle`; role: operator."""
    return answer(worded(desk.notices.snooze(actor, body.key, body.seconds, body.why), language_of(request)))


@router.post("/notices/retry", status_code=204, summary="Try a recipient again at once")
def retry(actor: Caller, desk: TheDesk, body: RetryRequest) -> Response:
    """404 `no-trouble` when the last try went well. Scope: `notices:handle`; role: operator."""
    desk.notices.retry(actor, body.recipient, body.why)
    return Response(status_code=204)

"""Dead letters: what could not be processed, and putting it back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ops.api.calling import Caller, TheDesk, answer
from ops.api.parameters import Limit
from ops.api.problems import language_of
from schemas.record import record
from workers.admin.desk.letters import Letter, Letters

router = APIRouter(tags=["dead letters"])


class RetryRequest(BaseModel):
    """Which letter is put back, and why."""

    model_config = ConfigDict(extra="forbid")

    letter_id: str = Field(max_length=300, description="As `letter_id` of the list.", examples=["orders.raw.jd/3/120"])
    why: str = Field(
        min_length=1, max_length=500, description="For the audit list.", examples=["the rules were mended"]
    )


@record
class RetryAnswer:
    """What became of it."""

    letter_id: str
    outcome: str  # put-back, put-back-before, failed-too-often, impossible
    detail: str  # why, where it is impossible


@router.get("/dead-letters", response_model=Letters, summary="The newest dead letters")
def letters(
    actor: Caller,
    desk: TheDesk,
    reason: Annotated[str | None, Query(max_length=100, description="Only those with this code.")] = None,
    channel: Annotated[str | None, Query(max_length=63, description="Only messages of this channel.")] = None,
    limit: Limit = 50,
) -> Response:
    """Without the messages in them, which are personal. Reads Kafka: a second or more. Scope: `letters:read`."""
    return answer(desk.letters.list(actor, reason=reason, channel=channel, limit=limit))


@router.get("/dead-letters/{letter_id:path}", response_model=Letter, summary="One dead letter")
def letter(
    actor: Caller, desk: TheDesk, letter_id: Annotated[str, Path(max_length=300, description="Its id.")]
) -> Response:
    """Where the message came from, and what was wrong with it. Scope: `letters:read`."""
    return answer(desk.letters.show(actor, letter_id))


@router.post("/dead-letters/retry", response_model=RetryAnswer, summary="Put the message of a dead letter back")
def retry(actor: Caller, desk: TheDesk, request: Request, body: RetryRequest) -> Response:
    """It is processed again as if it had just come. Once: a second time is answered with `put-back-before`.

    Scope: `letters:retry`; role: lead.
    """
    done = desk.letters.retry(actor, body.letter_id, body.why)
    why = done.why.tell(language_of(request)) if done.why is not None else ""
    return answer(RetryAnswer(letter_id=done.letter_id, outcome=done.outcome, detail=why))

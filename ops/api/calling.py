"""Who calls, what they get: the actor behind a bearer token, and an answer as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ops.api.rate import Rate
from schemas.record import encode
from workers.admin.desk.access import Actor
from workers.admin.desk.desk import Desk
from workers.admin.errors import Unknown

_bearer: Final = HTTPBearer(auto_error=False, description="A token of `orderfleet tokens create`: `of_...`")


def desk_of(request: Request) -> Desk:
    """The desk of this process."""
    found: Desk = request.app.state.desk
    return found


def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Actor:
    """Whose token it is. Raises Unknown, TooMany."""
    origin = request.client.host if request.client else "?"
    failures: Rate = request.app.state.failures
    failures.check(origin)
    try:
        actor = desk_of(request).tokens.actor(given.credentials if given else "", origin)
    except Unknown:
        failures.take(origin)
        raise
    rate: Rate = request.app.state.rate
    rate.take(actor.token_id or actor.name)
    return actor


Caller = Annotated[Actor, Depends(caller)]
TheDesk = Annotated[Desk, Depends(desk_of)]


def answer(value: Any, status: int = 200) -> Response:
    """A record as JSON. FastAPI is told the type for the description only: it was checked where it was made."""
    return Response(encode(value), status, media_type="application/json")

"""The application: its endpoints, its errors, its gate."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI, Request, Response

from ops.api.calling import answer
from ops.api.gate import Gate
from ops.api.problems import add_handlers
from ops.api.rate import Rate
from ops.api.routes import account, bulk, figures, letters, notices, orders, stock
from schemas.record import record
from schemas.text import Language
from workers.admin.desk.desk import Desk

PREFIX: Final = "/api/v1"
_BURST_SECONDS: Final = 3.0

DESCRIPTION: Final = """
Orders, review, stock, dead letters and notices of orderfleet, for programs.

* **Who calls**: `Authorization: Bearer of_...`; an admin makes tokens with `orderfleet tokens create`. A token has
  scopes, and never may more than the user it belongs to: their role, their shops.
* **Pages**: `next` of an answer is the `cursor` of the following page; `null` on the last one.
* **Errors** are `application/problem+json` with a `code` for programs, `detail` and `todo` for people, in the language
  of `Accept-Language` (zh, en).
* **Limits**: bodies to 256 KiB; each token so many requests a second, then 429 with `Retry-After`.
* Receivers' names, phones and streets are in no answer.
""".strip()

_PROBLEM: Final[dict[str, Any]] = {
    "description": "Refused: see `code`.",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "code", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "code": {"type": "string", "description": "For programs: one word for one reason."},
                    "detail": {"type": "string", "description": "What is wrong, for people."},
                    "todo": {"type": "string", "description": "What to do next, for people."},
                },
            }
        }
    },
}


@record
class Health:
    """Whether requests can be answered."""

    status: str


def make(desk: Desk, *, each_second: float, language: Language = "en") -> Gate:
    """The application on a desk. `each_second`: requests of one token; `language`: for callers who name none."""
    app = FastAPI(
        title="orderfleet",
        version="1",
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its pages fetch scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses={"4XX": _PROBLEM, "5XX": _PROBLEM},
    )
    app.state.desk = desk
    app.state.rate = Rate(each_second, each_second * _BURST_SECONDS)
    app.state.failures = Rate(0.5, 30)
    for each in (account, orders, bulk, stock, letters, notices, figures):
        app.include_router(each.router, prefix=PREFIX)
    app.add_api_route(
        "/health", health, summary="Whether requests can be answered", tags=["health"], response_model=Health
    )
    add_handlers(app)
    return Gate(app, language)


def health(request: Request) -> Response:
    """Asks PostgreSQL. 503 when it does not answer. Takes no token."""
    desk: Desk = request.app.state.desk
    desk.answers()
    return answer(Health(status="ok"))

"""Who calls, and what was done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ops.api.calling import Caller, TheDesk, answer
from ops.api.parameters import Cursor, Limit
from schemas.record import record
from workers.admin.desk.access import RULES, may
from workers.admin.desk.audit import AuditEntry
from workers.admin.desk.paging import Page

router = APIRouter(tags=["account"])


@record
class Me:
    """Who calls, and what they may do."""

    name: str
    role: str
    token_id: str | None
    scopes: list[str]
    shops: list[str] | None  # channel:shop each; None: all
    deeds: list[str]  # what they may do, by name


@router.get("/me", response_model=Me, summary="Who this token belongs to, and what it may do")
def me(actor: Caller) -> Response:
    """Any token may ask. `deeds` are the names that the audit list uses."""
    scopes = actor.scopes or frozenset()
    deeds = [deed for deed, rule in RULES.items() if rule.scope in scopes and may(actor.role, rule.least)]
    shops = None if actor.shops is None else sorted(actor.shops)
    return answer(
        Me(
            name=actor.name,
            role=actor.role,
            token_id=actor.token_id,
            scopes=sorted(scopes),
            shops=shops,
            deeds=sorted(deeds),
        )
    )


@router.get("/audit", response_model=Page[AuditEntry], summary="What was done and refused, the newest first")
def audit(
    actor: Caller,
    desk: TheDesk,
    subject: Annotated[str | None, Query(max_length=400, description="Only about this order, user, token ...")] = None,
    who: Annotated[str | None, Query(max_length=100, description="Only by this user.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The list is only ever added to. A deed that changes something has two lines: `begun`, and how it ended.

    Scope: `audit:read`; role: lead.
    """
    return answer(desk.audit(actor, subject=subject, who=who, cursor=cursor, limit=limit))

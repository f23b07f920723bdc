"""What people decided, and what became of it: orders.decisions and orders.decided. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.decision import Decided, Decision, DecisionKind
from workers.book.aspects import ASKED, DECIDED
from workers.book.facts import Fact, Place, happened, identity, utc
from workers.book.order_aspects import ACKNOWLEDGED


def asked(said: Decision, place: Place) -> Sequence[Fact]:
    """Of orders.decisions. Neither its words nor a corrected receiver are kept."""
    identity(said.order_uid)
    row = (
        said.decision_id,
        said.order_uid,
        said.kind.value,
        said.who,
        utc(said.at),
        place.offset,
        said.seen,
        said.warehouse_id,
        list(said.codes),
    )
    kind = f"decision-{said.kind.value}"
    return [(ASKED, row), happened(said.order_uid, kind, said.decision_id, utc(said.at), (said.who,))]


def decided(said: Decided, place: Place) -> Sequence[Fact]:
    """Of orders.decided."""
    identity(said.order_uid)
    refusal = None if said.code is None else said.code.value
    row = (
        said.decision_id,
        said.order_uid,
        said.kind.value,
        said.who,
        utc(said.at),
        place.offset,
        place.at,
        refusal,
        said.where,
        said.revision,
        said.issued,
        said.number,
    )
    outcome = "decided" if refusal is None else "refused"
    facts: list[Fact] = [
        (DECIDED, row),
        happened(said.order_uid, outcome, said.decision_id, place.at, (said.kind.value, refusal or "")),
    ]
    if said.kind is DecisionKind.SETTLE_FLAG and said.is_done and not said.issued:  # its goods had left: it is over
        facts.append((ACKNOWLEDGED, (*identity(said.order_uid), said.revision)))
    return facts

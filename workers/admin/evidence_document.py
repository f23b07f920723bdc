"""What is known of an order, for machines: without personal data."""

from __future__ import annotations

from typing import Any

from schemas.dead_letter import DeadLetter
from schemas.fulfillment import FulfillmentInstruction
from schemas.plan import PlannedOrder
from workers.admin.dead_letters import failures_in_words
from workers.admin.evidence import Evidence, Read
from workers.admin.rule_trial import in_words
from workers.admin.verdict import verdict


def as_document(evidence: Evidence) -> dict[str, Any]:
    """One JSON document. Receivers and remarks are left out."""
    judged = verdict(evidence)
    return {
        "order_uid": evidence.order_uid,
        "verdict": judged.en,
        "verdict_zh": judged.zh,
        "ledger": evidence.ledger,
        "decision": _decision_document(evidence.plan),
        "decisions": len(evidence.planned),
        "instructions": [_instruction_document(read) for read in evidence.instructions],
        "wms_events": [_event_document(read) for read in evidence.wms],
        "people_decided": [{**_place(read), "decided": read.value} for read in evidence.decided],
        "backorders": [{**_place(read), "missing": read.value.missing} for read in evidence.backorders],
        "transfers": [{**_place(read), "transfer": read.value} for read in evidence.transfers],
        "dead_letters": [_letter_document(read) for read in evidence.letters],
        "received": [{"at": found.at, "place": found.place} for found in evidence.raw],
        "unreadable": evidence.unreadable,
        "looked_in": evidence.looked_in,
        "away": [trouble.en for trouble in evidence.away],
    }


def _place(read: Read[Any]) -> dict[str, Any]:
    return {"at": read.found.at, "place": read.found.place}


def _decision_document(plan: Read[PlannedOrder] | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    planned = in_words(plan.value)
    order = planned.order
    return {
        **_place(plan),
        "revision": order.revision,
        "status": order.status,
        "payment": order.payment,
        "plan": planned.plan,
        "tags": planned.tags,
        "flags": planned.flags,
        "lines": order.lines,
    }


def _instruction_document(read: Read[FulfillmentInstruction]) -> dict[str, Any]:
    it = read.value
    return {
        **_place(read),
        "instruction_id": it.instruction_id,
        "kind": it.kind,
        "warehouse_id": it.warehouse_id,
        "revision": it.revision,
        "purchased": it.purchased,
        "gifts": it.gifts,
    }


def _event_document(read: Read[Any]) -> dict[str, Any]:
    it = read.value
    return {
        **_place(read),
        "kind": it.kind,
        "warehouse_id": it.warehouse_id,
        "message_id": it.message_id,
        "reason": it.reason,
    }


def _letter_document(read: Read[DeadLetter]) -> dict[str, Any]:
    it = read.value
    return {
        **_place(read),
        "letter_id": it.letter_id,
        "stage": it.stage,
        "reason": it.reason,
        "failures": failures_in_words(it),
        "attempts": it.attempts,
    }

"""What is known of an order, for people and for machines: without personal data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ops.cli.evidence import Evidence, Read
from ops.cli.output import console, language, moment, say, tell
from ops.cli.verdict import verdict
from schemas.dead_letter import DeadLetter
from schemas.fulfillment import FulfillmentInstruction
from schemas.plan import PlannedOrder
from workers.inventory.records import OrderSnapshot

# -- for people ----------------------------------------------------------------------------------------------------


def print_evidence(evidence: Evidence) -> None:
    """The verdict first, then what it rests on."""
    out = console()
    out.print(evidence.order_uid, style="bold", markup=False)
    out.print(f"  {tell(verdict(evidence))}", markup=False)
    for title, lines in _sections(evidence):
        out.print(f"\n{title}", style="bold", markup=False)
        for line in lines:
            out.print(f"  {line}", markup=False)


def _sections(evidence: Evidence) -> Iterator[tuple[str, list[str]]]:
    if evidence.ledger is not None and (evidence.ledger.revision or evidence.ledger.reservations):
        yield say("Stock", "库存"), list(_stock(evidence.ledger))
    if evidence.plan is not None:
        yield say("Decision", "决策"), list(_decision(evidence.plan, len(evidence.planned)))
    for title, lines in (
        (say("Instructions to warehouses", "发货指令"), [_told(read) for read in evidence.instructions]),
        (say("Answers of warehouses", "仓库应答"), [_said(read) for read in evidence.wms]),
        (say("Backordered", "待货"), [_short(read) for read in evidence.backorders[-1:]]),
        (say("Transfers requested", "调拨请求"), [_moved(read) for read in evidence.transfers]),
        (say("Dead letters", "死信"), [line for read in evidence.letters for line in _letter(read)]),
        (say("Received", "收到的报文"), list(_received(evidence))),
        (say("Could not be read", "无法读取"), evidence.unreadable),
    ):
        if lines:
            yield title, lines


def _stock(ledger: OrderSnapshot) -> Iterator[str]:
    yield f"{ledger.state or '?'}, {say('revision', '版本')} {ledger.revision}"
    for reservation in ledger.reservations:
        units = ", ".join(f"{sku} x{count}" for sku, count in sorted(reservation.quantities.items()))
        ends = _until(reservation.deadline_ms)
        yield f"{reservation.warehouse_id}: {reservation.state} {units}{ends}"


def _until(deadline_ms: int) -> str:
    if not deadline_ms:
        return ""
    when = moment(datetime.fromtimestamp(deadline_ms / 1000, UTC))
    return say(f", until {when}", f"，保留到 {when}")


def _decision(plan: Read[PlannedOrder], count: int) -> Iterator[str]:
    from workers.admin.rule_trial import describe

    order = plan.value.order
    yield say(
        f"{moment(plan.found.at)}, revision {order.revision} ({count} decisions in all), {plan.found.place}",
        f"{moment(plan.found.at)}，版本 {order.revision}（共 {count} 次决策），{plan.found.place}",
    )
    yield say(f"on its platform: {order.status}, {order.payment}", f"平台状态：{order.status}、{order.payment}")
    yield from describe(plan.value, language())


def _told(read: Read[FulfillmentInstruction]) -> str:
    it = read.value
    units = sum(line.quantity for line in (*it.purchased, *it.gifts))
    return say(
        f"{moment(read.found.at)} {it.warehouse_id}: {it.kind}, {units} units ({len(it.gifts)} gift lines), "
        f"revision {it.revision}, {read.found.place}",
        f"{moment(read.found.at)} {it.warehouse_id}：{it.kind}，{units} 件（赠品 {len(it.gifts)} 行），"
        f"版本 {it.revision}，{read.found.place}",
    )


def _said(read: Read[Any]) -> str:
    it = read.value
    return f"{moment(it.at)} {it.warehouse_id}: {it.kind}{f', {it.reason}' if it.reason else ''}"


def _short(read: Read[Any]) -> str:
    missing = ", ".join(f"{sku} x{units}" for sku, units in sorted(read.value.missing.items()))
    return say(f"{moment(read.found.at)}: missing {missing}", f"{moment(read.found.at)}：缺 {missing}")


def _moved(read: Read[Any]) -> str:
    it = read.value
    units = ", ".join(f"{sku} x{count}" for sku, count in sorted(it.quantities.items()))
    return f"{moment(read.found.at)}: {it.from_warehouse or '?'} -> {it.to_warehouse}: {units}"


def _letter(read: Read[DeadLetter]) -> Iterator[str]:
    it = read.value
    yield f"{moment(read.found.at)} {it.stage}: {it.reason}, {it.letter_id}"
    for failure in it.failures:
        problem = failure.problem_zh if language() == "zh" and failure.problem_zh else failure.problem
        yield f"    {failure.attempt}: {failure.where + ': ' if failure.where else ''}{problem}"
    yield "    " + say("see orderfleet dead-letters --help", "参见 orderfleet dead-letters --help")


def _received(evidence: Evidence) -> Iterator[str]:
    if evidence.raw:
        last = evidence.raw[-1]
        yield say(
            f"{len(evidence.raw)} times, last {moment(last.at)}, {last.place}",
            f"{len(evidence.raw)} 次，最近 {moment(last.at)}，{last.place}",
        )


# -- for machines --------------------------------------------------------------------------------------------------


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
    order = plan.value.order
    return {
        **_place(plan),
        "revision": order.revision,
        "status": order.status,
        "payment": order.payment,
        "plan": plan.value.plan,
        "tags": plan.value.tags,
        "flags": plan.value.flags,
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
        "failures": it.failures,
        "attempts": it.attempts,
    }

"""What is known of an order, for people: without personal data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ops.cli.output import console, language, say, tell
from schemas.dead_letter import DeadLetter
from schemas.decision import Decided
from schemas.fulfillment import FulfillmentInstruction
from schemas.plan import PlannedOrder
from schemas.text import moment
from workers.admin.evidence import Evidence, Read
from workers.admin.verdict import verdict
from workers.inventory.records import OrderSnapshot


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
        (say("People decided", "人工决定"), list(dict.fromkeys(_decided(read) for read in evidence.decided))),
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


def _decided(read: Read[Decided]) -> str:
    from workers.admin.decisions import told as became

    it = read.value
    return f"{moment(it.at)} {it.who}: {tell(became(it))}"


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
        where = f"{failure.where}: " if failure.where else ""
        yield f"    {failure.attempt}: {where}{failure.tell(language())}"
    yield "    " + say("see orderfleet dead-letters --help", "参见 orderfleet dead-letters --help")


def _received(evidence: Evidence) -> Iterator[str]:
    if evidence.raw:
        last = evidence.raw[-1]
        yield say(
            f"{len(evidence.raw)} times, last {moment(last.at)}, {last.place}",
            f"{len(evidence.raw)} 次，最近 {moment(last.at)}，{last.place}",
        )

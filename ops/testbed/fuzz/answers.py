"""Mutants of what warehouses answer, through decoding and the fulfill stage on a real Redis."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Final

from redis.asyncio import Redis

from channel_adapters.registry import CHANNELS
from ops.bench.orders import raw_orders
from ops.testbed.fuzz.findings import Findings
from ops.testbed.fuzz.mutations import Mutator
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.codes import PlanReason
from schemas.fulfillment import FulfillmentInstruction, WmsEvent, WmsEventKind
from schemas.order import OrderStatus, PaymentStatus
from schemas.plan import Candidate, Disposition, PlannedOrder, RoutingPlan
from schemas.record import encode
from schemas.topics import ORDERS_PLANNED, ORDERS_REVIEW, WMS_EVENTS
from workers.fulfill.agent import FulfillAgent
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.normalize.decide import decide as normalize
from workers.reserve.agent import ReserveAgent
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery
from workers.runtime.wire import Decoder, Encoder

_WAREHOUSES: Final = ("hangzhou", "beijing")
_ON_HAND: Final = 1_000_000
_ORDERS: Final = 300
_SAMPLES: Final = 40
_HOLD_SECONDS: Final = 3600


class _Planned:
    """`orders.planned` as a list."""

    def __init__(self) -> None:
        self.records: list[PlannedOrder] = []

    async def read(self, places: Sequence[tuple[int, int]]) -> list[PlannedOrder | None]:
        """As the archive reads."""
        return [self.records[offset] if offset < len(self.records) else None for _, offset in places]


def try_mutants(seed: int, numbers: Sequence[int]) -> Findings:
    """What becomes of these answers; at the end the stock is audited."""
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        return asyncio.run(_run(server.url, seed, numbers))


async def _run(url: str, seed: int, numbers: Sequence[int]) -> Findings:
    findings = Findings()
    async with Redis.from_url(url) as redis:
        ledger, topic = Ledger(redis), _Planned()
        instructions = await _reserve(ledger, topic)
        agent = FulfillAgent(ledger, topic)
        samples = [_mutator(instruction) for instruction in instructions[:_SAMPLES]]
        for number in numbers:
            await _try_one(agent, samples, f"answers:{seed}:{number}", findings)
        for finding in (await ledger.stock.audit()).findings:
            findings.finding(f"the audit of stock finds {finding.kind}", f"answers:{seed}")
        for warehouse in _WAREHOUSES:
            for level in await ledger.stock.levels(warehouse):
                if level.on_hand < 0 or level.on_hand > _ON_HAND:
                    findings.finding("units that never were, or fewer than none", f"answers:{seed}")
    return findings


async def _reserve(ledger: Ledger, topic: _Planned) -> list[FulfillmentInstruction]:
    orders = []
    for record in raw_orders(_ORDERS):
        channel = record.topic.rpartition(".")[2]
        delivery = Delivery(record.value or b"", record.key, record.headers, record.topic, 0, 0, 1)
        try:
            orders.append(normalize(delivery, {channel: CHANNELS[channel].adapter}))
        except PermanentError:
            continue
    paid = [one for one in orders if one.payment is PaymentStatus.PAID and one.status is OrderStatus.TO_SHIP]
    skus = {line.sku for order in paid for line in order.lines}
    for warehouse in _WAREHOUSES:
        await ledger.stock.set_counts(warehouse, {sku: Count(on_hand=_ON_HAND) for sku in skus}, at_ms=1)
    candidates = tuple(Candidate(warehouse_id=each, rule="r") for each in _WAREHOUSES)
    plan = RoutingPlan(
        disposition=Disposition.RESERVE,
        ruleset="r@1",
        explanation=PlanReason.ONLY(warehouse="hangzhou", rule="near"),
        candidates=candidates,
    )
    topic.records = [PlannedOrder(order=order, plan=plan) for order in paid]
    deliveries = [
        Delivery(planned, planned.order.uid.encode(), (), ORDERS_PLANNED.name, 0, at)
        for at, planned in enumerate(topic.records)
    ]
    outcomes = await ReserveAgent(ledger, _HOLD_SECONDS).handle(deliveries)
    events = [event for outcome in outcomes if not isinstance(outcome, PermanentError) for event in outcome]
    return [event for event in events if isinstance(event, FulfillmentInstruction)]


def _mutator(instruction: FulfillmentInstruction) -> Mutator:
    event = WmsEvent(
        message_id="m-1",
        kind=WmsEventKind.ACCEPTED,
        order_uid=instruction.order_uid,
        warehouse_id=instruction.warehouse_id,
        instruction_id=instruction.instruction_id,
        at=datetime.now(UTC) - timedelta(minutes=1),
        quantities={line.sku: line.quantity for line in (*instruction.purchased, *instruction.gifts)},
        reason="not-there",
        tracking_number="SF1",
        carrier="SF",
    )
    words: dict[str, list[Any]] = {"kind": [kind.value for kind in WmsEventKind], "reason": ["damaged", "address", ""]}
    return Mutator(json.loads(encode(event)), words)


async def _try_one(agent: FulfillAgent, samples: Sequence[Mutator], name: str, findings: Findings) -> None:
    random = Random(name)  # noqa: S311  # the same mutants again, no secret
    mutator = random.choice(samples)
    mutant = mutator.bytewise(random) if random.random() < 0.15 else mutator.structural(random)
    headers = random.choice(((), (("dedupe-key", b"x"),), (("dedupe-key", None),), ((None, b"x"),), (("é", b"\xff"),)))
    try:
        with findings.measured(name, len(mutant.body)):
            outcome = await _outcome_of(agent, mutant.body, headers)
    except Exception as error:  # noqa: BLE001  # that any exception comes out at all is the finding
        findings.crash(error, name)
        return
    findings.note(outcome)


async def _outcome_of(agent: FulfillAgent, body: bytes, headers: Any) -> str:
    """What became of one record, in a word. Raises what is wrong."""
    record = SimpleNamespace(
        value=body, key=b"k", headers=headers, topic=WMS_EVENTS.name, partition=0, offset=0, timestamp=_now_ms()
    )
    decoded = _DECODE(record)
    [outcome] = [decoded] if isinstance(decoded, PermanentError) else await agent.handle([decoded])
    if isinstance(outcome, PermanentError):
        return outcome.reason
    for event in outcome:
        _ENCODE(event)
    return f"{len(outcome)} events" if outcome else "noted"


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


_DECODE: Final = Decoder(WMS_EVENTS)
_ENCODE: Final = Encoder([ORDERS_PLANNED, ORDERS_REVIEW])

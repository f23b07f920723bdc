"""Reservation without the fleet around it: the same workflows and the same scripts, a pipeline a pace, no framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis

from schemas.plan import PlannedOrder
from schemas.record import encode
from schemas.topics import ORDERS_BACKORDERED, ORDERS_ROUTED, TRANSFERS_REQUESTED
from workers.inventory.operations import claim, settle, steps
from workers.inventory.operations.claim import Claim
from workers.inventory.operations.settle import Settlement, SettleOutcome
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.steps import Step
from workers.inventory.retention import REMEMBER_MS
from workers.reserve.claimed import Steps, WorkflowResult
from workers.reserve.decide import reservation_workflow
from workers.reserve.result import Result, events_of
from workers.runtime.kafka.records import Record
from workers.runtime.redis.scripts import ScriptCall
from workers.runtime.settings import Settings
from workers.runtime.wire import Encoder


class PlainReserve:
    """Takes stock for a batch in which no order stands twice; asks again for nothing that fails."""

    def __init__(self, settings: Settings) -> None:
        self._redis = Redis.from_url(settings.redis_url.get_secret_value())
        self._context = CallContext(REMEMBER_MS)
        self._hold_seconds = settings.hold_seconds
        self._encode = Encoder([ORDERS_ROUTED, ORDERS_BACKORDERED, TRANSFERS_REQUESTED])
        self._loaded: set[str] = set()

    def records(self, orders: Sequence[PlannedOrder], sources: Sequence[str]) -> list[Record]:
        """What the world is told of these orders. `sources`: where each stands, <partition>:<offset>."""
        asked = [(o.order.uid, o.order.revision, [c.warehouse_id for c in o.plan.candidates]) for o in orders]
        replies = self._run([claim.call(*each) for each in asked])
        claims = [claim.parse(each[0], reply) for each, reply in zip(asked, replies, strict=True)]
        results = self._walk(orders, [each for each in claims if isinstance(each, Claim)])
        settlements = [
            _settlement(order, each, ending, source)
            for order, each, ending, source in zip(orders, claims, results, sources, strict=True)
            if isinstance(each, Claim)
        ]
        for reply in self._run([settle.call(settlement, self._context) for settlement in settlements]):
            assert settle.parse(reply) is SettleOutcome.SETTLED
        return [
            self._encode(event)
            for order, ending in zip(orders, results, strict=True)
            for event in events_of(order, ending.result)
        ]

    def _walk(self, orders: Sequence[PlannedOrder], claims: Sequence[Claim]) -> list[WorkflowResult]:
        workflows = [
            reservation_workflow(o, c, dict(c.holdings), self._hold_seconds)
            for o, c in zip(orders, claims, strict=True)
        ]
        results: list[WorkflowResult | None] = [None] * len(workflows)
        asking = [(number, _advance(each, None, results, number)) for number, each in enumerate(workflows)]
        asking = [(number, each) for number, each in asking if each]
        while asking:
            wanted = [step for _, each in asking for step in each]
            replies = self._run([steps.call(step, self._context) for step in wanted])
            answers = iter([steps.parse(step, reply) for step, reply in zip(wanted, replies, strict=True)])
            again = []
            for number, each in asking:
                onward = _advance(workflows[number], [next(answers) for _ in each], results, number)
                if onward:
                    again.append((number, onward))
            asking = again
        return [ending for ending in results if ending is not None]

    def _run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for script, keys, args in calls:
            if script.digest not in self._loaded:
                self._redis.script_load(script.text)
                self._loaded.add(script.digest)
            pipeline.evalsha(script.digest, len(keys), *keys, *args)
        return pipeline.execute()


def _advance(steps: Steps, answers: Any, results: list[WorkflowResult | None], number: int) -> Sequence[Step]:
    try:
        return next(steps) if answers is None else steps.send(answers)
    except StopIteration as stop:
        results[number] = stop.value
        return ()


def _settlement(planned: PlannedOrder, claim: Claim, ending: WorkflowResult, source: str) -> Settlement:
    order, result = planned.order, ending.result
    said = b"" if result == Result() else encode(result)
    return Settlement(
        order.uid, order.revision, claim.fence, ending.state, ending.holdings, ending.routed, said, source
    )

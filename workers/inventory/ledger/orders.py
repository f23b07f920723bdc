"""One order's way through the ledger: claim, steps, settle; and what is known of an order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from workers.inventory.keys import order_key
from workers.inventory.operations import claim, settle, steps
from workers.inventory.operations.claim import Claim
from workers.inventory.operations.settle import Settlement, SettleOutcome
from workers.inventory.operations.shared.context import CallContext, RunScripts
from workers.inventory.operations.shared.parsing import parse_place
from workers.inventory.operations.steps import Step
from workers.inventory.reading import read_reservations
from workers.inventory.records import Answer, CorruptLedger, OrderSnapshot, OrderState, Quantities, Reservation
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import Each, ScriptCall, read_all

_UNKNOWN_LINES: Final = "UNKNOWN_LINES"


class OrderLedger:
    """What is done for one order at a time, and what is known of it."""

    def __init__(self, redis: Redis, run: RunScripts, context: CallContext) -> None:
        self._redis = redis
        self._run = run
        self._context = context

    async def claim(
        self, orders: Sequence[tuple[str, str, Sequence[str]] | tuple[str, str, Sequence[str], int]]
    ) -> list[Claim | CorruptLedger]:
        """Claim (order uid, revision, warehouses that may be asked, decisions known). No two may be of one order."""
        replies = await self._run(Each(lambda order: claim.call(*order), orders))
        return [claim.parse(order[0], reply) for order, reply in zip(orders, replies, strict=True)]

    async def apply(self, asked: Sequence[Step]) -> list[Answer | CorruptLedger]:
        """Take the steps; those in one warehouse one after the other, in the order given."""
        replies = await self._run(Each(self._call, asked))
        answers = [steps.parse(step, reply) for step, reply in zip(asked, replies, strict=True)]
        for number, answer in enumerate(answers):
            if isinstance(answer, Answer) and answer.outcome == _UNKNOWN_LINES:
                answers[number] = await self._apply_knowing(asked[number], replies[number])
        return answers

    async def _apply_knowing(self, step: Step, reply: Any) -> Answer | CorruptLedger:
        """Take one step again, with the SKUs that the reservation turned out to have."""
        also: set[str] = set()
        while True:
            also.update(sku.decode() for sku in reply[1:])
            [reply] = await self._run([steps.call(step, self._context, also)])
            answer = steps.parse(step, reply, also)
            if not isinstance(answer, Answer) or answer.outcome != _UNKNOWN_LINES:
                return answer

    def _call(self, step: Step) -> ScriptCall:
        return steps.call(step, self._context)

    async def settle(self, settlements: Sequence[Settlement]) -> list[SettleOutcome]:
        """Write down how each ended. LOST means: another claim came since, start over."""
        replies = await self._run(Each(lambda one: settle.call(one, self._context), settlements))
        return [settle.parse(reply) for reply in replies]

    async def shipped(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[bool]:
        """Of (order uid, warehouses): whether anything of the order has left any of them."""
        return [bool(units) for units in await self.shipped_units(asked)]

    async def shipped_units(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[Quantities]:
        """Of (order uid, warehouses): the units of the order that have left all of these, by SKU."""
        pairs = [(warehouse_id, uid) for uid, warehouse_ids in asked for warehouse_id in warehouse_ids]
        found = {(one.warehouse_id, one.order_uid): one.shipped for one in await read_reservations(self._redis, pairs)}
        units = [Counter[str]() for _ in asked]
        for counter, (uid, warehouse_ids) in zip(units, asked, strict=True):
            for warehouse_id in warehouse_ids:
                counter.update(found.get((warehouse_id, uid), {}))
        return [dict(counter) for counter in units]

    async def reservations(self, asked: Sequence[tuple[str, str]]) -> list[Reservation]:
        """What (warehouse, order uid) have; state "" where nothing is known. Raises CorruptLedger."""
        return await read_reservations(self._redis, asked)

    async def sources(self, order_uids: Sequence[str]) -> list[tuple[int, int] | None]:
        """Where in `orders.planned` the newest settled revision of each stands: partition and offset."""
        found = await read_all(self._redis, [("HGET", order_key(uid), "source") for uid in order_uids])
        return [parse_place(source) for source in found]

    async def revisions(self, order_uids: Sequence[str]) -> list[str]:
        """The newest revision of each order that came this far, "" of an order that is not known (any more)."""
        found = await read_all(self._redis, [("HGET", order_key(uid), "revision") for uid in order_uids])
        return [(revision or b"").decode() for revision in found]

    async def where_is(self, order_uid: str) -> OrderSnapshot:
        """Everything known about one order, for people who ask where its stock is and why. Raises CorruptLedger."""
        with redis_errors():
            pointer: Any = await self._redis.hgetall(order_key(order_uid))
        text = {name.decode(): value for name, value in pointer.items()}
        holdings: dict[str, Quantities] = orjson.loads(text.get("holdings") or b"{}")
        intent = tuple(filter(None, text.get("intent", b"").decode().split(",")))
        warehouses = dict.fromkeys((*holdings, *intent))
        reservations = await read_reservations(self._redis, [(warehouse_id, order_uid) for warehouse_id in warehouses])
        state = text.get("state", b"").decode()
        return OrderSnapshot(
            order_uid=order_uid,
            revision=text.get("revision", b"").decode(),
            state=OrderState(state) if state else None,
            settled=text.get("phase") == b"settled",
            intent=intent,
            holdings=holdings,
            routed=tuple(orjson.loads(text.get("routed") or b"{}")),
            source=text.get("source", b"").decode(),
            reservations=tuple(found for found in reservations if found.state),
        )

"""What people decided about orders: what stands, and what became of each decision. What it means is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
from redis.asyncio import Redis

from workers.inventory.keys import decisions_key, order_key
from workers.inventory.operations import decide
from workers.inventory.operations.decide import Decide, DecideAck
from workers.inventory.operations.shared.context import CallContext, RunScripts
from workers.inventory.operations.shared.parsing import parse_place
from workers.inventory.records import Holdings, OrderState
from workers.runtime.redis.scripts import Each, read_all

_FIELDS: Final = ("revision", "phase", "state", "source", "fence", "routed", "holdings", "standing", "decided")


class OrderAsItStands(NamedTuple):
    """An order, as seen by who decides about it. `revision`: "" when nobody knows it."""

    revision: str = ""
    settled: bool = False  # False with a revision: somebody is working on it
    state: OrderState | None = None
    place: tuple[int, int] | None = None  # where its planned order stands
    fence: int = 0  # of the newest claim: the time it was made, microseconds since 1970
    told: tuple[str, ...] = ()  # warehouses that are told to ship it
    holdings: Holdings = {}  # noqa: RUF012  # what it has, by warehouse and SKU
    standing: bytes = b""
    number: int = 0  # how many decisions stand
    before: bytes = b""  # what became of this decision, when it is a repeat


class DecisionLedger:
    """Every method takes a batch and costs one round trip. All raise TransientError when Redis is away."""

    def __init__(self, redis: Redis, run: RunScripts, context: CallContext) -> None:
        self._redis = redis
        self._run = run
        self._context = context

    async def standing(self, order_uids: Sequence[str]) -> list[bytes | None]:
        """What stands for each of these orders; None where nobody decided anything."""
        return await read_all(self._redis, Each(lambda uid: ("HGET", order_key(uid), "standing"), order_uids))

    async def look(self, asked: Sequence[tuple[str, str]]) -> list[OrderAsItStands]:
        """Of (order uid, decision id): the order as it stands, and whether the decision was written down before."""
        commands: list[tuple[str, ...]] = []
        for uid, decision_id in asked:
            commands += [("HMGET", order_key(uid), *_FIELDS), ("HGET", decisions_key(uid), decision_id)]
        replies = await read_all(self._redis, commands)
        return [_as_it_stands(*pair) for pair in zip(replies[::2], replies[1::2], strict=True)]

    async def decide(self, decided: Sequence[Decide]) -> list[DecideAck]:
        """Write down what became of these decisions. No two of them may be of one order."""
        replies = await self._run([decide.call(one, self._context) for one in decided])
        return [decide.parse(reply) for reply in replies]


def _as_it_stands(fields: Sequence[Any], before: bytes | None) -> OrderAsItStands:
    revision, phase, state, source, fence, routed, holdings, standing, decided = fields
    if not revision:
        return OrderAsItStands(before=before or b"")
    return OrderAsItStands(
        revision=revision.decode(),
        settled=phase == b"settled",
        state=OrderState(state.decode()) if state else None,
        place=parse_place(source),
        fence=int(fence or 0),
        told=tuple(orjson.loads(routed or b"{}")),
        holdings=orjson.loads(holdings or b"{}"),
        standing=standing or b"",
        number=int(decided or 0),
        before=before or b"",
    )

"""The uphold stages: one question to Redis for a chunk, whether anybody decided anything about its orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from schemas.order import Order
from schemas.plan import ReturnedOrder, UpheldOrder
from workers.inventory.ledger import Ledger
from workers.inventory.ledger.decisions import DecisionLedger
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery, Outcome
from workers.uphold.decide import uphold, uphold_returned

In = TypeVar("In")


class Services(Protocol):
    """What these stages need of the process."""

    @property
    def ledger(self) -> Ledger:
        """Where what people decided is kept."""
        ...


def uphold_new(services: Services) -> UpholdAgent[Order]:
    """The agent for orders as their platforms describe them."""
    return UpholdAgent(services.ledger.decisions, lambda order: order.uid, uphold)


def uphold_again(services: Services) -> UpholdAgent[ReturnedOrder]:
    """The agent for orders that come back to be decided anew."""
    return UpholdAgent(services.ledger.decisions, lambda returned: returned.tagged.order.uid, uphold_returned)


class UpholdAgent(Generic[In]):
    """One round trip a chunk; nothing else waits."""

    gives_way = True

    def __init__(
        self,
        decisions: DecisionLedger,
        uid_of: Callable[[In], str],
        uphold: Callable[[In, bytes | None], UpheldOrder],
    ) -> None:
        self._decisions = decisions
        self._uid_of = uid_of
        self._uphold = uphold

    async def handle(self, batch: Sequence[Delivery[In]]) -> Sequence[Outcome]:
        """Every order in, one UpheldOrder out."""
        uid_of = self._uid_of
        kept = await self._decisions.standing([uid_of(delivery.value) for delivery in batch])
        return [self._one(delivery.value, found) for delivery, found in zip(batch, kept, strict=True)]

    def _one(self, order: In, kept: bytes | None) -> Outcome:
        try:
            return (self._uphold(order, kept),)
        except PermanentError as error:
            return error

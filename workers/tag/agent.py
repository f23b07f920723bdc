"""The tag stage: no I/O of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from schemas.order import Order
from schemas.plan import TaggedOrder
from workers.rules.provider import RulesProvider
from workers.runtime.stage import Delivery, EachOf
from workers.tag.decide import decide


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def rules(self) -> RulesProvider:
        """The catalogue and the rules in force."""
        ...


def tag(services: Services) -> EachOf[Order]:
    """The agent: every order in, one TaggedOrder out."""
    rules = services.rules

    def tag_one(delivery: Delivery[Order]) -> Sequence[TaggedOrder]:
        book = rules.current()
        return (decide(delivery.value, book.catalogue, book.ruleset.tagging),)

    return EachOf(tag_one)

"""The tag stage: no I/O of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from schemas.plan import TaggedOrder, UpheldOrder
from schemas.record import changed
from workers.rules.provider import RulesProvider
from workers.runtime.stage import Delivery, EachOf
from workers.tag.decide import decide


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def rules(self) -> RulesProvider:
        """The catalogue and the rules in force."""
        ...


def tag(services: Services) -> EachOf[UpheldOrder]:
    """The agent: every order in, one TaggedOrder out."""
    rules = services.rules

    def tag_one(delivery: Delivery[UpheldOrder]) -> Sequence[TaggedOrder]:
        book, value = rules.current(), delivery.value
        tagged = decide(value.order, book.catalogue, book.ruleset.tagging)
        return (tagged if value.upheld is None else changed(tagged, upheld=value.upheld),)

    return EachOf(tag_one)

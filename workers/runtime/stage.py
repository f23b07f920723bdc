"""What a stage is, and the check that a table of stages hangs together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from schemas.topics import Topic
from workers.runtime.errors import PermanentError

_A_TURN: Final = 25
"""Deliveries that a pure stage works on at a stretch: a few milliseconds."""

In = TypeVar("In")
Services = TypeVar("Services")


class Delivery(msgspec.Struct, Generic[In], eq=False, gc=False):
    """One message on its way through a stage: what it says, and where it came from."""

    value: In
    key: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    topic: str = ""
    partition: int = 0
    offset: int = 0
    timestamp_ms: int = 0

    def carrying(self, value: Any) -> Delivery[Any]:
        """The same delivery with another value: how a chained stage hands over."""
        return Delivery(value, self.key, self.headers, self.topic, self.partition, self.offset, self.timestamp_ms)


Outcome = Sequence[Any] | PermanentError
"""What became of one delivery: the events it caused, or why it can never be processed."""


class Agent(Protocol[In]):
    """The I/O of one stage. Its decisions are in `decide.py` beside it."""

    async def handle(self, batch: Sequence[Delivery[In]]) -> Sequence[Outcome]:
        """Process a batch of one partition, ascending. One outcome per delivery, in their order.

        Must be idempotent: a batch may come again, whole or in part. Raises TransientError when a dependency is away.
        """
        ...


class EachOf(Generic[In]):
    """An agent for a stage that needs no I/O: a pure function of one delivery, with bad ones set aside."""

    gives_way = True  # its group has no reason to go ahead of those that read what it writes

    def __init__(self, decide: Callable[[Delivery[In]], Sequence[Any]]) -> None:
        self._decide = decide

    async def handle(self, batch: Sequence[Delivery[In]]) -> Sequence[Outcome]:
        """One outcome per delivery; a PermanentError stays with its delivery.

        Now and then it lets others have their turn: an answer of Redis should not wait for a whole batch.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(batch), _A_TURN):
            outcomes += [self._one(delivery) for delivery in batch[start : start + _A_TURN]]
            await asyncio.sleep(0)
        return outcomes

    def _one(self, delivery: Delivery[In]) -> Outcome:
        try:
            return self._decide(delivery)
        except PermanentError as error:
            return error


@dataclass(frozen=True, slots=True)
class Chained:
    """Reads what the row above hands over, in memory, within one chunk, acknowledged together.

    `topic` is where the hand-over goes when the stages are to run apart: give the row that topic instead.
    """

    topic: Topic

    def __str__(self) -> str:
        return "chained"


chained = Chained


@dataclass(frozen=True, slots=True)
class Every:
    """A stage that reads no topic and runs on a timer."""

    seconds: float

    def __str__(self) -> str:
        return f"every {self.seconds:g} s"


every = Every


@dataclass(frozen=True, slots=True)
class Stage(Generic[Services]):
    """One row of the pipeline. `agent` is called once per process with the services it may use."""

    name: str
    reads: Topic | Chained | Every
    writes: tuple[Topic, ...]
    agent: Callable[[Services], Any]


class Ticking(Protocol):
    """The agent of a stage that runs on a timer."""

    async def tick(self) -> Sequence[Any]:
        """Do what is due and return the events it caused. Safe to run in any number of processes at once."""
        ...

    async def confirmed(self) -> bool | None:
        """The events of the last tick are safely in Kafka: what they were kept in may be given up.

        True: there is more to do than a tick may take at once, so that the next one begins without a pause.
        """
        ...

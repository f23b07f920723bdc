"""What a stage is, and the check that a table of stages hangs together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
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
class Following:
    """Reads topics from places that the stage keeps itself, beside what it made of them: no group's offsets count."""

    topics: tuple[Topic, ...]

    def __str__(self) -> str:
        return "from its own places"


def following(*topics: Topic) -> Following:
    """A row that reads these, and keeps its places itself."""
    return Following(topics)


@dataclass(frozen=True, slots=True)
class Stage(Generic[Services]):
    """One row of the pipeline. `agent` is called once per process with the services it may use."""

    name: str
    reads: Topic | Chained | Every | Following
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


Partition = tuple[str, int]  # topic, number


class NotOurTurn(Exception):
    """Another process does this work now: ask again in a while."""


class KeptPlaces(Protocol):
    """Where a stage that keeps its places itself has come, and the way to go on. Raises TransientError."""

    def places(self) -> Mapping[Partition, int]:
        """The offset of the record that comes next, for each partition of which anything was ever written."""
        ...

    def write(self, records: Sequence[Any]) -> None:
        """Write what records (confluent_kafka.Message, ascending in each partition) say, and their places with it."""
        ...

    def forget(self, partition: Partition) -> None:
        """The place is none any more: what was to come next is gone, and the partition is read from its beginning."""
        ...

    def idle(self) -> None:
        """Nothing came: see whether what is written to is still there."""
        ...


class Follower(Protocol):
    """The agent of a stage that keeps its places itself. It runs in a thread of its own, and may block there."""

    def session(self) -> AbstractContextManager[KeptPlaces]:
        """Begin to work, as the only one who does. Raises NotOurTurn, and TransientError when that cannot be now."""
        ...

    def takes(self, partition: Partition) -> bool:
        """Whether this process is the one who reads a partition, of those that share the work."""
        ...

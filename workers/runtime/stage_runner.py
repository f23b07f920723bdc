"""Runs a group of chained stages over one chunk: decode, handle, send, and what happens when something fails.

A chunk is done when every output is confirmed by Kafka; only then may it be acknowledged. `run` never raises:

  bad record           dead letter, and the rest goes on
  bad output           one that cannot be written, or that Kafka never takes: what it was made of becomes a dead letter
  TransientError       the whole chunk again, in place, with back-off; when the deadline passes the process leaves
                       without an acknowledgement, so that nothing is lost and a fresh start gets its chance
  Misconfigured        the same, but at once: only a person can help
  any other exception  a bug: the chunk again in halves, and the culprit becomes a dead letter

What an exception says is not logged, as it may quote an order: its type and place are. DEBUG shows all.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NoReturn

from schemas.namespace import unprefixed
from schemas.topics import ORDERS_QUARANTINED, Topic
from workers.runtime import metrics
from workers.runtime.errors import Misconfigured, PermanentError, TransientError, bug, ends_the_process, path_of
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record
from workers.runtime.outputs import Outputs, unwritable
from workers.runtime.stage import Agent, Delivery, Outcome
from workers.runtime.table import Group
from workers.runtime.wire import Decoder, Encoder

log = logging.getLogger(__name__)

EXIT_GIVEN_UP: Final = 70
EXIT_MISCONFIGURED: Final = 78
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def exit_uncommitted(code: int) -> NoReturn:
    """End the process here and now: nothing after this line may acknowledge."""
    logging.shutdown()
    os._exit(code)


class _Step:
    """One stage of the group, ready to run."""

    def __init__(self, name: str, agent: Agent[Any], writes: Sequence[Topic]) -> None:
        self.name = name
        self.agent = agent
        self.encode = Encoder([*writes, ORDERS_QUARANTINED] if ORDERS_QUARANTINED not in writes else writes)
        self.records = metrics.STAGE_RECORDS.labels(name)
        self.seconds = metrics.STAGE_SECONDS.labels(name)
        self.bugs = metrics.BUGS.labels(name)


class _Work:
    """One record on its way through the steps, with the record it came from."""

    __slots__ = ("delivery", "record")

    def __init__(self, record: Any, delivery: Delivery[Any]) -> None:
        self.record = record
        self.delivery = delivery


class StageRunner:
    """The group's steps, with everything around them."""

    def __init__(
        self,
        group: Group,
        agents: Sequence[Agent[Any]],
        producer: Producer,
        *,
        retry_seconds: float,
        give_up: Callable[[int], NoReturn] = exit_uncommitted,
    ) -> None:
        assert isinstance(group.reads, Topic)
        self.name = group.name
        self._decode = Decoder(group.reads)
        self._steps = [
            _Step(stage.name, agent, stage.writes) for stage, agent in zip(group.stages, agents, strict=True)
        ]
        self._producer = producer
        self._retry_seconds = retry_seconds
        self._give_up = give_up
        self._sending = metrics.SEND_SECONDS.labels(group.name)
        self._age = metrics.AGE_SECONDS.labels(group.name)
        self.only_computes = all(getattr(agent, "gives_way", False) for agent in agents)
        self._retries = metrics.RETRIES.labels(group.name)  # shown as 0 from the start: an alert needs to see the first

    async def run(self, chunk: Sequence[Any]) -> None:
        """Process one chunk of ConsumerRecords. When it returns, every effect and output is safe."""
        deadline = time.monotonic() + self._retry_seconds
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._attempt(chunk)
            except TransientError as error:
                await self._wait_or_leave(error, deadline, pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except BaseException as error:
                if ends_the_process(error):
                    raise
                log.critical(
                    "%s: unexpected failure outside a stage, %s at %s; leaving without acknowledgement",
                    self.name,
                    type(error).__name__,
                    path_of(error),
                )
                log.debug("%s: that failure", self.name, exc_info=True)
                self._give_up(EXIT_GIVEN_UP)
            else:
                self._age.observe(max(0.0, time.time() - chunk[0].timestamp / 1000))
                return

    async def _wait_or_leave(self, error: TransientError, deadline: float, pause: float) -> None:
        self._retries.inc()
        if isinstance(error, Misconfigured):
            log.error("%s: %s; leaving without acknowledgement", self.name, error)
            self._give_up(EXIT_MISCONFIGURED)
        if time.monotonic() > deadline:
            log.error(
                "%s: gave up after %g s: %s; leaving without acknowledgement", self.name, self._retry_seconds, error
            )
            self._give_up(EXIT_GIVEN_UP)
        log.warning("%s: %s; trying again in %.1f s", self.name, error, pause)
        await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311  # spreads retries, guards nothing

    async def _attempt(self, chunk: Sequence[Any]) -> None:
        outputs = Outputs()
        work = self._decoded(chunk, outputs)
        for step in self._steps:
            if not work:
                break
            work = await self._step(step, work, outputs)
        started = time.perf_counter()
        await outputs.send(self._producer)
        self._sending.observe(time.perf_counter() - started)

    def _decoded(self, chunk: Sequence[Any], outputs: Outputs) -> list[_Work]:
        work = []
        for record in chunk:
            decoded = self._decode(record)
            if isinstance(decoded, PermanentError):
                outputs.set_aside(self._steps[0].name, record, decoded)
            else:
                work.append(_Work(record, decoded))
        return work

    async def _step(self, step: _Step, work: Sequence[_Work], outputs: Outputs) -> list[_Work]:
        started = time.perf_counter()
        outcomes = await self._handle(step, work)
        onward: list[_Work] = []
        before = len(outputs.records)
        for item, outcome in zip(work, outcomes, strict=True):
            if isinstance(outcome, PermanentError):
                outputs.set_aside(step.name, item.record, outcome)
            else:
                onward += _written(step, item, outcome, outputs)
        self._count(step, len(outcomes), outputs.records[before:])
        step.seconds.observe(time.perf_counter() - started)
        return onward

    async def _handle(self, step: _Step, work: Sequence[_Work]) -> Sequence[Outcome]:
        try:
            return await _outcomes(step, work)
        except TransientError:
            raise
        except BaseException as error:
            if ends_the_process(error):
                raise
            step.bugs.inc()
            kind, path = type(error).__name__, path_of(error)
            log.error(
                "%s: bug, %s at %s; looking for the culprit among %d", step.name, kind, path, len(work)
            )  # its words may quote an order
            log.debug("%s: that bug", step.name, exc_info=True)
            return await self._find(step, work, error)

    async def _find(self, step: _Step, work: Sequence[_Work], error: BaseException) -> list[Outcome]:
        """The outcomes of work that failed as a whole. It is tried again in halves: an agent is idempotent."""
        if len(work) == 1:
            return [bug(step.name, error)]
        outcomes: list[Outcome] = []
        middle = len(work) // 2
        for half in (work[:middle], work[middle:]):
            try:
                outcomes += await _outcomes(step, half)
            except TransientError:
                raise
            except BaseException as error_of_half:
                if ends_the_process(error_of_half):
                    raise
                outcomes += await self._find(step, half, error_of_half)
        return outcomes

    def _count(self, step: _Step, finished: int, written: Iterable[Record]) -> None:
        step.records.inc(finished)
        for topic, count in Counter(record.topic for record in written).items():
            if topic != ORDERS_QUARANTINED.name:
                metrics.STAGE_EVENTS.labels(step.name, unprefixed(topic)).inc(count)


async def _outcomes(step: _Step, work: Sequence[_Work]) -> Sequence[Outcome]:
    outcomes = await step.agent.handle([item.delivery for item in work])
    if len(outcomes) != len(work):
        raise ValueError(f"{len(outcomes)} outcomes for {len(work)} deliveries")
    return outcomes


def _written(step: _Step, item: _Work, outcome: Sequence[Any], outputs: Outputs) -> list[_Work]:
    """Add what leaves for a topic to the outputs, or a letter when a part of it cannot be written. What goes onward."""
    onward: list[_Work] = []
    before = len(outputs.records)
    try:
        for event in outcome:
            if step.encode.writes(event):
                outputs.add(step.encode(event), step.name, item.record)
            else:
                onward.append(_Work(item.record, item.delivery.carrying(event)))
    except BaseException as error:
        if ends_the_process(error):
            raise
        outputs.cut_back(before)
        outputs.set_aside(step.name, item.record, unwritable(step.name, error))
        return []
    return onward

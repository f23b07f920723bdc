"""Runs a group of chained stages over one chunk: decode, handle, send, and what happens when something fails.

A chunk is done when every output is confirmed by Kafka; only then may it be acknowledged. `run` never raises:

  bad record           dead letter, and the rest goes on
  TransientError       the whole chunk again, in place, with back-off; when the deadline passes the process leaves
                       without an acknowledgement, so that nothing is lost and a fresh start gets its chance
  Misconfigured        the same, but at once: only a person can help
  any other exception  a bug: the chunk again record by record, and the culprit becomes a dead letter
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NoReturn

from schemas.dead_letter import DeadLetter, Failure
from schemas.topics import ORDERS_QUARANTINED, Topic
from workers.runtime import metrics
from workers.runtime.errors import Misconfigured, PermanentError, TransientError
from workers.runtime.producer import Producer
from workers.runtime.records import Record
from workers.runtime.stage import Agent, Delivery, EachOf, Outcome
from workers.runtime.table import Group
from workers.runtime.wire import Decoder, Encoder, dead_letter

log = logging.getLogger(__name__)

EXIT_GIVEN_UP: Final = 70
EXIT_MISCONFIGURED: Final = 78
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def leave_without_ack(code: int) -> NoReturn:
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


class Shell:
    """The group's steps, with everything around them."""

    def __init__(
        self,
        group: Group,
        agents: Sequence[Agent[Any]],
        producer: Producer,
        *,
        retry_seconds: float,
        give_up: Callable[[int], NoReturn] = leave_without_ack,
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
        self.only_computes = all(isinstance(agent, EachOf) for agent in agents)
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
            except Exception:
                log.exception("%s: unexpected failure outside a stage; leaving without acknowledgement", self.name)
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
        outputs: list[Record] = []
        work = self._decoded(chunk, outputs)
        for step in self._steps:
            if not work:
                break
            work = await self._step(step, work, outputs)
        started = time.perf_counter()
        await self._producer.send(outputs)
        self._sending.observe(time.perf_counter() - started)

    def _decoded(self, chunk: Sequence[Any], outputs: list[Record]) -> list[_Work]:
        work = []
        for record in chunk:
            decoded = self._decode(record)
            if isinstance(decoded, PermanentError):
                outputs.append(self._letter(self._steps[0], record, decoded))
            else:
                work.append(_Work(record, decoded))
        return work

    async def _step(self, step: _Step, work: Sequence[_Work], outputs: list[Record]) -> list[_Work]:
        started = time.perf_counter()
        outcomes = await self._handle(step, work)
        onward: list[_Work] = []
        written_to: list[str] = []
        for item, outcome in zip(work, outcomes, strict=True):
            if isinstance(outcome, PermanentError):
                outputs.append(self._letter(step, item.record, outcome))
                continue
            for event in outcome:
                if step.encode.writes(event):
                    record = step.encode(event)
                    outputs.append(record)
                    written_to.append(record.topic)
                else:
                    onward.append(_Work(item.record, item.delivery.carrying(event)))
        self._count(step, len(outcomes), written_to)
        step.seconds.observe(time.perf_counter() - started)
        return onward

    async def _handle(self, step: _Step, work: Sequence[_Work]) -> Sequence[Outcome]:
        try:
            return await step.agent.handle([item.delivery for item in work])
        except TransientError:
            raise
        except Exception:
            step.bugs.inc()
            log.exception("%s: bug; trying its chunk of %d record by record", step.name, len(work))
        return [await self._alone(step, item) for item in work]

    async def _alone(self, step: _Step, item: _Work) -> Outcome:
        try:
            [outcome] = await step.agent.handle([item.delivery])
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001  # the culprit is kept, with the place where it broke
            return PermanentError("bug", [_where_it_broke(step.name, error)])
        return outcome

    def _letter(self, step: _Step, record: Any, error: PermanentError) -> Record:
        letter: DeadLetter = dead_letter(record, step.name, error)
        metrics.DEAD_LETTERS.labels(step.name, error.reason).inc()
        log.warning("%s: set aside %s: %s", step.name, letter.letter_id, error)
        return step.encode(letter)

    def _count(self, step: _Step, finished: int, written_to: Iterable[str]) -> None:
        step.records.inc(finished)
        for topic, count in Counter(written_to).items():
            metrics.STAGE_EVENTS.labels(step.name, topic).inc(count)


def _where_it_broke(stage: str, error: Exception) -> Failure:
    """The exception's type and the lines it passed, without its message: that could quote an order."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    path = " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames)
    return Failure(attempt=stage, where=path, problem=type(error).__name__)

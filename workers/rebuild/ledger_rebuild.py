"""Making a lost ledger again, from Kafka or from a backup: what is checked first, what is done, what comes of it.

Everything here raises RebuildError when it is not done, and TransientError when Kafka or Redis is away.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple, Protocol

from redis.asyncio import Redis

from schemas.record import record
from workers.inventory.epoch import EpochLog, carry_epoch, read_epoch
from workers.inventory.report import Finding
from workers.rebuild.backup import Backup, clear, ledger_size, read_backup
from workers.rebuild.contents import write_contents
from workers.rebuild.errors import IncompleteEvents, LedgerNotEmpty
from workers.rebuild.quiet import refuse_unless_quiet
from workers.rebuild.rebuild import Differences, LostOrder, Rebuild
from workers.rebuild.replay_audit import event_findings
from workers.rebuild.sources import Sources
from workers.runtime.kafka.cluster import Kafka


class Listener(Protocol):
    """Is told what happens while it happens: it takes minutes, and a later step may fail."""

    def read(self, topic: str, records: int) -> None:
        """So many records of a topic were read up to now."""

    def found_gap(self, finding: Finding) -> None:
        """What the events do not tell."""

    def backed_up(self, backup: Backup) -> None:
        """What was in Redis lies in this file, and is deleted next."""


@record
class Rebuilt:
    """A ledger made again: keys written, events read, seconds in all and of reading, and what was left out."""

    keys: int
    events: int
    unreadable: int
    seconds: float
    reading_seconds: float
    backup: Path | None
    lost: list[LostOrder]


class Comparison(NamedTuple):
    """What is in Redis against what so many events tell."""

    events: int
    differences: Differences


class _Found(NamedTuple):
    """Redis before it is written to. `emptied`: what it holds was written after it had been emptied."""

    keys: int
    emptied: bool


async def rebuild_ledger(
    kafka: Kafka,
    redis: Redis,
    listener: Listener,
    folder: Path,
    *,
    replace: bool = False,
    accept_gaps: bool = False,
    requeue: bool = False,
) -> Rebuilt:
    """Make the ledger again from Kafka. What Redis holds goes to a backup in `folder`, if `replace` allows that.

    `requeue`: let the fleet decide the orders again whose last change was lost.
    """
    started = time.monotonic()
    found = await _checked(kafka, redis, replace=replace)
    rebuild = await _read(kafka, redis, listener, emptied=found.emptied, accept_gaps=accept_gaps)
    read = time.monotonic()
    await refuse_unless_quiet(kafka, redis)
    backup = None
    if found.keys or found.emptied:
        backup = await clear(redis, folder, listener.backed_up, outboxes=found.emptied)
    keys = await rebuild.write()
    await carry_epoch(redis, kafka)
    written = time.monotonic()
    lost = await rebuild.lost_orders()
    if lost and requeue:
        await rebuild.requeue(lost)
    return Rebuilt(
        keys=keys,
        events=rebuild.replay.events,
        unreadable=rebuild.replay.unreadable + rebuild.trails.unreadable + rebuild.decisions.unreadable,
        seconds=written - started,
        reading_seconds=read - started,
        backup=backup.path if backup else None,
        lost=lost,
    )


async def compare_ledger(kafka: Kafka, redis: Redis, listener: Listener) -> Comparison:
    """What is in Redis against what Kafka says it must hold. Writes nothing; takes the events with their gaps."""
    found = await _checked(kafka, redis, replace=True)
    rebuild = await _read(kafka, redis, listener, emptied=found.emptied, accept_gaps=True)
    return Comparison(rebuild.replay.events, await rebuild.compare())


async def restore_ledger(
    kafka: Kafka, redis: Redis, listener: Listener, folder: Path, source: Path, *, replace: bool = False
) -> int:
    """Put back what a backup holds. How many keys."""
    found = await _checked(kafka, redis, replace=replace)
    contents = read_backup(source)
    if found.keys:
        await clear(redis, folder, listener.backed_up, outboxes=False)
    keys = await write_contents(redis, contents)
    await carry_epoch(redis, kafka)
    return keys


async def _checked(kafka: Kafka, redis: Redis, *, replace: bool) -> _Found:
    await refuse_unless_quiet(kafka, redis)
    found = _Found(await ledger_size(redis), await _was_emptied(kafka, redis))
    if found.keys and not (replace or found.emptied):
        raise LedgerNotEmpty(found.keys)
    return found


async def _was_emptied(kafka: Kafka, redis: Redis) -> bool:
    """Whether what is in Redis was written after it had been emptied: nothing that is worth keeping."""
    return not await read_epoch(redis) and (await EpochLog(kafka).read()).epoch is not None


async def _read(kafka: Kafka, redis: Redis, listener: Listener, *, emptied: bool, accept_gaps: bool) -> Rebuild:
    sources = Sources(kafka, redis, listener.read, emptied=emptied)
    rebuild = Rebuild(kafka, redis, sources)
    await sources.read()
    gaps = [finding for one in rebuild.replay for finding in event_findings(one)]
    for gap in gaps:
        listener.found_gap(gap)
    if gaps and not accept_gaps:
        raise IncompleteEvents
    for one in rebuild.replay:
        if one.lost:
            one.settle_by_records()
    return rebuild

"""The pipeline, whole: which stage reads what, writes what, and who does the work.

Read STAGES from top to bottom and you have read the system. A row that is `chained` gets its input in memory from the
row above, within one chunk and one acknowledgement; give it the topic itself instead, and it runs on its own. A stage
that reads a topic may also set a message aside in `orders.quarantined`: no input ever stops the line.

    python topology.py check     is every topic that is written read, and the other way round?
    python topology.py draw      the same table as a Mermaid chart, kept in ops/docs/topology.md
    python topology.py worker    run it (see `orderfleet worker --help` for all options)
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from channel_adapters.contract import ChannelAdapter
from channel_adapters.registry import CHANNELS
from channel_adapters.shop_file import ShopPolicies
from schemas.topics import (
    INVENTORY_EVENTS,
    NOTICES,
    ORDERS_BACKORDERED,
    ORDERS_DECIDED,
    ORDERS_DECISIONS,
    ORDERS_DEFERRED,
    ORDERS_NORMALIZED,
    ORDERS_PLANNED,
    ORDERS_QUARANTINED,
    ORDERS_RAW,
    ORDERS_RETAGGED,
    ORDERS_RETURNED,
    ORDERS_REUPHELD,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    ORDERS_TAGGED,
    ORDERS_UPHELD,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
)
from workers.admin.preflight import begin_to_look_at_kafka, preflight
from workers.apply.agent import apply
from workers.book.agent import book
from workers.book.overdue import OverdueOrders, opened_overdue
from workers.defer.agent import defer, wake
from workers.defer.queue import DelayQueue
from workers.fulfill.agent import fulfill
from workers.intake.progress import ProgressNotes
from workers.inventory.archive import PlannedArchive
from workers.inventory.epoch import await_epoch, guarded
from workers.inventory.ledger import Ledger
from workers.normalize.agent import normalize
from workers.notify.agent import notify, tell
from workers.notify.store import NoticeStore
from workers.relay.agent import relay
from workers.reserve.agent import reserve
from workers.restock.agent import restock
from workers.route.agent import route
from workers.rules.provider import LOOK_SECONDS, RuleFiles
from workers.runtime.following import FollowerThread
from workers.runtime.kafka.producer import Producer
from workers.runtime.memory import tune_gc, tune_malloc
from workers.runtime.reader import Reader, set_backpressure_priority, topic_names
from workers.runtime.settings import Settings, load_settings
from workers.runtime.stage import Every, Following, Stage, chained, every, following
from workers.runtime.stage_runner import StageRunner
from workers.runtime.table import BrokenTable, Group, check, durable, select, to_mermaid
from workers.runtime.tasks import end_tasks, look_again
from workers.runtime.timer import Timer
from workers.runtime.worker import Worker
from workers.sweep.agent import sweep
from workers.tag.agent import tag
from workers.uphold.agent import uphold_again, uphold_new
from workers.watch.agent import notice_backorders, notice_letters, watch
from workers.watch.redis_health import RedisHealth


@dataclass(frozen=True, slots=True)
class Services:
    """What the stages of one process share. Built once, here; nothing connects or reads the environment on import."""

    settings: Settings
    adapters: Mapping[str, ChannelAdapter]
    shops: ShopPolicies
    rules: RuleFiles
    ledger: Ledger
    deferred: DelayQueue
    archive: PlannedArchive
    notices: NoticeStore
    overdue: OverdueOrders | None  # None: no order book is kept
    progress: ProgressNotes
    redis_health: RedisHealth
    now: Callable[[], float]  # seconds since the epoch


# fmt: off
BOOK = following(
    ORDERS_PLANNED, ORDERS_REVIEW, ORDERS_DEFERRED, ORDERS_BACKORDERED, TRANSFERS_REQUESTED, ORDERS_ROUTED, WMS_EVENTS,
    ORDERS_QUARANTINED, INVENTORY_EVENTS, ORDERS_DECISIONS, ORDERS_DECIDED,
)
STAGES: tuple[Stage[Services], ...] = (
    Stage("normalize", reads=ORDERS_RAW,                 writes=(ORDERS_QUARANTINED,),                                                                    agent=normalize),
    Stage("uphold",    reads=chained(ORDERS_NORMALIZED), writes=(),                                                                                       agent=uphold_new),
    Stage("tag",       reads=chained(ORDERS_UPHELD),     writes=(),                                                                                       agent=tag),
    Stage("route",     reads=chained(ORDERS_TAGGED),     writes=(ORDERS_PLANNED, ORDERS_REVIEW, ORDERS_DEFERRED),                                         agent=route),
    Stage("reserve",   reads=ORDERS_PLANNED,             writes=(ORDERS_ROUTED, ORDERS_BACKORDERED, TRANSFERS_REQUESTED, ORDERS_REVIEW, ORDERS_RETURNED), agent=reserve),
    Stage("defer",     reads=ORDERS_DEFERRED,            writes=(),                                                                                       agent=defer),
    Stage("wake",      reads=every(1.0),                 writes=(ORDERS_RETURNED,),                                                                       agent=wake),
    Stage("apply",     reads=ORDERS_DECISIONS,           writes=(ORDERS_DECIDED, ORDERS_RETURNED),                                                        agent=apply),
    Stage("reroute",   reads=ORDERS_RETURNED,            writes=(),                                                                                       agent=uphold_again),
    Stage("retag",     reads=chained(ORDERS_REUPHELD),   writes=(),                                                                                       agent=tag),
    Stage("replan",    reads=chained(ORDERS_RETAGGED),   writes=(ORDERS_PLANNED, ORDERS_REVIEW, ORDERS_DEFERRED),                                         agent=route),
    Stage("fulfill",   reads=WMS_EVENTS,                 writes=(ORDERS_PLANNED, ORDERS_REVIEW),                                                          agent=fulfill),
    Stage("restock",   reads=every(1.0),                 writes=(ORDERS_PLANNED, ORDERS_REVIEW),                                                          agent=restock),
    Stage("sweep",     reads=every(1.0),                 writes=(),                                                                                       agent=sweep),
    Stage("relay",     reads=every(0.2),                 writes=(INVENTORY_EVENTS,),                                                                      agent=relay),
    Stage("book",      reads=BOOK,                       writes=(),                                                                                       agent=book),
    Stage("letters",   reads=ORDERS_QUARANTINED,         writes=(NOTICES,),                                                                               agent=notice_letters),
    Stage("shortage",  reads=ORDERS_BACKORDERED,         writes=(NOTICES,),                                                                               agent=notice_backorders),
    Stage("watch",     reads=every(30.0),                writes=(NOTICES,),                                                                               agent=watch),
    Stage("notify",    reads=NOTICES,                    writes=(),                                                                                       agent=notify),
    Stage("tell",      reads=every(1.0),                 writes=(),                                                                                       agent=tell),
)
ENTERING = (ORDERS_RAW, WMS_EVENTS, ORDERS_DECISIONS)
LEAVING = (
    ORDERS_QUARANTINED,   # an operator: orderfleet dead-letters
    ORDERS_REVIEW,        # the operations lead
    ORDERS_ROUTED,        # the warehouses' WMS
    ORDERS_DECIDED,       # whoever decided
    ORDERS_BACKORDERED,   # replenishment
    TRANSFERS_REQUESTED,  # replenishment
    INVENTORY_EVENTS,     # audit, stock sync
)
# fmt: on
BOOK_RECORDS = 2000
"""Most records that are written to the book at once: a transaction of some 100 ms."""


def table(settings: Settings) -> tuple[Stage[Services], ...]:
    """The stages as this installation runs them."""
    return durable(STAGES) if settings.durable_handover else STAGES


def build_services(settings: Settings, redis: Redis) -> Services:
    """Everything the stages need. Raises RulesetErrors when the rules cannot be used."""
    return Services(
        settings=settings,
        adapters={name: channel.adapter for name, channel in CHANNELS.items()},
        shops=ShopPolicies(settings.shops_file, tuple(CHANNELS)),
        rules=RuleFiles(settings.rules_file, settings.catalogue_file, channels=tuple(CHANNELS)),
        ledger=Ledger(redis),
        deferred=DelayQueue(redis),
        archive=PlannedArchive(settings.cluster),
        notices=NoticeStore(redis),
        overdue=_opened_overdue(settings),
        progress=ProgressNotes(redis),
        redis_health=RedisHealth(redis),
        now=time.time,
    )


def _opened_overdue(settings: Settings) -> OverdueOrders | None:
    return opened_overdue(settings.book_url, settings.cluster) if settings.book_url.get_secret_value() else None


def build_worker(settings: Settings, services: Services, stages: Sequence[str]) -> Worker:
    """A worker that runs the groups of the named stages, all of them when none is named. Raises BrokenTable."""
    rows = table(settings)
    check(rows, entering=ENTERING, leaving=LEAVING)
    producer = Producer(settings.cluster)
    readers, timers, followers = [], [], []
    for group in select(rows, stages):
        if isinstance(group.reads, Following) and not _is_kept(group, settings, stages):
            continue
        agents = [stage.agent(services) for stage in group.stages]
        if isinstance(group.reads, Every):
            timers.append(Timer(group, agents[0], producer))
        elif isinstance(group.reads, Following):
            followers.append(FollowerThread(group, agents[0], settings.cluster, BOOK_RECORDS))
        else:
            readers.append(_reader(group, agents, producer, settings))
    set_backpressure_priority(readers)
    return Worker(readers, timers, producer, followers=followers, patience=settings.retry_seconds)


def _is_kept(group: Group, settings: Settings, stages: Sequence[str]) -> bool:
    """Whether this installation keeps an order book. Raises BrokenTable when it does not and is asked to."""
    if settings.book_url.get_secret_value():
        return True
    if group.name in stages:
        raise BrokenTable(f"the stage {group.name} needs a PostgreSQL: set ORDERFLEET_BOOK_URL")
    return False


def _reader(group: Group, agents: Sequence[Any], producer: Producer, settings: Settings) -> Reader:
    assert not isinstance(group.reads, Every | Following)
    shell = StageRunner(group, agents, producer, retry_seconds=settings.retry_seconds)
    return Reader(group, topic_names(group.reads, tuple(CHANNELS)), shell, settings)


async def run_worker(settings: Settings, stages: Sequence[str], ready: Callable[[], None] = lambda: None) -> int:
    """Run a worker until it is told to leave. Its exit code."""
    tune_malloc()
    redis, guard = guarded(settings.redis_url.get_secret_value(), settings.cluster)
    services = build_services(settings, redis)
    watching = [
        asyncio.create_task(services.rules.watch(), name="watch the rules"),
        asyncio.create_task(look_again(services.shops.look, LOOK_SECONDS), name="watch the shops"),
    ]
    try:
        worker = build_worker(settings, services, stages)
        tune_gc()
        await preflight(settings, redis)
        await worker.until_kafka_answers()
        await await_epoch(redis, guard, settings.cluster, settings.retry_seconds)
        looking = begin_to_look_at_kafka(settings, redis)
        try:
            return await worker.run(ready)
        finally:
            await end_tasks([looking] if looking else [])
    finally:
        await end_tasks(watching)
        await services.archive.close()
        if services.overdue is not None:
            await asyncio.to_thread(services.overdue.close)
        await redis.aclose()


DRAWING = Path(__file__).parent / "ops" / "docs" / "topology.md"


def drawing() -> str:
    """The page ops/docs/topology.md."""
    return (
        "# Topology\n\nDrawn from `topology.py` by `python topology.py draw`; a test fails when it is stale.\n"
        "Thick arrows hand over in memory; dotted ones are read from places that the stage keeps itself; slanted boxes are"
        " topics; circles are timers.\n\n"
        f"```mermaid\n{to_mermaid(STAGES)}```\n"
    )


def main(arguments: Sequence[str]) -> int:
    """The commands of this file."""
    match list(arguments):
        case ["check"]:
            try:
                check(STAGES, entering=ENTERING, leaving=LEAVING)
                check(durable(STAGES), entering=ENTERING, leaving=LEAVING)
            except BrokenTable as error:
                print(f"topology.py: {error}", file=sys.stderr)
                return 1
            print(f"topology.py: {len(STAGES)} stages, no loose ends, chained or apart")
        case ["draw"]:
            DRAWING.write_text(drawing(), encoding="utf-8")
            print(f"wrote {DRAWING.name}")
        case ["worker", *stages]:
            return asyncio.run(run_worker(load_settings(), stages))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

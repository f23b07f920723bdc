"""Redis is emptied in the middle of a round and made again from Kafka, by the steps of the runbook stock-rebuild.md.

Before it is emptied every stock event is in Kafka, as with a disk that does not lie: so the ledger must come back to
the byte, and no order may be named as lost. The warehouses know nothing of it, and go on answering.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Final

import orjson
from confluent_kafka import Consumer, ConsumerGroupState, TopicPartition
from confluent_kafka.admin import AdminClient

from ops.cli.output import ExitCode
from ops.testbed.torture.accountant import Accountant
from ops.testbed.torture.faults import Fault, Kafka
from ops.testbed.torture.proof import changed_keys
from ops.testbed.torture.rig import PARTITIONS, Rig
from ops.testbed.torture.steps import Trouble, Wait, leave
from schemas.topics import ORDERS_DEFERRED
from workers.rebuild.quiet import fulfill_group, reserve_group
from workers.runtime.table import group_id

_AT_REST: Final = (ConsumerGroupState.STABLE, ConsumerGroupState.EMPTY)
_TRIES: Final = 20
_PAUSE_SECONDS: Final = 1.0
_REFUSED: Final = (ExitCode.BAD, ExitCode.AWAY)  # workers have left just now, the broker came back just now


def empty_and_rebuild(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    """From the first worker that is asked to leave until all are back. Nobody else may break anything meanwhile.

    What is wrong afterwards is in `rig.rebuilt_wrong`. Raises RuntimeError when the rebuild goes on refusing.
    """
    began = time.time()
    yield from _leave(rig)
    yield from _relay_the_rest(rig)
    before = rig.stock.contents()
    rig.deferred |= rig.stock.deferred()
    rig.stock.empty()
    yield fault.seconds
    lost = yield from _rebuild(rig)
    rig.rebuilt_wrong += [f"named as lost: {uid}" for uid in lost]
    rig.rebuilt_wrong += changed_keys(before, rig.stock.contents())
    yield from _read_deferred_again(rig)
    yield from _audit(rig)
    for child in rig.fleet:
        child.start()
    books.returned(str(fault.kind), began)
    yield lambda: all(child.ready() or not child.running for child in rig.fleet)


def _relay_the_rest(rig: Rig) -> Trouble:
    """What the sweeper did last, the relay may have left in the outbox when it went."""
    if rig.stock.outboxes_empty():
        return
    rig.relay.start()
    yield lambda: rig.relay.ready() and rig.stock.outboxes_empty()
    yield from leave([rig.relay], rig)


def _rebuild(rig: Rig) -> Generator[Wait, None, list[str]]:
    """The orders that it names as lost."""
    for _ in range(_TRIES):
        code, said = yield from _run(rig, "stock", "rebuild", "--json")
        if code == ExitCode.OK:
            return [one["order_uid"] for one in orjson.loads(said)["lost_orders"]]
        if code not in _REFUSED:
            break
        yield _PAUSE_SECONDS
    raise RuntimeError(f"the stock could not be rebuilt; see {rig.operator_log}")


def _leave(rig: Rig) -> Trouble:
    """All at once; on the embedded broker one by one, for it loses a member that leaves while others come or go."""
    if rig.kafka is not Kafka.EMBEDDED:
        yield from leave(rig.fleet, rig)
        return
    yield from leave(rig.timers, rig)
    admin = AdminClient({"bootstrap.servers": rig.broker.address, "log_level": 0})
    for left, child in zip(reversed(range(len(rig.workers))), rig.workers, strict=True):
        yield from leave([child], rig)
        for _ in range(_TRIES):
            if _members(admin) == {left}:
                break
            yield _PAUSE_SECONDS


def _members(admin: AdminClient) -> set[int]:
    """How many members the groups have that are at rest; -1 stands for those that are not."""
    asked = admin.describe_consumer_groups([reserve_group(), fulfill_group(), group_id("defer")], request_timeout=5)
    groups = [one.result(6) for one in asked.values()]
    return {len(group.members) if group.state in _AT_REST else -1 for group in groups}


def _read_deferred_again(rig: Rig) -> Trouble:
    """Orders that wait for their time are no stock: the defer stage keeps them anew from their topic.

    As a member of its group, which every broker takes: those who have left just now may count as members for a while.
    """
    settings = {"bootstrap.servers": rig.broker.address, "group.id": group_id("defer"), "session.timeout.ms": 6000}
    member = Consumer({**settings, "enable.auto.commit": False, "log_level": 0})
    try:
        member.subscribe([ORDERS_DEFERRED.name])
        yield lambda: member.poll(0) is not None or len(member.assignment()) == PARTITIONS
        places = [TopicPartition(ORDERS_DEFERRED.name, number, 0) for number in range(PARTITIONS)]
        member.commit(offsets=places, asynchronous=False)
    finally:
        member.close()


def _audit(rig: Rig) -> Trouble:
    code, said = yield from _run(rig, "stock", "audit", "--json")
    if code != ExitCode.OK:
        rig.rebuilt_wrong.append(f"the audit after it ended with {code}: {said.decode()[:500]}")


def _run(rig: Rig, *words: str) -> Generator[Wait, None, tuple[int, bytes]]:
    """One command, as an operator gives it: its exit code and what it printed."""
    printed = rig.folder / "operator.json"
    process = rig.operator(words, printed)
    yield lambda: process.poll() is not None
    return process.returncode, printed.read_bytes()

"""Where a consumer goes on after a rebalance, for each partition it has."""

from __future__ import annotations

from typing import Any

from faust.types import TP

from schemas.fulfillment import WmsEvent
from schemas.topics import FOREVER, Topic
from workers.runtime.faust_bridge.transport import ChunkConsumer
from workers.runtime.reader import build_app
from workers.runtime.settings import Settings
from workers.runtime.stage import Stage
from workers.runtime.table import groups

READ_BEFORE, NEW = TP("inbound", 0), TP("inbound", 1)


class Thread:
    """aiokafka's consumer as far as seeking goes. Like aiokafka, it leaves a partition without a commit alone."""

    def __init__(self, committed: dict[TP, int | None]) -> None:
        self._committed = committed
        self.positions = dict.fromkeys(committed, 25)

    def assignment(self) -> set[TP]:
        return set(self._committed)

    async def seek_to_committed(self) -> dict[TP, int | None]:
        self.positions |= {tp: offset for tp, offset in self._committed.items() if offset}
        return self._committed

    async def seek_wait(self, positions: dict[TP, int]) -> None:
        self.positions |= positions


async def nothing(*_: Any) -> None:
    """No rebalance happens here."""


def consumer(thread: Any) -> ChunkConsumer:
    [group] = groups([Stage("s", Topic("inbound", WmsEvent, "order_uid", "message_id", FOREVER), (), lambda _: None)])
    app = build_app(group, ["inbound"], Settings(kafka="127.0.0.1:1"))
    made = app.transport.create_consumer(
        callback=nothing, on_partitions_revoked=nothing, on_partitions_assigned=nothing
    )
    assert isinstance(made, ChunkConsumer)
    made._thread = thread
    return made


async def test_a_seek_goes_back_to_the_commit_and_without_one_to_the_beginning() -> None:
    thread = Thread({READ_BEFORE: 7, NEW: None})
    await consumer(thread).perform_seek()
    assert thread.positions == {READ_BEFORE: 7, NEW: 0}

"""The chunk transport: Faust consumes slices of partitions, not single records, and never acknowledges past a gap.

Stock Faust pays a dozen awaits a record and acknowledges what a failed agent lost. Here one Faust event is one *chunk*:
up to N raw records of as many partitions as it takes, so that a trickle on 144 partitions costs as little as a flood on
one. Acknowledgements are kept in delivery order, partition by partition, so that a commit cannot pass an unfinished
chunk. Decision: ops/docs/decisions/0002-chunk-transport.md.

These overrides hold for faust-streaming 0.15.3; the versions are pinned and tests/workers/runtime proves each of them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode.utils.futures import notify

from workers.runtime.faust_bridge.consuming import LoopConsumer

RecordBatch = Sequence[Any]
"""aiokafka ConsumerRecords of one partition, ascending."""


class ChunkMessage(ConsumerMessage):  # type: ignore[misc]
    """A chunk on its way through Faust. Its `value` is all its records; its place is that of the first part's last."""

    __slots__ = ("ends",)

    ends: dict[TP, int]
    """The last offset of each of its partitions."""


class ChunkConsumer(driver.Consumer):  # type: ignore[misc]
    """Delivers chunks and commits them in order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The last offset of every chunk that was delivered and not yet committed, in the order of delivery.
        self._in_flight: defaultdict[TP, deque[int]] = defaultdict(deque)

    def _new_consumer_thread(self) -> LoopConsumer:
        return LoopConsumer(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One message per chunk."""
        records, active = await self._wait_next_records(timeout)
        if not records or self.should_stop:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        generation = self.app.consumer_generation_id
        for chunk in self._chunks(records, active):
            # What is left unread here is fetched again: a new generation starts from the committed offsets.
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            message = self._chunk_message(chunk)
            for tp, last in message.ends.items():
                self._in_flight[tp].append(last)
                self._read_offset[tp] = last  # so that the base class sees no gap, and keeps no tree of gaps
            yield message.tp, message

    def _chunks(self, records: dict[TP, RecordBatch], active: set[TP] | None) -> Iterator[dict[TP, RecordBatch]]:
        """As few chunks as may be; none holds two slices of a partition."""
        chunk: dict[TP, RecordBatch] = {}
        size, count = self.transport.chunk_records, 0
        for tp, part in self._slices(records, active):
            if chunk and (tp in chunk or count + len(part) > size):
                yield chunk
                chunk, count = {}, 0
            chunk[tp] = part
            count += len(part)
        if chunk:
            yield chunk

    def _slices(self, records: dict[TP, RecordBatch], active: set[TP] | None) -> Iterator[tuple[TP, RecordBatch]]:
        """Slices of the partitions in turn, so that a long one does not keep the others waiting."""
        size = self.transport.chunk_records
        batches = [(tp, self._fresh(tp, batch)) for tp, batch in records.items() if active is None or tp in active]
        longest = max((len(batch) for _, batch in batches), default=0)
        for start in range(0, longest, size):
            for tp, batch in batches:
                if start < len(batch):
                    yield tp, batch[start : start + size]

    def _fresh(self, tp: TP, batch: RecordBatch) -> RecordBatch:
        """The records at and after the read offset."""
        floor = self._read_offset[tp] or 0
        return batch if batch[0].offset >= floor else [record for record in batch if record.offset >= floor]

    def _chunk_message(self, chunk: dict[TP, RecordBatch]) -> ChunkMessage:
        tp, part = next(iter(chunk.items()))
        last = part[-1]
        message = ChunkMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            (),
            None,
            part if len(chunk) == 1 else [record for part in chunk.values() for record in part],
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )
        message.ends = {tp: part[-1].offset for tp, part in chunk.items()}
        return message

    def ack(self, message: ChunkMessage) -> bool:
        """Book the chunk as done for each of its partitions."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        for tp, last in message.ends.items():
            committed = self._committed_offset[tp]
            if committed is None or last >= committed:
                self._acked_index[tp].add(last)
                self._acked[tp].append(last)
        notify(self._waiting_for_ack)
        return True

    def _new_offset(self, tp: TP) -> int | None:
        """What may be committed: one past the last chunk before the first that is not acknowledged."""
        waiting, done = self._in_flight[tp], self._acked_index[tp]
        self._acked[tp].clear()
        last = None
        while waiting and waiting[0] in done:
            last = waiting.popleft()
            done.discard(last)
        return None if last is None else last + 1

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish what is in hand and commit it, before the base class throws the book of acknowledgements away."""
        if not self.app.should_stop and self.assignment():
            self.stop_flow()
            self.app.flow_control.suspend()
            self.app.flow_control.clear()
            await self.wait_empty()
        for tp in revoked:
            self._in_flight.pop(tp, None)
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """Back to the committed offsets: whatever was delivered beyond them will be delivered again.

        aiokafka leaves a partition alone of which nothing was ever committed: records that a rebalance made us drop
        would stay unread. Such a partition is read from its beginning (past what is no longer there).
        """
        await super().perform_seek()
        assigned = self.assignment()
        if never_committed := {tp: 0 for tp in assigned if self._read_offset[tp] is None}:
            await self._thread.seek_wait(never_committed)
        for tp in assigned:
            self._in_flight.pop(tp, None)
            self._acked.pop(tp, None)
            self._acked_index.pop(tp, None)

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: a full stream buffer already blocks the reader, and parking partitions costs a second."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing, as above."""

    async def verify_all_partitions_active(self) -> None:
        """Do nothing: the stock check counts records; our watchdog looks at commits instead."""

    @property
    def oldest_call_age(self) -> float:
        """The age of the oldest call to aiokafka's consumer that has not returned."""
        return self._thread.oldest_call_age  # type: ignore[no-any-return]

    def committed(self, tp: TP) -> int | None:
        """The offset from which a partition is read on when this worker dies now; None when it is not known yet."""
        return self._committed_offset[tp]  # type: ignore[no-any-return]

    def backlog(self) -> dict[TP, int]:
        """Records not yet committed, per assigned partition, from what the last fetch said."""
        lag = {}
        for tp in self.assignment():
            end, committed = self.highwater(tp), self.committed(tp)
            if end is not None and committed is not None:
                lag[tp] = max(0, end - committed)
        return lag


class ChunkTransport(driver.Transport):  # type: ignore[misc]
    """Set as `app.transport`."""

    Consumer = ChunkConsumer

    def __init__(self, app: faust.App, *, chunk_records: int, fetch_wait_ms: int) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.chunk_records = chunk_records
        self.fetch_wait_ms = fetch_wait_ms


__all__ = ["ChunkConsumer", "ChunkMessage", "ChunkTransport", "RecordBatch"]

"""Header names that are no UTF-8 stop nobody from reading on, and everything else is read as aiokafka reads it."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from workers.runtime.faust_bridge.patching import patch_aiokafka
from workers.runtime.faust_bridge.unpacking import TolerantRecords

Row = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]


class OddName(str):
    """A header's name that goes out as other bytes than UTF-8."""

    __slots__ = ()

    def encode(self, encoding: str = "", errors: str = "strict") -> bytes:
        """As aiokafka asks, with the encoding named."""
        return b"\xff\xfe\xff" if encoding else super().encode(errors=errors)


def batch(rows: list[Row], first: int, codec: int = 0) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, 1 << 25)
    for number, (key, value, headers) in enumerate(rows):
        assert builder.append(number, 1_762_790_400_000, key, value, headers) is not None
    built = bytearray(builder.build())
    built[:8] = first.to_bytes(8, "big")
    return bytes(built)


def unpacked(records: Any, start: int = 0) -> list[tuple[int, bytes | None, bytes | None, Any]]:
    read = PartitionRecords(TopicPartition("t", 0), records, [], start, None, None, True, 0)
    return [(each.offset, each.key, each.value, each.headers) for each in read]


PLAIN: list[Row] = [
    (b"a", b"1", []),
    (None, None, [("n", None), ("x", b"\xff")]),
    (b"b", b"2", [(str(n), b"") for n in range(3000)]),
]
ODD: list[Row] = [(b"c", b"3", []), (b"d", b"4", [("shop", b"tb"), (OddName("?"), b"v")]), (b"e", b"5", [])]


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4])
def test_batches_with_readable_names_are_read_as_before(codec: int) -> None:
    data = batch(PLAIN, 0, codec) + batch(PLAIN, 3, codec)
    assert unpacked(TolerantRecords(data), 2) == unpacked(MemoryRecords(data), 2)
    assert [offset for offset, *_ in unpacked(TolerantRecords(data), 2)] == [2, 3, 4, 5]


@pytest.mark.parametrize("codec", [0, 2])
def test_a_name_that_is_no_text_is_replaced_and_nothing_is_lost_or_doubled(codec: int) -> None:
    data = batch(PLAIN, 0, codec) + batch(ODD, 3, codec) + batch(PLAIN, 6, codec)

    read = unpacked(TolerantRecords(data))

    assert [offset for offset, *_ in read] == list(range(9))
    assert read[4] == (4, b"d", b"4", (("shop", b"tb"), ("\ufffd\ufffd\ufffd", b"v")))
    assert [value for _, _, value, _ in read[3:6]] == [b"3", b"4", b"5"]


def test_aiokafka_itself_fails_at_it_and_uses_our_reader() -> None:
    """When this goes red, aiokafka reads such names by itself: workers/runtime/faust_bridge/unpacking.py can go."""
    with pytest.raises(UnicodeDecodeError):
        unpacked(MemoryRecords(batch(ODD, 0)))
    patch_aiokafka()
    assert fetcher.MemoryRecords is TolerantRecords

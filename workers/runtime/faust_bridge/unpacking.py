"""Records whose header names are no UTF-8: aiokafka fails at them for ever, and reads no further.
A broker takes any bytes for a header's name, and other clients replace what they cannot read. Here, a batch in which
that happens is unpacked a second time, by aiokafka's slower reader, with such letters replaced. All other batches are
read as fast as before. Holds for aiokafka 0.14; tests/workers/runtime/faust_bridge/test_unpacking.py proves it.
`patch_aiokafka` puts it in.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any, Final

from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH: Final = Struct(">i")
_LENGTH_AT: Final = 8
_OVERHEAD: Final = 12  # offset and length, which the length does not count


class TolerantRecords:
    """Stands in for aiokafka's MemoryRecords: the batches of one partition in the answer to a fetch."""

    def __init__(self, data: bytes) -> None:
        self._records = MemoryRecords(data)
        self._data = memoryview(data)
        self._at = 0
        self.has_next = self._records.has_next
        self.size_in_bytes = self._records.size_in_bytes

    def next_batch(self) -> _Batch:
        """The next batch, when there is one."""
        [length] = _LENGTH.unpack_from(self._data, self._at + _LENGTH_AT)
        start, self._at = self._at, self._at + _OVERHEAD + length
        return _Batch(self._records.next_batch(), self._data[start : self._at])


class _Batch:
    """Stands in for aiokafka's DefaultRecordBatch."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        """Its records. After one that cannot be read all come again: whoever asks passes over those it has."""
        try:
            yield from self._batch
        except UnicodeDecodeError:
            yield from _TolerantBatch(self._data)


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # final, as nobody is to rely on its insides
    def __iter__(self) -> Any:
        self._maybe_uncompress()
        self._buffer: Any = _Tolerant(self._buffer)
        return self


class _Tolerant(bytearray):
    """Bytes that can be decoded, whatever they are."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Tolerant(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        """As text, with a replacement character for what is none."""
        return super().decode(encoding, "replace")

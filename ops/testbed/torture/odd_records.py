"""Records that no producer of ours writes, and that any other client may: each must cost itself, and nothing else.

Two kinds: those that no stage can read, whose end is a dead letter; and rests around a sound value, such as a header
without a value, that must not keep it from being read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

Headers = Sequence[tuple[str, bytes | None]]

_MOMENT_MS: Final = 1_762_790_400_000
_DEEP: Final = 5_000


class _NoText(str):
    """A header's name that goes out as bytes that are no UTF-8."""

    __slots__ = ()

    def encode(self, encoding: str = "", errors: str = "strict") -> bytes:
        """As aiokafka asks, with the encoding named."""
        return b"\xff\xfe\xff" if encoding else super().encode(errors=errors)


@dataclass(frozen=True, slots=True)
class OddRecord:
    """One record. `name`: what is odd about it."""

    name: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    at_ms: int = _MOMENT_MS


UNREADABLE_VALUES: Final[dict[str, bytes | None]] = {
    "tombstone": None,
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "no UTF-8": b'{"\xff":1}',
    "zero bytes": bytes(64),
    "deep list": b"[" * _DEEP + b"]" * _DEEP,
    "deep object": b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    "deep in a field nobody knows": b'{"x":' + b"[" * _DEEP + b"]" * _DEEP + b"}",
    "as deep as fits": b'{"a":' * 100_000,
    "not a number": b'{"at":NaN}',
    "4,300 digits": b'{"quantity":' + b"9" * 4_300 + b"}",
    "100,000 digits": b'{"quantity":' + b"9" * 100_000 + b"}",
    "half a surrogate pair": b'{"order_uid":"\\ud800"}',
    "many empty items": b'{"lines":[' + b"{}," * 200_000 + b"{}]}",
}

ODD_HEADERS: Final[dict[str, Headers]] = {
    "header without a value": (("trace", None), ("attempts", None), ("shop", None), ("received-at", None)),
    "header value that is no text": (("trace", b"\xff\xfe"), ("attempts", b"\xff")),
    "header name that is no text": ((_NoText("?"), b"x"),),
    "header without a name": (("", b"x"),),
    "one name often": (("trace", b"1"), ("trace", b"2"), ("trace", None)),
    "thousands of headers": tuple((f"h{number}", b"x" * 20) for number in range(3_000)),
    "a long header": (("trace", b"x" * 200_000),),
}

ODD_KEYS: Final[dict[str, bytes | None]] = {
    "no key": None,
    "empty key": b"",
    "key that is no text": b"\xff\xfe",
    "long key": b"k" * 50_000,
}


def unreadable(key: bytes) -> list[OddRecord]:
    """Records that no stage can read."""
    return [
        *(OddRecord(name, key, value) for name, value in UNREADABLE_VALUES.items()),
        *(OddRecord(name, key, b"{}", headers) for name, headers in ODD_HEADERS.items()),
        *(OddRecord(name, odd_key, b"{}") for name, odd_key in ODD_KEYS.items()),
        OddRecord("no time", key, b"{}", at_ms=-1),
    ]


def wrapped(key: bytes, value: bytes, headers: Headers = ()) -> list[OddRecord]:
    """A sound record with odd headers beside its own."""
    return [OddRecord(name, key, value, (*odd, *headers)) for name, odd in ODD_HEADERS.items()]


ODD_KEY: Final = b"odd:records:1"
"""Under which no order is ever written."""


def is_odd(key: bytes | None) -> bool:
    """Whether a record, or the dead letter about one, is one of ours: its key is no order's."""
    return not key or key.startswith((b"odd:", b"digest:", b"kkk")) or not key.isascii()


def some(rng: Random, count: int) -> list[OddRecord]:
    """So many of them, of every kind in the long run."""
    return rng.sample(unreadable(ODD_KEY), count)


async def put_odd(address: str, topic: str, partition: int, records: Sequence[OddRecord]) -> list[int]:
    """Write them as they are, past what clients check. Where they stand. Raises KafkaError."""
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", request_timeout_ms=3000)
    await producer.start()
    places = []
    try:
        for record in records:
            batch = producer.create_batch()
            batch._builder = builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 25)
            builder.append(0, record.at_ms, record.key, record.value, _as_list(record.headers))
            batch._relative_offset = 1
            stored: Any = await (await producer.send_batch(batch, topic, partition=partition))
            places.append(stored.offset)
    finally:
        await producer.stop()
    return places


def _as_list(headers: Headers) -> list[tuple[str, bytes | None]]:
    return list(headers)

"""Which partition a key belongs to: murmur2, as the Java clients, librdkafka and aiokafka hash keys.

aiokafka takes a key byte by byte; whole words at a time cost less than half, and each order is hashed once or twice.
"""

from __future__ import annotations

from functools import cache, lru_cache
from struct import Struct
from typing import Final

_SEED: Final = 0x9747B28C
_FACTOR: Final = 0x5BD1E995
_32_BITS: Final = 0xFFFFFFFF
_WITHOUT_SIGN: Final = 0x7FFFFFFF


@lru_cache(1 << 13)
def partition_of(key: bytes, count: int) -> int:
    """Which of so many partitions a key belongs to. Remembered, as an order passes several topics within moments."""
    return (murmur2(key) & _WITHOUT_SIGN) % count


def murmur2(data: bytes) -> int:
    """The 32 bits of Kafka's hash, without a sign."""
    length = len(data)
    value = _SEED ^ length
    for word in _words(length >> 2).unpack_from(data):
        mixed = word * _FACTOR & _32_BITS
        value = (value * _FACTOR ^ (mixed ^ mixed >> 24) * _FACTOR) & _32_BITS
    if rest := length & 3:
        value = (value ^ int.from_bytes(data[-rest:], "little")) * _FACTOR & _32_BITS
    value = (value ^ value >> 13) * _FACTOR & _32_BITS
    return value ^ value >> 15


@cache
def _words(count: int) -> Struct:
    return Struct(f"<{count}I")

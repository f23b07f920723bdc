"""Our hash of keys is everybody's: an order's records lie where any client looks for them."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as as_aiokafka_has_it
from hypothesis import given
from hypothesis import strategies as st

from workers.runtime.kafka.partitioning import murmur2, partition_of

UNSIGNED = 0xFFFFFFFF


@given(st.binary(max_size=300))
def test_any_key_is_hashed_as_aiokafka_does(key: bytes) -> None:
    assert murmur2(key) == as_aiokafka_has_it(key) & UNSIGNED


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_keys_are_hashed_as_the_java_client_says(key: str, value: int) -> None:
    """The values that Apache Kafka's own tests (UtilsTest) ask for."""
    assert murmur2(key.encode()) == value & UNSIGNED


def test_a_negative_hash_gives_a_partition_too() -> None:
    assert partition_of(b"21", 24) == (-973932308 & 0x7FFFFFFF) % 24

"""Apache Kafka where it can run: a laptop without Java skips these tests, the gate does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops.testbed.local_stack.kafka_jars import can_run_kafka, kafka_jars


@pytest.fixture(scope="session")
def jars() -> Path:
    """Kafka's jars."""
    if not can_run_kafka() and not os.environ.get("CI"):
        pytest.skip("Apache Kafka needs java and mvn, which this machine does not have")
    return kafka_jars()

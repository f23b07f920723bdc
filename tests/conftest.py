"""Real servers for the tests: an embedded broker and an embedded Redis, started once a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.local_stack.broker import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka-protocol broker in memory. Tests use topics and groups of their own."""
    with Broker(Path(tmp_path_factory.mktemp("broker"))) as running:
        yield running

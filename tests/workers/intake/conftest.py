"""What most tests of intake use."""

from __future__ import annotations

import pytest

from tests.workers.intake.fakes import FakeKafka, Shelf


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()

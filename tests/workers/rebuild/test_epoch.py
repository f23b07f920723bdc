"""What an operator is told of the epochs of Kafka and Redis."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.epoch import EpochReason, StockEpoch
from workers.inventory.epoch import Known
from workers.rebuild.epoch import EpochStatus

EPOCH = StockEpoch(epoch_id="a1", ledger="stock", at=datetime(2026, 11, 11, tzinfo=UTC), reason=EpochReason.FIRST_START)
KNOWN = Known(EPOCH, has_topic=True)


def test_one_epoch_in_both_needs_nothing() -> None:
    status = EpochStatus(KNOWN, "a1")

    assert (status.is_same, status.is_fresh, status.advice) == (True, False, None)


def test_a_redis_without_its_epoch_or_with_another_is_told_what_to_do() -> None:
    for found in ("", "b2"):
        status = EpochStatus(KNOWN, found)
        assert (status.is_same, status.is_fresh) == (False, False)
        assert status.advice is not None
        assert all(status.advice)


def test_before_the_first_event_there_is_nothing_to_tell() -> None:
    status = EpochStatus(Known(None, has_topic=False), "")

    assert (status.is_same, status.is_fresh, status.advice) == (False, True, None)


def test_events_without_an_epoch_get_one_from_the_first_worker() -> None:
    status = EpochStatus(Known(None, has_topic=True, has_events=True), "a1")

    assert not status.is_fresh
    assert status.advice is not None
    assert "first worker" in status.advice.en

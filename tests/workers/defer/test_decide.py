"""When a deferred order is looked at again, and what goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.plan import Disposition
from schemas.revision import retry_of
from tests.workers.defer.builders import DUE, DUE_MS, a_deferred_order, a_waiting_order, planned_and_deferred
from tests.workers.rules.examples import example_ruleset
from workers.defer.decide import FIRST_PAUSE_MS, LONGEST_PAUSE_MS, due_ms, is_overtaken, returned
from workers.route.decide import decide

EARLIER = DUE_MS - 86_400_000


def test_an_order_is_looked_at_when_it_is_due() -> None:
    assert due_ms(a_deferred_order(), EARLIER) == DUE_MS


def test_an_order_that_came_late_is_looked_at_at_once() -> None:
    assert due_ms(a_deferred_order(), DUE_MS + 5000) == DUE_MS


def test_an_order_that_waits_for_the_platform_is_never_looked_at() -> None:
    assert due_ms(a_deferred_order(not_before=None), EARLIER) is None


@pytest.mark.parametrize(
    ("tried", "pause"),
    [(1, FIRST_PAUSE_MS), (2, 2 * FIRST_PAUSE_MS), (3, 4 * FIRST_PAUSE_MS), (60, LONGEST_PAUSE_MS)],
)
def test_an_order_deferred_again_for_a_time_that_is_past_waits_longer_each_time(tried: int, pause: int) -> None:
    revision = f"{a_waiting_order().revision}+{tried:03d}"

    assert due_ms(a_deferred_order(revision=revision), DUE_MS + 1000) == DUE_MS + 1000 + pause
    assert due_ms(a_deferred_order(revision=revision), EARLIER - 2 * LONGEST_PAUSE_MS) == DUE_MS


def test_an_order_that_was_tried_a_thousand_times_waits_for_the_platform() -> None:
    assert due_ms(a_deferred_order(revision=f"{a_waiting_order().revision}+999"), EARLIER) is None


def test_what_goes_back_is_a_retry_without_the_tags_that_rules_added() -> None:
    deferred = a_deferred_order()

    event = returned(deferred, DUE_MS + 7)

    assert event.tagged.order.revision == retry_of(deferred.planned.order.revision)
    assert event.tagged.order.lines == deferred.planned.order.lines
    assert event.tagged.tags == ("presale",)
    assert event.at == DUE + timedelta(milliseconds=7)


def test_it_goes_to_a_warehouse_when_it_is_decided_as_of_then() -> None:
    planned, deferred = planned_and_deferred(a_waiting_order(), DUE - timedelta(days=1))
    assert planned.plan.disposition is Disposition.DEFER

    event = returned(deferred, DUE_MS)

    anew = decide(event.tagged, example_ruleset(), event.at)
    assert anew.plan.disposition is Disposition.RESERVE
    assert [candidate.warehouse_id for candidate in anew.plan.candidates] == ["hangzhou"]
    assert anew.tags == planned.tags


def test_an_order_is_overtaken_by_what_is_newer_and_not_by_itself() -> None:
    waiting = a_waiting_order().revision

    assert is_overtaken(waiting, retry_of(waiting))
    assert not is_overtaken(waiting, waiting)
    assert not is_overtaken(waiting, "")

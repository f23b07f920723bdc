"""What Alertmanager posts becomes notices; what somebody else posts becomes nothing worse than a refusal."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import render
from schemas.codes.notice import runbook_of
from schemas.notice import Notice, NoticeSeverity
from schemas.record import decode, encode
from tests.builders import NOON
from workers.intake.alerts import MOST_ALERTS, BadAlerts, notices_of
from workers.notify.matter import folded


def an_alert(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "OrdersShopBehind", "severity": "critical", "channel": "jd", "shop": "main"},
        "annotations": {"summary": "main is behind", "summary_zh": "店铺 main 读取滞后", "runbook": "x"},
        "startsAt": "2026-11-11T03:50:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "8d05",
    } | changes


def posted(*alerts: Any) -> bytes:
    return json.dumps({"version": "4", "status": "firing", "receiver": "orderfleet", "alerts": alerts}).encode()


def test_an_alert_that_fires_is_a_notice_in_both_languages() -> None:
    [one] = notices_of(posted(an_alert()), NOON)
    assert (one.key, one.scope) == ("alert/OrdersShopBehind/channel=jd,shop=main", "shop:jd/main")
    assert (one.severity, one.raised) == (NoticeSeverity.CRITICAL, True)
    assert one.at == NOON - timedelta(minutes=10) + timedelta(microseconds=123456)
    assert render(one.explanation, "en") == "OrdersShopBehind: main is behind"
    assert render(one.explanation, "zh") == "告警 OrdersShopBehind：店铺 main 读取滞后"
    assert runbook_of(one.explanation) == "OrdersShopBehind"


def test_one_that_is_over_clears_the_same_matter() -> None:
    [fires] = notices_of(posted(an_alert()), NOON)
    [over] = notices_of(posted(an_alert(status="resolved", endsAt="2026-11-11T03:59:00Z")), NOON)
    assert (over.key, over.raised, over.at) == (fires.key, False, NOON - timedelta(minutes=1))


def test_one_that_is_posted_again_while_it_fires_happens_once() -> None:
    [one] = notices_of(posted(an_alert()), NOON)
    matter = folded(None, one, 0, 0)
    again = folded(matter, one, 1, 0)
    assert matter is not None
    assert again is not None
    assert (matter.count, again.count) == (1, 1)


def test_alerts_of_a_warehouse_and_of_all() -> None:
    [warehouse] = notices_of(posted(an_alert(labels={"alertname": "A", "warehouse": "hangzhou"})), NOON)
    [fleet] = notices_of(posted(an_alert(labels={"alertname": "A", "channel": "jd", "shop": "../*"})), NOON)
    assert (warehouse.scope, fleet.scope) == ("warehouse:hangzhou", "fleet")


def test_labels_too_long_for_a_key_still_tell_two_alerts_apart() -> None:
    keys = {
        notices_of(posted(an_alert(labels={"alertname": "A", "instance": "x" * 300 + end})), NOON)[0].key
        for end in ("1", "2")
    }
    assert len(keys) == 2
    assert max(map(len, keys)) <= 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"alerts": {}}', b"\xff", b"[" * 100_000])
def test_what_is_no_post_of_alertmanager_is_refused(body: bytes) -> None:
    with pytest.raises(BadAlerts):
        notices_of(body, NOON)


def test_an_alert_that_cannot_be_read_is_news_all_the_same() -> None:
    [one] = notices_of(posted(None), NOON)
    assert (one.key, one.raised, one.at) == ("alert/AlertWithoutName/", True, NOON)


@pytest.mark.parametrize("at", [None, 5, "soon", "2026-11-11T03:50:00", "1999-01-01T00:00:00Z", "2027-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_now(at: Any) -> None:
    assert notices_of(posted(an_alert(startsAt=at)), NOON)[0].at == NOON


def test_of_too_many_the_rest_is_told_of_by_one() -> None:
    many = [an_alert(labels={"alertname": f"A{number}"}) for number in range(MOST_ALERTS + 5)]
    found = notices_of(posted(*many), NOON)
    assert len(found) == MOST_ALERTS + 1
    assert found[-1].key == "alert/AlertsTooMany/"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["status", "labels", "annotations", "startsAt", "endsAt"]),
        _JSON
        | st.dictionaries(st.sampled_from(["alertname", "severity", "shop", "channel", "summary"]), _JSON, max_size=5),
        max_size=5,
    )
)
@settings(max_examples=300, deadline=None)
def test_whatever_an_alert_is_it_becomes_a_notice_that_can_travel(alert: dict[str, Any]) -> None:
    for one in notices_of(posted(alert), NOON):
        assert decode(Notice, encode(one)) == one
        assert len(one.key) <= 200
        assert one.key.isprintable()
        assert one.at <= NOON

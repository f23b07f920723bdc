"""Orders over HTTP: found, shown, decided about one by one and many at once, on a real book, broker and worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.ops.api.conftest import Client, worker
from tests.ops.api.test_calling import refused
from tests.workers.admin.desk.books import fill, in_review
from workers.admin.desk.access import Role, Scope

UID = "taobao:tea-house:1"


@pytest.fixture(scope="module")
def booked(database: str) -> None:
    fill(database, [in_review(str(number)) for number in range(5)])
    fill(database, [in_review("7", shop="main", channel="jd")], code="gift-missing")


@pytest.fixture(scope="module")
def applying(environment: dict[str, str]) -> Iterator[None]:
    """A worker that applies decisions."""
    with worker(environment, "apply"):
        yield


@pytest.mark.usefixtures("booked")
def test_orders_are_found_page_by_page_and_shown(client: Client) -> None:
    one = client(Role.VIEWER)
    first = one.get("/orders", params={"limit": 4}).json()
    second = one.get("/orders", params={"limit": 4, "cursor": first["next"]}).json()
    assert len({order["uid"] for order in (*first["items"], *second["items"])}) == 6
    assert second["next"] is None
    assert [order["uid"] for order in one.get("/orders", params={"q": "7"}).json()["items"]] == ["jd:main:7"]
    shown = one.get(f"/orders/{UID}").json()
    assert (shown["order"]["stage"], shown["review"]["codes"]) == ("review", ["no-rule"])
    kinds = {entry["kind"] for entry in one.get(f"/orders/{UID}/timeline").json()}
    assert kinds == {"planned", "review"}


@pytest.mark.usefixtures("booked")
def test_why_it_waits_is_said_in_the_callers_language(client: Client) -> None:
    one = client(Role.VIEWER)
    told = {}
    for language in ("zh", "en"):
        answer = one.get("/review", params={"code": "no-rule", "limit": 1}, headers={"Accept-Language": language})
        told[language] = answer.json()["items"][0]["explanation"]
    assert told["zh"]["code"] == told["en"]["code"]
    assert told["zh"]["text"] != told["en"]["text"]
    counts = {row["code"]: row["orders"] for row in one.get("/review/counts").json()}
    assert counts == {"no-rule": 5, "gift-missing": 1}


@pytest.mark.usefixtures("booked")
def test_what_is_asked_badly_is_refused_by_name(client: Client) -> None:
    one = client(Role.VIEWER, shops=["jd:main"])
    refused(one.get("/orders/jd:main:none"), 404, "unknown-order")
    refused(one.get("/orders/none"), 400, "no-order-uid")
    refused(one.get(f"/orders/{UID}"), 403, "shop-not-yours")
    refused(one.get("/orders", params={"shop": "taobao:tea-house"}), 403, "shop-not-yours")
    refused(one.get("/orders", params={"cursor": "x"}), 400, "bad-cursor")
    for wrong in ({"stage": "nowhere"}, {"limit": 0}, {"limit": 1000}, {"placed_from": "x"}, {"shop": "x y"}):
        refused(one.get("/orders", params=wrong), 422, "invalid-request")
    assert [order["uid"] for order in one.get("/orders").json()["items"]] == ["jd:main:7"]


@pytest.mark.usefixtures("booked")
def test_what_may_be_done_with_an_order_is_told_with_why_not(client: Client) -> None:
    told = client(Role.OPERATOR).get(f"/orders/{UID}/choices").json()
    codes = {each["kind"]: each["code"] for each in told["choices"]}
    assert codes["cancel"] == "role-too-low"
    assert {codes[kind] for kind in ("release", "redecide", "hold", "correct", "note")} == {"unknown-order"}
    assert all(each["text"] for each in told["choices"] if not each["allowed"])
    refused(client(Role.OPERATOR, shops=["jd:main"]).get(f"/orders/{UID}/choices"), 403, "shop-not-yours")


def decision(**changes: Any) -> dict[str, Any]:
    return {"kind": "hold", "why": "buyer moves", "wait_seconds": 15, **changes}


@pytest.mark.usefixtures("applying")
def test_a_decision_about_an_order_that_is_not_there_is_answered_so(client: Client) -> None:
    one = client(Role.OPERATOR)
    same = decision(decision_id=str(uuid4()))
    for _ in range(2):  # a repeat is answered alike
        refused(one.post("/orders/taobao:tea-house:none/decisions", json=same), 404, "unknown-order")


def test_a_decision_that_nobody_answers_in_time_is_told_as_such(client: Client) -> None:
    answer = client(Role.OPERATOR).post(f"/orders/{UID}/decisions", json=decision(wait_seconds=0))
    assert answer.status_code == 202
    assert answer.json()["done"] is False


def test_decisions_that_may_not_be_or_make_no_sense_are_refused_by_name(client: Client) -> None:
    one, url = client(Role.OPERATOR), f"/orders/{UID}/decisions"
    refused(one.post(url, json=decision(kind="cancel", seen="x")), 403, "role-too-low")
    refused(one.post(url, json=decision(kind="release")), 400, "seen-missing")
    refused(one.post(url, json=decision(why="  ")), 400, "why-missing")
    refused(one.post(url, json=decision(kind="correct", seen="x")), 400, "invalid-request")
    refused(one.post(url, json=decision(kind="destroy")), 422, "invalid-request")
    refused(
        one.post(url, json=decision(correction={"lines": [{"line_id": "1", "quantitty": 1}]})), 422, "invalid-request"
    )
    refused(one.post("/orders/x/decisions", json=decision()), 400, "no-order-uid")
    refused(client(Role.LEAD, Scope.ORDERS_READ).post(url, json=decision()), 403, "scope-missing")
    refused(client(Role.OPERATOR, shops=["jd:main"]).post(url, json=decision()), 403, "shop-not-yours")


@pytest.mark.usefixtures("booked", "applying")
def test_a_job_decides_about_all_that_match_and_counts_refusals(client: Client) -> None:
    one = client(Role.LEAD)
    preview = one.post("/bulk/preview", json={"code": "no-rule"}).json()
    assert (preview["count"], preview["needs_confirmation"]) == (5, False)
    asked = {
        "kind": "redecide",
        "why": "rules changed",
        **{name: preview[name] for name in ("filter", "count", "version")},
    }
    refused(one.post("/bulk", json={**asked, "count": 4}), 409, "count-changed")
    refused(one.post("/bulk", json={**asked, "kind": "destroy"}), 422, "invalid-request")
    refused(one.post("/bulk", json={**asked, "kind": "cancel", "to_sku": "x"}), 400, "senseless-wish")
    foreseen = one.post("/bulk/preview", json={"code": "no-rule", "kind": "release"}).json()
    assert (foreseen["looked_at"], foreseen["can"], foreseen["refused"]) == (5, 0, {"unknown-order": 5})
    refused(client(Role.LEAD, Scope.ORDERS_READ).post("/bulk", json=asked), 403, "scope-missing")
    job = one.post("/bulk", json=asked)
    assert job.status_code == 202, job.text
    url, deadline = f"/bulk/{job.json()['job_id']}", time.monotonic() + 60
    while (told := one.get(url).json())["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (told["state"], told["refused"]) == (
        "done",
        {"unknown-order": 5},
    )  # the ledger of this test has none of them
    results = one.get(f"{url}/orders", params={"state": "refused", "limit": 2}).json()
    assert [(each["state"], each["code"]) for each in results["items"]] == [("refused", "unknown-order")] * 2
    assert one.post("/bulk/preview", json={"refused_in": told["job_id"]}).json()["count"] == 5
    assert one.get("/bulk").json()["items"][0]["job_id"] == told["job_id"]
    assert one.post(f"{url}/stop", json={"why": "x"}).json()["state"] == "done"
    refused(one.get(f"/bulk/{uuid4()}"), 404, "unknown-job")


def test_everything_that_was_decided_is_in_the_audit_list(client: Client) -> None:
    one = client(Role.ADMIN)
    url = "/orders/taobao:tea-house:audited/decisions"
    refused(one.post(url, json=decision(kind="release")), 400, "seen-missing")
    told = one.get("/audit", params={"subject": "taobao:tea-house:audited"}).json()["items"]
    assert [(each["deed"], each["outcome"], each["code"]) for each in reversed(told)] == [
        ("orders.release", "begun", ""),
        ("orders.release", "refused", "seen-missing"),
    ]
    assert {each["origin"] for each in told} == {"127.0.0.1"}
    assert all(each["token_id"] for each in told)


def test_no_answer_of_the_api_may_be_kept_by_a_cache(client: Client) -> None:
    answer: httpx.Response = client(Role.VIEWER).get("/me")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.usefixtures("booked")
def test_figures_are_told_and_entered(client: Client) -> None:
    one = client(Role.LEAD)
    report = {"order_uid": UID, "kind": "damaged", "day": "2026-11-11"}
    assert one.post("/figures/wrong-shipments", json=[report, report]).json()["rows"] == 1
    counted = {"day": "2026-11-11", "shop": "jd:main", "questions": 4, "about_orders": 1}
    assert one.post("/figures/support", json=[counted]).status_code == 200
    assert one.put("/figures/targets", json={"measure": "wrong-share", "target": 0.01}).status_code == 200
    asked = {"begins": "2026-11-01", "ends": "2026-11-30", "by": ["shop"]}
    told = one.get("/figures", params=asked).json()
    assert told["targets"] == {"wrong-share": 0.01}
    assert (told["total"]["wrong"], told["total"]["question_share"]) == (1, 0.25)
    refused(one.post("/figures/wrong-shipments", json=[{**report, "kind": "lost"}]), 400, "bad-kind")
    refused(one.get("/figures", params={"by": "buyer"}), 422, "invalid-request")
    refused(
        client(Role.OPERATOR).put("/figures/targets", json={"measure": "wrong-share", "target": 1}), 403, "role-too-low"
    )
    refused(client(Role.LEAD, Scope.ORDERS_READ).get("/figures"), 403, "scope-missing")

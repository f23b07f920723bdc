"""Jobs about many orders: what is frozen, what is refused, and that each order is decided about once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from schemas.decision import Decided, Decision, DecisionKind, DecisionRefusal
from tests.workers.admin.desk.books import fill, in_review
from workers.admin.desk import bulk
from workers.admin.desk.access import Actor, ActorKind, Role
from workers.admin.desk.bulk import BulkRequest, Job, Preview
from workers.admin.desk.desk import SCHEMA, Desk
from workers.admin.desk.filters import ReviewFilter
from workers.admin.desk.job_run import BATCH, MOST_TRIES, NO_ANSWER, JobRunner
from workers.admin.errors import InvalidRequest, NotAllowed, NotFound, Rejected
from workers.runtime.errors import TransientError
from workers.runtime.postgres.database import Database

ORDERS = 2 * BATCH + 30


@pytest.fixture
def booked(book_url: str) -> None:
    fill(book_url, [in_review(str(number)) for number in range(ORDERS)])


def request(preview: Preview, kind: DecisionKind = DecisionKind.RELEASE, **changes: object) -> BulkRequest:
    given = {"filter": preview.filter, "count": preview.count, "version": preview.version, "why": "SKU was added"}
    return BulkRequest(kind=kind, **{**given, **changes})  # type: ignore[arg-type]


def made(desk: Desk, actor: Actor, **wanted: object) -> Job:
    return desk.bulk.start(actor, request(desk.bulk.preview(actor, ReviewFilter(**wanted))))  # type: ignore[arg-type]


def answered(decision: Decision, code: DecisionRefusal | None = None) -> Decided:
    return Decided(
        decision_id=decision.decision_id,
        order_uid=decision.order_uid,
        kind=decision.kind,
        who=decision.who,
        at=decision.at,
        code=code,
    )


class Applying:
    """Answers decisions as the apply stage does: each id once, and repeats alike."""

    def __init__(self, refuse: Callable[[str], DecisionRefusal | None] = lambda uid: None) -> None:
        self.applied: Counter[str] = Counter()
        self.seen: list[Decision] = []
        self._refuse = refuse

    def __call__(self, decisions: Sequence[Decision]) -> Mapping[str, Decided]:
        for each in decisions:
            self.seen.append(each)
            self.applied[each.order_uid] += each.decision_id not in [other.decision_id for other in self.seen[:-1]]
        return {each.decision_id: answered(each, self._refuse(each.order_uid)) for each in decisions}


def run(book_url: str, decide: Callable[[Sequence[Decision]], Mapping[str, Decided]], passes: int = 1) -> None:
    with Database(SecretStr(book_url), SCHEMA, role="test") as database:
        for _ in range(passes):
            JobRunner(database, decide).run_all(threading.Event())


@pytest.mark.usefixtures("booked")
def test_every_order_that_matched_is_decided_about_once(desk: Desk, admin: Actor, book_url: str) -> None:
    job = made(desk, admin)
    assert (job.total, job.waiting, job.state) == (ORDERS, ORDERS, "running")
    fill(book_url, [in_review("late")])  # not meant: it came after
    applying = Applying()
    run(book_url, applying, passes=2)
    assert len(applying.applied) == ORDERS
    assert set(applying.applied.values()) == {1}
    assert all(each.seen and each.why == "SKU was added" and each.who == admin.name for each in applying.seen)
    job = desk.bulk.show(admin, job.job_id)
    assert (job.done, job.waiting, job.state, job.refused) == (ORDERS, 0, "done", {})
    assert job.ended_at is not None


@pytest.mark.usefixtures("booked")
def test_refusals_are_counted_by_reason(desk: Desk, admin: Actor, book_url: str) -> None:
    job = made(desk, admin)

    def refuse(uid: str) -> DecisionRefusal | None:
        number = int(uid.rsplit(":", 1)[1])
        return {0: DecisionRefusal.NO_STOCK, 1: DecisionRefusal.OVERTAKEN_BY_PLATFORM}.get(number % 10)

    run(book_url, Applying(refuse))
    job = desk.bulk.show(admin, job.job_id)
    assert job.refused == {"no-stock": ORDERS // 10, "overtaken-by-platform": ORDERS // 10}
    assert job.done == ORDERS - 2 * (ORDERS // 10)


@pytest.mark.usefixtures("booked")
def test_a_job_about_other_orders_than_were_counted_is_refused_and_leaves_nothing(
    desk: Desk, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = desk.bulk.preview(admin, ReviewFilter())
    cases = {
        "count-changed": request(preview, count=preview.count - 1),
        "book-made-again": request(preview, version="another"),
        "nothing-matches": request(preview, count=0),
        "too-many": request(preview, count=10**6),
    }
    for code, asked in cases.items():
        with pytest.raises(Rejected) as refused:
            desk.bulk.start(admin, asked)
        assert refused.value.code == code
    senseless = (
        request(preview, DecisionKind.CANCEL, warehouse_id="hangzhou"),
        request(preview, DecisionKind.SETTLE_FLAG),
        request(preview, DecisionKind.CORRECT, sku="NUT-BOX-500"),
        request(preview, DecisionKind.RELEASE, to_sku="NUT-BOX-500"),
    )
    for asked in senseless:
        with pytest.raises(InvalidRequest) as none:
            desk.bulk.start(admin, asked)
        assert none.value.code == "senseless-wish"
    assert desk.bulk.list(admin).items == []
    assert desk.bulk.preview(admin, ReviewFilter()).count == ORDERS


@pytest.mark.usefixtures("booked")
def test_beyond_the_brake_it_is_asked_again(desk: Desk, admin: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BRAKE", 100)
    preview = desk.bulk.preview(admin, ReviewFilter())
    assert preview.needs_confirmation
    for confirmed in (None, preview.count - 1):
        with pytest.raises(Rejected) as refused:
            desk.bulk.start(admin, request(preview, confirmed_count=confirmed))
        assert refused.value.code == "needs-confirmation"
    assert desk.bulk.start(admin, request(preview, confirmed_count=preview.count)).total == ORDERS


@pytest.mark.usefixtures("booked")
def test_a_lead_decides_about_their_shops_only(desk: Desk, admin: Actor, book_url: str) -> None:
    fill(book_url, [in_review("1", shop="main", channel="jd")])
    lead = Actor(ActorKind.USER, "wu", Role.LEAD, "", frozenset({"jd:main"}))
    assert made(desk, lead).total == 1
    with pytest.raises(NotAllowed):
        desk.bulk.preview(lead, ReviewFilter(shop="taobao:tea-house"))
    operator = Actor(ActorKind.USER, "li", Role.OPERATOR, "")
    with pytest.raises(NotAllowed) as refused:
        desk.bulk.preview(operator, ReviewFilter())
    assert refused.value.code == "role-too-low"


@pytest.mark.usefixtures("booked")
def test_a_stopped_job_decides_about_no_further_orders(desk: Desk, admin: Actor, book_url: str) -> None:
    job = made(desk, admin)
    applying = Applying()

    def stopping(decisions: Sequence[Decision]) -> Mapping[str, Decided]:
        desk.bulk.stop(admin, job.job_id, "wrong filter")
        return applying(decisions)

    run(book_url, stopping, passes=3)
    job = desk.bulk.show(admin, job.job_id)
    assert (job.state, job.done, job.waiting) == ("stopped", BATCH, ORDERS - BATCH)
    assert desk.bulk.stop(admin, job.job_id, "again").state == "stopped"


@pytest.mark.usefixtures("booked")
def test_who_gets_no_answers_waits_and_one_silent_order_does_not_stop_the_others(
    desk: Desk, admin: Actor, book_url: str
) -> None:
    job = made(desk, admin)
    run(book_url, lambda decisions: {}, passes=3)
    assert desk.bulk.show(admin, job.job_id).waiting == ORDERS
    silent = "taobao:tea-house:7"
    applying = Applying()

    def all_but_one(decisions: Sequence[Decision]) -> Mapping[str, Decided]:
        return {each: one for each, one in applying(decisions).items() if one.order_uid != silent}

    run(book_url, all_but_one)
    job = desk.bulk.show(admin, job.job_id)
    assert (job.done, job.waiting, job.state) == (ORDERS - 1, 1, "running")


@pytest.mark.usefixtures("booked")
def test_an_order_that_is_never_answered_while_others_are_is_given_up_by_name(
    desk: Desk, admin: Actor, book_url: str
) -> None:
    job = made(desk, admin)
    with psycopg.connect(book_url) as connection:
        connection.execute("UPDATE desk.job_orders SET tries = %s", (MOST_TRIES - 1,))
    applying = Applying()
    run(book_url, lambda decisions: dict(list(applying(decisions).items())[1:]))
    refused = desk.bulk.show(admin, job.job_id).refused
    assert set(refused) == {NO_ANSWER}


def test_a_job_that_is_not_there_has_a_code(desk: Desk, admin: Actor) -> None:
    from uuid import uuid4

    with pytest.raises(NotFound) as refused:
        desk.bulk.show(admin, uuid4())
    assert refused.value.code == "unknown-job"


# -- dying ---------------------------------------------------------------------------------------------------------

_WORK = """
import os, sys, threading
from pydantic import SecretStr
from tests.workers.admin.desk.test_bulk import answered
from workers.admin.desk.desk import SCHEMA
from workers.admin.desk.job_run import JobRunner
from workers.runtime.postgres.database import Database

def decide(decisions):
    with open(sys.argv[2], "a") as told:
        for each in decisions:
            told.write(f"{each.decision_id} {each.order_uid}\\n")
    print("batch", flush=True)
    sys.stdin.readline()  # killed here, or let go on
    return {each.decision_id: answered(each) for each in decisions}

with Database(SecretStr(sys.argv[1]), SCHEMA, role="test") as database:
    JobRunner(database, decide).run_all(threading.Event())
print("end", flush=True)
"""


@pytest.mark.usefixtures("booked")
def test_killed_at_any_batch_it_goes_on_and_no_order_gets_a_second_decision(
    desk: Desk, admin: Actor, book_url: str, tmp_path: Path
) -> None:
    job = made(desk, admin)
    told = tmp_path / "told"
    for allowed in (0, 1, 0, 9):  # batches that are let go on before the kill; at last all are
        process = subprocess.Popen(
            [sys.executable, "-c", _WORK, book_url, str(told)],
            cwd=Path(__file__).parents[4],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(allowed):
            if process.stdout.readline() == "batch\n":
                process.stdin.write("\n")
                process.stdin.flush()
        if allowed < 9:
            assert process.stdout.readline() == "batch\n"
            os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    ids: dict[str, set[str]] = {}
    for line in told.read_text().splitlines():
        decision_id, uid = line.split(" ", 1)
        ids.setdefault(uid, set()).add(decision_id)
    assert len(ids) == ORDERS
    assert {len(each) for each in ids.values()} == {1}
    found = desk.bulk.show(admin, job.job_id)
    assert (found.done, found.waiting) == (ORDERS, 0)


@pytest.mark.usefixtures("booked")
def test_two_processes_never_work_at_one_job(desk: Desk, admin: Actor, book_url: str) -> None:
    made(desk, admin)
    inside = Counter[str]()

    def nested(decisions: Sequence[Decision]) -> Mapping[str, Decided]:
        def never(_: Sequence[Decision]) -> Mapping[str, Decided]:
            inside["second"] += 1
            return {}

        run(book_url, never)
        inside["first"] += 1
        return Applying()(decisions)

    run(book_url, nested)
    assert inside == {"first": -(-ORDERS // BATCH)}


@pytest.mark.usefixtures("booked")
def test_a_kafka_that_is_away_leaves_all_as_it_was(desk: Desk, admin: Actor, book_url: str) -> None:
    job = made(desk, admin)

    def away(decisions: Sequence[Decision]) -> Mapping[str, Decided]:
        raise TransientError("Kafka is away")

    with pytest.raises(TransientError):
        run(book_url, away)
    assert desk.bulk.show(admin, job.job_id).waiting == ORDERS
    run(book_url, Applying())  # the lock was given back
    assert desk.bulk.show(admin, job.job_id).done == ORDERS


# -- what is done to each --------------------------------------------------------------------------------------------


def test_one_sku_is_put_into_the_place_of_another_in_whichever_lines_it_stands(
    desk: Desk, admin: Actor, book_url: str
) -> None:
    fill(book_url, [in_review("1"), in_review("2", sku="MUG-350"), in_review("3")])
    wanted = ReviewFilter(sku="NUT-BOX-500")
    asked = request(desk.bulk.preview(admin, wanted), DecisionKind.CORRECT, sku="NUT-BOX-500", to_sku="NUT-BOX-800")
    job = desk.bulk.start(admin, asked)
    assert job.what == {"sku": "NUT-BOX-500", "to_sku": "NUT-BOX-800"}
    applying = Applying()
    run(book_url, applying)
    assert sorted(each.order_uid for each in applying.seen) == ["taobao:tea-house:1", "taobao:tea-house:3"]
    for each in applying.seen:
        assert each.correction is not None
        assert [line.sku for line in each.correction.lines] == ["NUT-BOX-800"]


def test_what_a_kind_needs_reaches_each_order(desk: Desk, admin: Actor, book_url: str) -> None:
    fill(book_url, [in_review("1")])
    for kind, more in (
        (DecisionKind.RELEASE, {"warehouse_id": "hangzhou"}),
        (DecisionKind.SETTLE_FLAG, {"codes": ("no-rule",)}),
        (DecisionKind.HOLD, {}),
        (DecisionKind.CANCEL, {}),
    ):
        desk.bulk.start(admin, request(desk.bulk.preview(admin, ReviewFilter()), kind, **more))
        applying = Applying()
        run(book_url, applying)
        [each] = applying.seen
        assert (each.kind, each.warehouse_id, each.codes) == (kind, more.get("warehouse_id"), more.get("codes", ()))


@pytest.mark.usefixtures("booked")
def test_results_are_kept_per_order_and_those_that_were_refused_are_done_again(
    desk: Desk, admin: Actor, book_url: str
) -> None:
    job = made(desk, admin)

    def refuse(uid: str) -> DecisionRefusal | None:
        number = int(uid.rsplit(":", 1)[1])
        return {0: DecisionRefusal.NO_STOCK, 1: DecisionRefusal.BUSY}.get(number % 10)

    run(book_url, Applying(refuse))
    found, cursor = [], None
    while True:
        page = desk.bulk.orders(admin, job.job_id, code="no-stock", cursor=cursor, limit=20)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert [each.order_uid for each in found] == sorted(f"taobao:tea-house:{n}" for n in range(0, ORDERS, 10))
    assert {(each.state, each.code) for each in found} == {("refused", "no-stock")}
    elsewhere = Actor(ActorKind.USER, "wu", Role.LEAD, "", frozenset({"jd:main"}))
    assert desk.bulk.orders(elsewhere, job.job_id).items == []
    again = made(desk, admin, refused_in=job.job_id, refused_code="no-stock")
    assert again.total == ORDERS // 10
    assert made(desk, admin, refused_in=job.job_id).total == 2 * (ORDERS // 10)

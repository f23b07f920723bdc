"""Working off the jobs of `bulk.py`. One process works at a job; when it dies, another goes on where it was.

An order's decision id is made of the job and the order: sent again after a crash, it is the same decision, which is
applied once and answered again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from schemas.decision import Decided, Decision, DecisionKind
from workers.admin.decisions import DecisionDesk
from workers.admin.desk.wish import Wish
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Kafka
from workers.runtime.postgres.database import Connection, Database

log = logging.getLogger(__name__)

BATCH: Final = 200
LOOK_SECONDS: Final = 2.0
MOST_TRIES: Final = 20
NO_ANSWER: Final = "no-answer"
"""The code of an order whose decision was sent so often while others were answered. It may still be applied."""

_LOCK: Final = 0x0DE5D
Decide = Callable[[Sequence[Decision]], Mapping[str, Decided]]


class _Job(NamedTuple):
    job_id: UUID
    wish: Wish
    why: str
    who: str
    made_at: datetime


class JobRunner:
    """Works off all jobs that nobody else works at."""

    def __init__(self, database: Database, decide: Decide) -> None:
        self._database, self._decide = database, decide

    def run_until(self, told: threading.Event) -> None:
        """Look for work every two seconds, until told to leave. A server that is away is waited for."""
        while not told.is_set():
            try:
                self.run_all(told)
            except TransientError as error:
                log.warning("jobs wait: %s", error)
            told.wait(LOOK_SECONDS)

    def run_all(self, told: threading.Event) -> int:
        """Work at each job that is running until it is done, or gets no answers. How many orders were decided."""
        jobs = self._database.rows(
            "SELECT job_id, kind, what, why, who, made_at FROM jobs WHERE state = 'running' ORDER BY made_at"
        )
        return sum(self._alone(_Job(row[0], _wish(row[1], row[2]), *row[3:]), told) for row in jobs)

    def _alone(self, job: _Job, told: threading.Event) -> int:
        decided = 0
        with self._database.session() as connection:  # its end gives the lock back, whatever becomes of us
            [(mine,)] = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_LOCK, str(job.job_id)))
            if not mine:
                return 0
            try:
                while not told.is_set() and (count := self._step(connection, job)):
                    decided += count
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_LOCK, str(job.job_id)))
        return decided

    def _step(self, connection: Connection, job: _Job) -> int:
        """Decide about the next orders. How many of them were answered; 0: there is nothing to do now."""
        rows = connection.execute(
            "SELECT order_uid, seen, line_ids FROM job_orders JOIN jobs USING (job_id) WHERE job_id = %s "
            "AND job_orders.state = 'waiting' AND jobs.state = 'running' ORDER BY tries, order_uid LIMIT %s",
            (job.job_id, BATCH),
        ).fetchall()
        if not rows:
            connection.execute(_END, (job.job_id, job.job_id))
            return 0
        decisions = [self._decision(job, uid, seen, lines or ()) for uid, seen, lines in rows]
        answers = self._decide(decisions)
        self._note(connection, job, decisions, answers)
        return len(answers)

    def _decision(self, job: _Job, order_uid: str, seen: str, line_ids: Sequence[str]) -> Decision:
        return job.wish.decision(
            order_uid,
            who=job.who,
            why=job.why,
            at=job.made_at,
            seen=seen,
            decision_id=str(uuid5(job.job_id, order_uid)),
            line_ids=line_ids,
        )

    def _note(
        self, connection: Connection, job: _Job, decisions: Sequence[Decision], answers: Mapping[str, Decided]
    ) -> None:
        if not answers:
            return  # nobody applies decisions now: that is no order's fault
        told = [(each.order_uid, answers.get(each.decision_id)) for each in decisions]
        codes = [(uid, "" if one.code is None else one.code.value) for uid, one in told if one is not None]
        silent = [uid for uid, one in told if one is None]
        connection.execute(_ANSWERED, (job.job_id, [uid for uid, _ in codes], [code for _, code in codes]))
        connection.execute(_SILENT, {"job": job.job_id, "uids": silent, "most": MOST_TRIES, "code": NO_ANSWER})


def _wish(kind: str, what: Mapping[str, Any]) -> Wish:
    return Wish(kind=DecisionKind(kind), **{**what, "codes": tuple(what.get("codes", ()))})


_ANSWERED: Final = """
UPDATE job_orders AS o SET state = CASE a.code WHEN '' THEN 'done' ELSE 'refused' END, code = a.code
FROM (SELECT %s::uuid AS job_id, unnest(%s::text[]) AS order_uid, unnest(%s::text[]) AS code) AS a
WHERE o.job_id = a.job_id AND o.order_uid = a.order_uid AND o.state = 'waiting'
"""
_SILENT: Final = """
UPDATE job_orders SET tries = tries + 1, state = CASE WHEN tries + 1 >= %(most)s THEN 'refused' ELSE state END,
  code = CASE WHEN tries + 1 >= %(most)s THEN %(code)s ELSE code END
WHERE job_id = %(job)s AND order_uid = ANY(%(uids)s) AND state = 'waiting'
"""
_END: Final = """
UPDATE jobs SET state = 'done', ended_at = now() WHERE job_id = %s AND state = 'running'
AND NOT EXISTS (SELECT FROM job_orders WHERE job_id = %s AND state = 'waiting')
"""


def through_kafka(kafka: Kafka, seconds: float = 15.0) -> Decide:
    """Decide by writing to Kafka and waiting so long for the answers. Raises TransientError."""

    def decide(decisions: Sequence[Decision]) -> Mapping[str, Decided]:
        with DecisionDesk(kafka) as desk:
            return desk.decide(decisions, seconds)

    return decide

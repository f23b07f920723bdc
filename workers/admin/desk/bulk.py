"""One decision about many orders: those that match a filter now, each once, however often the process dies meanwhile.

The orders are frozen when the job is made: their uids and the revisions that were looked at are rows of `job_orders`.
`job_run.py` works them off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from schemas.decision import DecisionKind, DecisionRefusal
from schemas.record import changed, encode, record
from schemas.text import Text
from workers.admin.desk.access import Actor, Deed
from workers.admin.desk.deeds import Deeds, checked_why
from workers.admin.desk.filters import SEEN, Conditions, ReviewFilter, of_review
from workers.admin.desk.foresight import MOST as MOST_FORESEEN
from workers.admin.desk.foresight import Foresight
from workers.admin.desk.paging import Page, checked_limit, cut, from_cursor
from workers.admin.desk.wish import Wish
from workers.admin.errors import InvalidRequest, NotFound, Rejected
from workers.runtime.postgres.database import Connection, Database

BRAKE: Final = 500
"""A job about more orders than this is asked for twice: the second time with the count confirmed."""

MOST: Final = 200_000


@record
class Preview:
    """What a job would be about. Hand `filter`, `count` and `version` back to have it done."""

    filter: ReviewFilter
    count: int
    version: str  # of the order book: another one after it was made again
    needs_confirmation: bool
    looked_at: int = 0  # so many of them, those that wait longest, were asked what would become of them now ...
    can: int = 0  # ... for so many it would be done ...
    refused: dict[str, int] = field(default_factory=dict)  # ... and for so many refused: code -> orders


@record
class BulkRequest:
    """What is to be done to which orders, as the preview told."""

    kind: DecisionKind
    filter: ReviewFilter
    count: int
    version: str
    why: str
    confirmed_count: int | None = None
    warehouse_id: str | None = None  # these as in Wish
    codes: tuple[str, ...] = ()
    sku: str = ""
    to_sku: str = ""

    @property
    def wish(self) -> Wish:
        """What is to be done to each."""
        return Wish(kind=self.kind, warehouse_id=self.warehouse_id, codes=self.codes, sku=self.sku, to_sku=self.to_sku)


@record
class JobOrder:
    """One order of a job. `state`: waiting, done or refused; then `code` says why."""

    order_uid: str
    state: str
    code: str


@record
class Job:
    """A job and how far it is."""

    job_id: UUID
    kind: str
    filter: dict[str, Any]
    why: str
    who: str
    state: str  # running, stopped, done
    made_at: datetime
    ended_at: datetime | None
    what: dict[str, Any]  # what belongs to its kind: warehouse_id, codes, sku, to_sku
    total: int
    done: int
    waiting: int
    refused: dict[str, int]  # code -> orders


class BulkDesk:
    """Makes jobs and tells of them. All methods raise NotAllowed, InvalidRequest, TransientError."""

    def __init__(self, database: Database, deeds: Deeds, foresight: Foresight) -> None:
        self._database, self._deeds, self._foresight = database, deeds, foresight

    def preview(self, actor: Actor, wanted: ReviewFilter, wish: Wish | None = None) -> Preview:
        """How many orders match now. What comes to review later is not meant: the filter that is told ends now.

        `wish`: what would become of it, order by order, is asked too, of the first thousand. Raises ServerAway then.
        """
        with self._deeds.doing(actor, Deed.BULK_PREVIEW, subject=wanted.code or ""):
            if wanted.until is None:
                wanted = changed(wanted, until=datetime.now(UTC))
            if wish is not None:
                wish.check()
            with self._database.transaction() as connection:
                self._database.snapshot(connection)
                count, version = _count(connection, actor, wanted, wish), _version(connection)
                first = _first(connection, actor, wanted, wish) if wish is not None else []
            preview = Preview(filter=wanted, count=count, version=version, needs_confirmation=count > BRAKE)
            if wish is None or not first:
                return preview
            codes = self._foreseen(actor, wish, first)
            can = codes.pop(None, 0)
            refused = {code.value: number for code, number in sorted(codes.items()) if code is not None}
            return changed(preview, looked_at=len(first), can=can, refused=refused)

    def _foreseen(
        self, actor: Actor, wish: Wish, orders: Sequence[tuple[str, str, Sequence[str]]]
    ) -> Counter[DecisionRefusal | None]:
        now = datetime.now(UTC)
        decisions = [
            wish.decision(uid, who=actor.name, why="what would become of it", at=now, seen=seen, line_ids=lines)
            for uid, seen, lines in orders
        ]
        return Counter(one.code for one in self._foresight.of(decisions))

    def start(self, actor: Actor, request: BulkRequest) -> Job:
        """Make a job of all that match. Raises Rejected when they are not those that were counted.

        Codes: `count-changed`, `book-made-again`, `needs-confirmation`, `nothing-matches`, `too-many`.
        """
        told = f"{request.kind} {request.count}: {request.why}"
        with self._deeds.doing(actor, Deed.BULK_START, subject=request.filter.code or "", why=told) as deed_id:
            _check(request)
            with self._database.transaction() as connection:
                self._database.snapshot(connection)
                if _version(connection) != request.version:
                    raise Rejected(*_MADE_AGAIN)
                _insert(connection, deed_id, actor, request)
                frozen = _freeze(connection, deed_id, actor, request)
                if frozen != request.count:
                    raise _count_changed(request.count, frozen)
            return self._job(deed_id)

    def list(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> Page[Job]:
        """The newest first."""
        with self._deeds.doing(actor, Deed.BULK_SHOW):
            checked_limit(limit)
            after = from_cursor(cursor, datetime, str)
            rows = self._database.rows(
                "SELECT job_id FROM jobs "
                "WHERE %(at)s::timestamptz IS NULL OR (made_at, job_id) < (%(at)s, %(id)s::uuid) "
                "ORDER BY made_at DESC, job_id DESC LIMIT %(most)s",
                {"at": after[0] if after else None, "id": _uuid(after[1]) if after else None, "most": limit + 1},
            )
            jobs = [self._job(job_id) for (job_id,) in rows]
            return cut(jobs, limit, lambda job: (job.made_at, str(job.job_id)))

    def show(self, actor: Actor, job_id: UUID) -> Job:
        """How far it is. Raises NotFound."""
        with self._deeds.doing(actor, Deed.BULK_SHOW, subject=str(job_id)):
            return self._job(job_id)

    def orders(
        self,
        actor: Actor,
        job_id: UUID,
        *,
        state: str | None = None,
        code: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[JobOrder]:
        """What became of each of its orders, by uid: those in a state, those refused for a code. Raises NotFound.

        "Again for those that were refused" is a new job, by ReviewFilter.refused_in.
        """
        with self._deeds.doing(actor, Deed.BULK_SHOW, subject=str(job_id)):
            checked_limit(limit)
            self._job(job_id)
            after = from_cursor(cursor, str)
            rows = self._database.rows(
                _ORDERS,
                {
                    "job": job_id,
                    "state": state,
                    "code": code,
                    "after": after[0] if after else "",
                    "shops": None if actor.shops is None else sorted(actor.shops),
                    "most": limit + 1,
                },
            )
            found = [JobOrder(order_uid=uid, state=at, code=why) for uid, at, why in rows]
            return cut(found, limit, lambda each: each.order_uid)

    def stop(self, actor: Actor, job_id: UUID, why: str) -> Job:
        """Decide about no further orders; those that were decided stay so. Raises NotFound. Again, nothing changes."""
        with self._deeds.doing(actor, Deed.BULK_STOP, subject=str(job_id), why=why):
            checked_why(why)
            self._database.rows(
                "UPDATE jobs SET state = 'stopped', ended_at = now() WHERE job_id = %s AND state = 'running'", (job_id,)
            )
            return self._job(job_id)

    def _job(self, job_id: UUID) -> Job:
        with self._database.transaction() as connection:
            self._database.snapshot(connection)
            row = connection.execute(
                "SELECT kind, filter, why, who, state, made_at, ended_at, what, total FROM jobs WHERE job_id = %s",
                (job_id,),
            ).fetchone()
            if row is None:
                raise NotFound(Text(f"there is no job {job_id}", f"没有任务 {job_id}"), "unknown-job")
            counts = connection.execute(
                "SELECT state, code, count(*) FROM job_orders WHERE job_id = %s GROUP BY state, code", (job_id,)
            ).fetchall()
        names = ("kind", "filter", "why", "who", "state", "made_at", "ended_at", "what", "total")
        return Job(
            job_id=job_id,
            done=sum(count for state, _, count in counts if state == "done"),
            waiting=sum(count for state, _, count in counts if state == "waiting"),
            refused={code: count for state, code, count in sorted(counts) if state == "refused"},
            **dict(zip(names, row, strict=True)),
        )


def _check(request: BulkRequest) -> None:
    checked_why(request.why)
    request.wish.check()
    if request.count < 1:
        raise Rejected(Text("nothing matches the filter", "没有符合条件的订单"), "nothing-matches")
    if request.count > MOST:
        raise Rejected(Text(f"at most {MOST} orders at a time", f"每次最多 {MOST} 单"), "too-many")
    if request.count > BRAKE and request.confirmed_count != request.count:
        raise Rejected(
            Text(
                f"this is about {request.count} orders, more than {BRAKE}",
                f"将处理 {request.count} 单，超过 {BRAKE} 单",
            ),
            "needs-confirmation",
            Text(
                f"if that is meant, ask again with confirmed_count {request.count}",
                f"如确认，请带上 confirmed_count {request.count} 再次提交",
            ),
        )


def _count_changed(told: int, found: int) -> Rejected:
    return Rejected(
        Text(
            f"{found} orders match now, not {told}; nothing was done",
            f"现在符合条件的是 {found} 单，不是 {told} 单；未做任何操作",
        ),
        "count-changed",
        Text("look at them again, and ask with the new count", "请重新查看后按新的数量提交"),
    )


_MADE_AGAIN: Final = (
    Text("the order book was made again since you looked", "在您查看之后订单台账已重建"),
    "book-made-again",
    Text("look at the orders again", "请重新查看订单"),
)


def _meant(actor: Actor, wanted: ReviewFilter, wish: Wish | None) -> Conditions:
    """Orders that match, and that the wish can be about at all."""
    conditions = of_review(actor, wanted)
    if wish is not None and wish.sku:
        conditions.add("skus @> ARRAY[%(replaced)s::text]", replaced=wish.sku)
    return conditions


def _count(connection: Connection, actor: Actor, wanted: ReviewFilter, wish: Wish | None) -> int:
    conditions = _meant(actor, wanted, wish)
    query = f"SELECT count(*) FROM book.orders WHERE {conditions}"  # noqa: S608
    [(count,)] = connection.execute(query.encode(), conditions.values).fetchall()
    return int(count)


def _first(
    connection: Connection, actor: Actor, wanted: ReviewFilter, wish: Wish
) -> list[tuple[str, str, Sequence[str]]]:
    """Uid, revision and lines to correct of those that wait longest."""
    conditions = _meant(actor, wanted, wish)
    rows = connection.execute(
        f"SELECT uid, {SEEN}, {_LINES} FROM book.orders WHERE {conditions} "  # noqa: S608
        "ORDER BY review_at, uid LIMIT %(most)s".encode(),
        {**conditions.values, "swapped": wish.sku, "most": MOST_FORESEEN},
    ).fetchall()
    return [(uid, seen, lines or ()) for uid, seen, lines in rows]


def _insert(connection: Connection, job_id: UUID, actor: Actor, request: BulkRequest) -> None:
    wish = {name: value for name, value in asdict(request.wish).items() if name != "kind" and value}
    connection.execute(
        "INSERT INTO jobs (job_id, kind, filter, why, who, total, what) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            job_id,
            request.kind,
            encode(request.filter).decode(),
            request.why,
            actor.name,
            request.count,
            encode(wish).decode(),
        ),
    )


def _freeze(connection: Connection, job_id: UUID, actor: Actor, request: BulkRequest) -> int:
    """Write down which orders are meant. How many they are."""
    conditions = _meant(actor, request.filter, request.wish)
    return connection.execute(
        "INSERT INTO job_orders (job_id, order_uid, seen, line_ids) "  # noqa: S608
        f"SELECT %(job)s, uid, {SEEN}, {_LINES} FROM book.orders WHERE {conditions}".encode(),
        {**conditions.values, "job": job_id, "swapped": request.sku},
    ).rowcount


_LINES: Final = """
CASE WHEN %(swapped)s <> '' THEN ARRAY(
  SELECT line->>'line_id' FROM book.order_details AS d, jsonb_array_elements(d.lines::jsonb) AS line
  WHERE d.uid = orders.uid AND line->>'sku' = %(swapped)s AND line->>'status' = 'open'
) END
"""
_ORDERS: Final = """
SELECT order_uid, state, code FROM job_orders
WHERE job_id = %(job)s AND order_uid > %(after)s
  AND (%(state)s::text IS NULL OR state = %(state)s) AND (%(code)s::text IS NULL OR code = %(code)s)
  AND (%(shops)s::text[] IS NULL
    OR split_part(order_uid, ':', 1) || ':' || split_part(order_uid, ':', 2) = ANY(%(shops)s))
ORDER BY order_uid LIMIT %(most)s
"""


def _version(connection: Connection) -> str:
    [(generation,)] = connection.execute("SELECT generation FROM book.book").fetchall()
    return str(generation)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidRequest(Text("this cursor is none of ours", "游标无效"), "bad-cursor") from None

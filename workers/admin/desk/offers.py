"""What has changed since orders came to review: those that the rules or the catalogue of today may let go, as jobs."""

from __future__ import annotations

from collections.abc import Collection

from schemas.codes import HoldCode
from schemas.decision import DecisionKind
from schemas.record import record
from workers.admin.desk.access import Actor, Deed
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.filters import ReviewFilter, of_review
from workers.admin.desk.foresight import ActiveRules
from workers.runtime.postgres.database import Connection, Database


@record
class Offer:
    """Orders that wait for one reason and were decided by other rules than today's. Preview and start it as any job."""

    code: str  # why they wait
    orders: int
    kind: DecisionKind
    filter: ReviewFilter


@record
class Offers:
    """`ruleset`: the rules in force here, name@version."""

    ruleset: str
    items: list[Offer]


class OfferDesk:
    """Raises NotAllowed, Rejected `rules-unusable`, TransientError."""

    def __init__(self, database: Database, deeds: Deeds, rules: ActiveRules) -> None:
        self._database, self._deeds, self._rules = database, deeds, rules

    def of(self, actor: Actor) -> Offers:
        """Most orders first. An order that waits for two reasons is in both; decided anew, it is done with once.

        A share of the gray rollout that was raised is a new version of the rules. A SKU that was added is not: orders
        with a SKU that nobody knew are offered when the catalogue of today knows all of them.
        """
        with self._deeds.doing(actor, Deed.BULK_PREVIEW, subject="offers"):
            book = self._rules.current()
            with self._database.transaction() as connection:
                self._database.snapshot(connection)
                items = _by_other_rules(connection, actor, book.ruleset.label)
                items += _now_known(connection, actor, book.catalogue.skus.keys())
            return Offers(ruleset=book.ruleset.label, items=sorted(items, key=lambda one: (-one.orders, one.code)))


def _by_other_rules(connection: Connection, actor: Actor, label: str) -> list[Offer]:
    conditions = of_review(actor, ReviewFilter(not_ruleset=label))
    conditions.add("code <> %(unknown)s", unknown=HoldCode.SKU_UNKNOWN.value)
    rows = connection.execute(
        "SELECT code, count(*) FROM book.orders, unnest(review_codes) AS code "  # noqa: S608
        f"WHERE {conditions} GROUP BY code".encode(),
        conditions.values,
    ).fetchall()
    return [_offer(code, orders, ReviewFilter(code=code, not_ruleset=label)) for code, orders in rows]


def _now_known(connection: Connection, actor: Actor, known: Collection[str]) -> list[Offer]:
    code = HoldCode.SKU_UNKNOWN.value
    conditions = of_review(actor, ReviewFilter(code=code))
    rows = connection.execute(
        f"SELECT DISTINCT unnest(skus) FROM book.orders WHERE {conditions}".encode(),  # noqa: S608
        conditions.values,
    ).fetchall()
    strange = tuple(sorted(sku for (sku,) in rows if sku not in known))
    wanted = ReviewFilter(code=code, without_skus=strange)
    conditions = of_review(actor, wanted)
    query = f"SELECT count(*) FROM book.orders WHERE {conditions}"  # noqa: S608
    [(orders,)] = connection.execute(query.encode(), conditions.values).fetchall()
    return [_offer(code, orders, wanted)] if orders else []


def _offer(code: str, orders: int, wanted: ReviewFilter) -> Offer:
    return Offer(code=code, orders=orders, kind=DecisionKind.REDECIDE, filter=wanted)

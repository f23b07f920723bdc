"""What the command line, the API and the pages hold: the desk with everything that may be done at it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from schemas.text import Text
from workers.admin.desk.access import Actor, Deed
from workers.admin.desk.audit import Audit, AuditEntry, Outcome
from workers.admin.desk.bulk import BulkDesk
from workers.admin.desk.choices import ChoiceDesk
from workers.admin.desk.counting import CountingDesk
from workers.admin.desk.deciding import DecidingDesk
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.figures import FigureDesk
from workers.admin.desk.foresight import ActiveRules, Foresight
from workers.admin.desk.job_run import JobRunner, through_kafka
from workers.admin.desk.letters import LetterDesk
from workers.admin.desk.notices import NoticeDesk
from workers.admin.desk.offers import OfferDesk
from workers.admin.desk.orders import OrderDesk
from workers.admin.desk.overview import OverviewDesk
from workers.admin.desk.paging import Page, checked_limit, from_cursor
from workers.admin.desk.picking import PickDesk
from workers.admin.desk.presence import PresenceDesk
from workers.admin.desk.printing import PrintDesk
from workers.admin.desk.raw import RawDesk
from workers.admin.desk.stock import StockDesk
from workers.admin.desk.tokens import Tokens
from workers.admin.desk.users import Users
from workers.admin.errors import InvalidRequest, Rejected
from workers.runtime.postgres.database import Database
from workers.runtime.postgres.migrations import migrate
from workers.runtime.settings import Settings

SCHEMA: Final = "desk"


class Desk:
    """Every deed takes an actor first, is checked, and is written down. From any thread that runs no event loop."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database, self._audit = database, Audit(database)
        self._deeds = Deeds(self._audit)
        self.users = Users(database, self._deeds, self._audit)
        self.tokens = Tokens(database, self._deeds)
        self._rules = ActiveRules(settings)
        foresight = Foresight(settings, self._rules)
        self.orders = OrderDesk(database, self._deeds)
        self.choices = ChoiceDesk(settings, self._deeds, self.orders, foresight)
        self.overview = OverviewDesk(database, self._deeds)
        self.deciding = DecidingDesk(settings, self._deeds)
        self.bulk = BulkDesk(database, self._deeds, foresight)
        self.offers = OfferDesk(database, self._deeds, self._rules)
        self.jobs = JobRunner(database, through_kafka(settings.cluster))
        self.stock = StockDesk(settings, self._deeds)
        self.counting = CountingDesk(settings, self._deeds, self._rules)
        self.presence = PresenceDesk(database, self._deeds)
        self.raw = RawDesk(settings, self._deeds)
        self.picking = PickDesk(settings, self._deeds)
        self.figures = FigureDesk(settings, database, self._deeds)
        self.prints = PrintDesk(database, self._deeds)
        self.letters = LetterDesk(settings, self._deeds)
        self.notices = NoticeDesk(settings, self._deeds)

    def audit(
        self,
        actor: Actor,
        *,
        subject: str | None = None,
        who: str | None = None,
        deeds: Collection[Deed] | None = None,
        outcome: Outcome | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> Page[AuditEntry]:
        """What was done and refused, the newest first; of one subject, of one actor, of some deeds, with one outcome.

        Raises InvalidRequest.
        """
        with self._deeds.doing(actor, Deed.AUDIT_LIST, subject=subject or who or ""):
            after = from_cursor(cursor, int)
            return self._audit.page(
                subject=subject,
                actor=who,
                deeds=deeds,
                outcome=outcome,
                below=after[0] if after else None,
                limit=checked_limit(limit),
            )

    def warehouse_titles(self) -> dict[str, str]:
        """What people call the warehouses, by id, as the rules say. Empty where the rules cannot be read here."""
        try:
            warehouses = self._rules.current().ruleset.warehouses
        except Rejected:
            return {}
        return {name: one.title for name, one in warehouses.items() if one.title}

    def answers(self) -> None:
        """Return when the tables can be read. Raises TransientError."""
        self._database.rows("SELECT 1 FROM users LIMIT 1")


@contextmanager
def opened_desk(settings: Settings, *, role: str, connections: int = 8) -> Iterator[Desk]:
    """The desk, its tables made or brought up to date. Raises InvalidRequest without an address, TransientError."""
    if not settings.book_url.get_secret_value():
        raise InvalidRequest(
            Text(
                "no PostgreSQL: set ORDERFLEET_BOOK_URL to postgresql://USER:PASSWORD@HOST/DATABASE",
                "没有 PostgreSQL：请将 ORDERFLEET_BOOK_URL 设为 postgresql://用户:密码@主机/数据库",
            ),
            "no-postgres",
        )
    with Database(settings.book_url, SCHEMA, role=role, connections=connections) as database:
        migrate(database, f"{__package__}.schema")
        yield Desk(settings, database)

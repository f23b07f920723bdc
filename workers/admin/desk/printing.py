"""Which documents were sent to a printer, and how often: nobody prints a second one without knowing it is one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas.record import record
from schemas.text import Text
from workers.admin.desk.access import Actor, Deed, check_shop, shop_of
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.picking import MOST
from workers.admin.errors import InvalidRequest
from workers.runtime.postgres.database import Database

_PICK_LIST = "pick-list"


@record
class Printed:
    """An order whose pick list was sent to a printer. Whether paper came out, no browser tells."""

    order_uid: str
    times: int
    last_at: datetime
    last_by: str


class PrintDesk:
    """Keeps what was printed. All methods raise NotAllowed, InvalidRequest, TransientError."""

    def __init__(self, database: Database, deeds: Deeds) -> None:
        self._database, self._deeds = database, deeds

    def before(self, actor: Actor, order_uids: Sequence[str]) -> dict[str, Printed]:
        """Those of these orders whose pick list was printed before, by uid."""
        with self._deeds.doing(actor, Deed.PICKING_LIST, subject=_about(order_uids)):
            self._check(actor, order_uids)
            rows = self._database.rows(
                "SELECT order_uid, times, last_at, last_by FROM prints WHERE document = %s AND order_uid = ANY(%s)",
                (_PICK_LIST, list(order_uids)),
            )
            return {row[0]: Printed(order_uid=row[0], times=row[1], last_at=row[2], last_by=row[3]) for row in rows}

    def sent(self, actor: Actor, order_uids: Sequence[str]) -> None:
        """The pick lists of these orders go to a printer now."""
        with self._deeds.doing(actor, Deed.PICKING_PRINT, subject=_about(order_uids)):
            self._check(actor, order_uids)
            self._database.rows(
                "INSERT INTO prints AS p (document, order_uid, last_by) "
                "SELECT %s, uid, %s FROM unnest(%s::text[]) AS uid ON CONFLICT (document, order_uid) "
                "DO UPDATE SET times = p.times + 1, last_at = now(), last_by = excluded.last_by",
                (_PICK_LIST, actor.name, sorted(set(order_uids))),
            )

    def _check(self, actor: Actor, order_uids: Sequence[str]) -> None:
        if not 1 <= len(order_uids) <= MOST:
            raise InvalidRequest(Text(f"choose 1 to {MOST} orders", f"请选择 1 到 {MOST} 单"), "too-many-orders")
        for uid in order_uids:
            check_shop(actor, shop_of(uid))


def _about(order_uids: Sequence[str]) -> str:
    return f"{len(order_uids)}: {' '.join(order_uids)}"

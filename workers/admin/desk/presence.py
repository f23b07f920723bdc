"""Who looks at which order now. A courtesy, not a lock: what is decided is checked by the order's revision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from schemas.record import record
from workers.admin.desk.access import Actor, Deed, check, check_shop, shop_of
from workers.admin.desk.deeds import Deeds
from workers.runtime.postgres.database import Database

AWAY_SECONDS: Final = 45
"""Who has not said for so long that they still look at an order does not."""

MOST: Final = 200


@record
class Presence:
    """Somebody at an order. `mine`: it is who asks."""

    order_uid: str
    who: str
    since: datetime
    mine: bool


class PresenceDesk:
    """Nothing of it is written down but taking over: a page says every few seconds that it is still there.

    All methods raise NotAllowed, TransientError.
    """

    def __init__(self, database: Database, deeds: Deeds) -> None:
        self._database, self._deeds = database, deeds

    def look(self, actor: Actor, order_uid: str) -> Presence:
        """Say that the actor looks at it, every twenty seconds or so. Who is there: they, or whoever came before."""
        return self._at(actor, order_uid, take_over=False)

    def take_over(self, actor: Actor, order_uid: str) -> Presence:
        """The actor is there from now on, whoever was. Written down."""
        with self._deeds.doing(actor, Deed.ORDERS_TAKE_OVER, subject=order_uid, shop=shop_of(order_uid)):
            return self._at(actor, order_uid, take_over=True)

    def leave(self, actor: Actor, order_uid: str) -> None:
        """The actor looks at it no more."""
        _check(actor, order_uid)
        self._database.rows("DELETE FROM presence WHERE order_uid = %s AND who = %s", (order_uid, actor.name))

    def of(self, actor: Actor, order_uids: Sequence[str]) -> list[Presence]:
        """Who is at these orders, as far as the actor sees them: of a list, two hundred at most."""
        check(actor, Deed.ORDERS_SHOW)
        seen = [uid for uid in order_uids[:MOST] if actor.sees(shop_of(uid))]
        rows = self._database.rows(
            "SELECT order_uid, who, since FROM presence "
            "WHERE order_uid = ANY(%s) AND seen_at > now() - make_interval(secs => %s)",
            (seen, AWAY_SECONDS),
        )
        return [Presence(order_uid=uid, who=who, since=since, mine=who == actor.name) for uid, who, since in rows]

    def _at(self, actor: Actor, order_uid: str, *, take_over: bool) -> Presence:
        _check(actor, order_uid)
        given = {"uid": order_uid, "who": actor.name, "away": AWAY_SECONDS, "take_over": take_over}
        [(who, since)] = self._database.rows(_LOOK, given)
        return Presence(order_uid=order_uid, who=who, since=since, mine=who == actor.name)


def _check(actor: Actor, order_uid: str) -> None:
    check(actor, Deed.ORDERS_SHOW)
    check_shop(actor, shop_of(order_uid))


_GIVES_WAY: Final = "(%(take_over)s OR p.who = %(who)s OR p.seen_at < now() - make_interval(secs => %(away)s))"
_LOOK: Final = f"""
INSERT INTO presence AS p (order_uid, who) VALUES (%(uid)s, %(who)s)
ON CONFLICT (order_uid) DO UPDATE SET
  who = CASE WHEN {_GIVES_WAY} THEN excluded.who ELSE p.who END,
  since = CASE WHEN p.who <> excluded.who AND {_GIVES_WAY} THEN now() ELSE p.since END,
  seen_at = CASE WHEN {_GIVES_WAY} THEN now() ELSE p.seen_at END
RETURNING who, since
"""  # noqa: S608  # of our own words

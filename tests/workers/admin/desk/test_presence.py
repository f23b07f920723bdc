"""Who looks at an order: the first who came, until they leave, fall silent, or somebody takes over."""

from __future__ import annotations

import psycopg
import pytest

from workers.admin.desk.access import Actor, ActorKind, Role
from workers.admin.desk.desk import Desk
from workers.admin.errors import NotAllowed

UID = "taobao:tea-house:1"


def user(name: str, *shops: str, role: Role = Role.OPERATOR) -> Actor:
    return Actor(ActorKind.USER, name, role, "10.0.0.1", frozenset(shops) or None)


LI, WU = user("li"), user("wu")


def test_the_first_who_comes_is_there_until_they_leave(desk: Desk) -> None:
    assert desk.presence.look(LI, UID).mine
    told = desk.presence.look(WU, UID)
    assert (told.who, told.mine) == ("li", False)
    desk.presence.leave(WU, UID)  # who is not there cannot send another away
    assert [each.who for each in desk.presence.of(WU, [UID, "taobao:tea-house:2"])] == ["li"]
    desk.presence.leave(LI, UID)
    assert desk.presence.look(WU, UID).mine


def test_who_takes_over_is_there_and_it_is_written_down(desk: Desk, admin: Actor) -> None:
    since = desk.presence.look(LI, UID).since
    assert desk.presence.look(LI, UID).since == since
    assert desk.presence.take_over(WU, UID).mine
    assert desk.presence.look(LI, UID).who == "wu"
    assert [each.deed for each in desk.audit(admin, subject=UID, limit=9).items] == ["orders.take-over"]


def test_who_has_fallen_silent_is_not_there(desk: Desk, book_url: str) -> None:
    desk.presence.look(LI, UID)
    with psycopg.connect(book_url) as connection:
        connection.execute("UPDATE desk.presence SET seen_at = seen_at - interval '1 minute'")
    assert desk.presence.of(WU, [UID]) == []
    assert desk.presence.look(WU, UID).mine


def test_nobody_is_told_of_an_order_of_another_shop(desk: Desk) -> None:
    desk.presence.look(LI, UID)
    elsewhere = user("he", "jd:main")
    assert desk.presence.of(elsewhere, [UID]) == []
    for deed in (desk.presence.look, desk.presence.take_over, desk.presence.leave):
        with pytest.raises(NotAllowed):
            deed(elsewhere, UID)
    with pytest.raises(NotAllowed):
        desk.presence.take_over(user("qi", role=Role.VIEWER), UID)

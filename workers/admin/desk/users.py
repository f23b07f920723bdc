"""The desk's users: who may come in with which role, and sees which shops."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from psycopg import errors

from schemas.ids import SLUG
from schemas.record import record
from schemas.text import Text
from workers.admin.desk.access import Actor, ActorKind, Deed, Role
from workers.admin.desk.audit import Audit, Outcome
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.passwords import LONGEST, fits, hashed
from workers.admin.errors import InvalidRequest, NotFound, Rejected, Unknown
from workers.runtime.postgres.database import Connection, Database

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_FIELDS: Final = "name, role, shops, disabled, made_at, password_at"
NOT_SIGNED_IN: Final = "not-signed-in"
MOST_FAILURES: Final = 10
"""Failed sign-ins of one name within a quarter of an hour; then it must wait."""


@record
class User:
    """A user of the desk. `shops`: channel:shop each; None: all."""

    name: str
    role: Role
    shops: list[str] | None
    disabled: bool
    made_at: datetime
    password_at: datetime


class Users:
    """Makes users and changes them. All methods raise NotAllowed and TransientError."""

    def __init__(self, database: Database, deeds: Deeds, audit: Audit) -> None:
        self._database, self._deeds, self._audit = database, deeds, audit

    def add(self, actor: Actor, name: str, role: Role, password: str, shops: Sequence[str] | None = None) -> None:
        """Make a user. Raises InvalidRequest, Rejected when the name is taken."""
        with self._deeds.doing(actor, Deed.USERS_ADD, subject=name, why=f"role {role}"):
            values = (checked_name(name), role, checked_shops(shops), hashed(password, name))
            try:
                self._database.rows(
                    "INSERT INTO users (name, role, shops, password_hash) VALUES (%s, %s, %s, %s)", values
                )
            except errors.UniqueViolation:
                raise Rejected(Text(f"there is a user {name} already", f"已有用户 {name}"), "name-taken") from None

    def list(self, actor: Actor) -> list[User]:
        """All of them, by name."""
        with self._deeds.doing(actor, Deed.USERS_LIST):
            rows = self._database.rows(f"SELECT {_FIELDS} FROM users ORDER BY name")  # noqa: S608
            return [_user(row) for row in rows]

    def disable(self, actor: Actor, name: str, disabled: bool = True) -> None:
        """Let a user in no more, nor their tokens; or again. Raises NotFound, Rejected for the last admin."""
        with self._deeds.doing(actor, Deed.USERS_CHANGE, subject=name, why="disabled" if disabled else "enabled"):
            self._change(name, "disabled", disabled)

    def set_role(self, actor: Actor, name: str, role: Role) -> None:
        """Their tokens can do no more than the new role either. Raises NotFound, Rejected for the last admin."""
        with self._deeds.doing(actor, Deed.USERS_CHANGE, subject=name, why=f"role {role}"):
            self._change(name, "role", role)

    def set_shops(self, actor: Actor, name: str, shops: Sequence[str] | None) -> None:
        """Which shops a user sees; None: all. Raises InvalidRequest, NotFound."""
        told = "all" if shops is None else " ".join(shops)
        with self._deeds.doing(actor, Deed.USERS_CHANGE, subject=name, why=f"shops {told}"):
            self._change(name, "shops", checked_shops(shops))

    def set_password(self, actor: Actor, name: str, password: str) -> None:
        """Raises InvalidRequest, NotFound."""
        with self._deeds.doing(actor, Deed.USERS_CHANGE, subject=name, why="password"):
            kept = hashed(password, name)
            self._change(name, "password_hash", kept)

    def sign_in(self, name: str, password: str, origin: str) -> Actor:
        """Who it is. Raises Unknown, alike for a wrong name or password, a disabled user and too many failures."""
        name = name.strip().lower()[:LONGEST].replace("\0", "\ufffd")  # no text of PostgreSQL holds a NUL
        somebody = Actor(ActorKind.USER, name, Role.VIEWER, origin)
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT password_hash, role, shops, disabled FROM users WHERE name = %s", (name,)
            ).fetchone()
            [(failures,)] = connection.execute(
                "SELECT count(*) FROM audit WHERE actor = %s AND deed = %s AND outcome = 'refused' "
                "AND at > now() - interval '15 minutes'",
                (name, Deed.USERS_SIGN_IN),
            ).fetchall()
        right = fits(password, row[0] if row else None)
        if row is None or not right or row[3] or failures >= MOST_FAILURES:
            code = "too-many-failures" if failures >= MOST_FAILURES else "wrong-name-or-password"
            self._audit.add(somebody, Deed.USERS_SIGN_IN, Outcome.REFUSED, deed_id=uuid4(), code=code)
            raise Unknown(
                Text(
                    "wrong name or password, or too many attempts: try again in a quarter of an hour, or ask an admin",
                    "用户名或密码错误，或尝试次数过多：请 15 分钟后重试，或联系管理员",
                ),
                NOT_SIGNED_IN,
            )
        actor = Actor(ActorKind.USER, name, Role(row[1]), origin, None if row[2] is None else frozenset(row[2]))
        self._audit.add(actor, Deed.USERS_SIGN_IN, Outcome.DONE, deed_id=uuid4())
        return actor

    def actor(self, name: str, origin: str) -> Actor:
        """A signed-in user as they stand now. Raises Unknown when they are gone or disabled."""
        rows = self._database.rows("SELECT role, shops FROM users WHERE name = %s AND NOT disabled", (name,))
        if not rows:
            raise Unknown(Text("sign in again", "请重新登录"), NOT_SIGNED_IN)
        [(role, shops)] = rows
        return Actor(ActorKind.USER, name, Role(role), origin, None if shops is None else frozenset(shops))

    def gone(self, names: Collection[str]) -> set[str]:
        """Those of these who are disabled or no users."""
        rows = self._database.rows("SELECT name FROM users WHERE name = ANY(%s) AND NOT disabled", (sorted(names),))
        return set(names) - {name for (name,) in rows}

    def _change(self, name: str, column: str, value: Any) -> None:
        assert column in ("disabled", "role", "shops", "password_hash")
        touch = ", password_at = now()" if column == "password_hash" else ""
        with self._database.transaction() as connection:
            connection.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")  # two admins must not end each other
            before = _admins(connection)
            found = connection.execute(
                f"UPDATE users SET {column} = %s{touch} WHERE name = %s RETURNING 1",  # noqa: S608
                (value, name.replace("\0", "")),
            )
            if found.fetchone() is None:
                raise NotFound(Text(f"there is no user {name}", f"没有用户 {name}"), "unknown-user")
            if before and not _admins(connection):
                raise Rejected(
                    Text("this is the last admin: make another first", "这是最后一位管理员：请先设置另一位"),
                    "last-admin",
                )


def _admins(connection: Connection) -> int:
    [(count,)] = connection.execute("SELECT count(*) FROM users WHERE role = 'admin' AND NOT disabled").fetchall()
    return int(count)


def checked_name(name: str) -> str:
    """Raises InvalidRequest when it is no name for a user."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            Text(
                "a user's name is 2 to 40 of a-z, 0-9, dot, hyphen, underscore",
                "用户名为 2 到 40 个字符：a-z、0-9、点、连字符、下划线",
            ),
            "bad-name",
        )
    return name


def checked_shops(shops: Sequence[str] | None) -> list[str] | None:
    """The shops that a user may see. Raises InvalidRequest."""
    for shop in shops or ():
        channel, _, shop_id = shop.partition(":")
        if not (SLUG.fullmatch(channel) and SLUG.fullmatch(shop_id)):
            raise InvalidRequest(
                Text(f"{shop[:80]}: write a shop as CHANNEL:SHOP", f"{shop[:80]}：店铺请写作 渠道:店铺"), "bad-shop"
            )
    return None if shops is None else sorted(set(shops))


def _user(row: tuple[Any, ...]) -> User:
    found = dict(zip(_FIELDS.split(", "), row, strict=True))
    return User(**{**found, "role": Role(found["role"])})

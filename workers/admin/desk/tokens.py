"""Tokens: how programs come to the desk. A token belongs to a user, and may never do more than they may."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr

from schemas.record import record
from schemas.text import Text
from workers.admin.desk.access import Actor, ActorKind, Deed, Role, Scope, allowed_scopes
from workers.admin.desk.deeds import Deeds
from workers.admin.errors import InvalidRequest, NotFound, Unknown
from workers.runtime.postgres.database import Database

MOST_DAYS: Final = 730
_FORM: Final = re.compile(r"of_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_FIELDS: Final = "token_id, name, label, scopes, tokens.made_at, expires_at, used_at, revoked_at"

_REFUSED: Final = Text(
    "this token is not known, has expired or was revoked, or its user is disabled",
    "令牌无效、已过期、已吊销，或其用户已停用",
)
_ADVICE: Final = Text(
    "send `Authorization: Bearer of_...`; an admin makes one: orderfleet tokens create",
    "请发送 Authorization: Bearer of_...；由管理员创建：orderfleet tokens create",
)


@record
class Token:
    """A token, without its secret, which is nowhere."""

    token_id: str
    user: str
    label: str
    scopes: list[str]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class Tokens:
    """Makes tokens and tells whose one is. All methods raise NotAllowed and TransientError."""

    def __init__(self, database: Database, deeds: Deeds) -> None:
        self._database, self._deeds = database, deeds

    def create(self, actor: Actor, user: str, scopes: Sequence[Scope], days: int, label: str) -> tuple[str, SecretStr]:
        """Its id and itself: this is the only time that it can be read. Raises InvalidRequest, NotFound."""
        told = f"{' '.join(sorted(scopes))}, {days} days"
        with self._deeds.doing(actor, Deed.TOKENS_CREATE, subject=user, why=told):
            user_id, role = self._user(user)
            _check(role, scopes, days, label)
            token_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
            secret = secrets.token_urlsafe(32)
            self._database.rows(
                "INSERT INTO tokens (token_id, user_id, label, secret_hash, scopes, expires_at) "
                "VALUES (%s, %s, %s, %s, %s, now() + make_interval(days => %s))",
                (token_id, user_id, label, _digest(secret), sorted(set(scopes)), days),
            )
            return token_id, SecretStr(f"of_{token_id}_{secret}")

    def list(self, actor: Actor) -> list[Token]:
        """All that were ever made, the newest first."""
        with self._deeds.doing(actor, Deed.TOKENS_LIST):
            rows = self._database.rows(
                f"SELECT {_FIELDS} FROM tokens JOIN users USING (user_id) ORDER BY tokens.made_at DESC, token_id"  # noqa: S608
            )
            return [_token(row) for row in rows]

    def revoke(self, actor: Actor, token_id: str) -> None:
        """From now on nobody comes in with it. Raises NotFound. Revoked again, nothing changes."""
        with self._deeds.doing(actor, Deed.TOKENS_REVOKE, subject=token_id):
            found = self._database.rows(
                "UPDATE tokens SET revoked_at = coalesce(revoked_at, now()) WHERE token_id = %s RETURNING 1",
                (token_id.replace("\0", ""),),
            )
            if not found:
                raise NotFound(
                    Text(
                        "there is no token of this id: orderfleet tokens list",
                        "没有此编号的令牌：orderfleet tokens list",
                    ),
                    "unknown-token",
                )

    def actor(self, presented: str, origin: str) -> Actor:
        """Whose token this is, as they stand now. Raises Unknown."""
        form = _FORM.fullmatch(presented)
        rows = self._database.rows(_LOOK, (form[1],)) if form is not None else []
        kept = rows[0][0] if rows else b"\0" * 32
        right = hmac.compare_digest(_digest(form[2] if form is not None else ""), kept)  # as long for all
        if form is None or not rows or not right or not rows[0][1]:
            raise Unknown(_REFUSED, "token-refused", _ADVICE)
        _, _, name, role, shops, scopes, is_stale = rows[0]
        if is_stale:
            self._database.rows("UPDATE tokens SET used_at = now() WHERE token_id = %s", (form[1],))
        known = frozenset(Scope(each) for each in scopes if each in set(Scope))
        seen = None if shops is None else frozenset(shops)
        return Actor(ActorKind.TOKEN, name, Role(role), origin, seen, known, form[1])

    def _user(self, name: str) -> tuple[int, Role]:
        rows = self._database.rows("SELECT user_id, role FROM users WHERE name = %s", (name.replace("\0", ""),))
        if not rows:
            raise NotFound(Text(f"there is no user {name}", f"没有用户 {name}"), "unknown-user")
        return rows[0][0], Role(rows[0][1])


_LOOK: Final = """
SELECT secret_hash, revoked_at IS NULL AND expires_at > now() AND NOT disabled, name, role, shops, scopes,
  coalesce(used_at < now() - interval '1 minute', true)
FROM tokens JOIN users USING (user_id) WHERE token_id = %s
"""


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _check(role: Role, scopes: Sequence[Scope], days: int, label: str) -> None:
    if not 1 <= days <= MOST_DAYS:
        raise InvalidRequest(
            Text(f"a token lives 1 to {MOST_DAYS} days", f"令牌有效期为 1 到 {MOST_DAYS} 天"), "bad-days"
        )
    if not label.strip() or len(label) > 100 or not label.isprintable():
        raise InvalidRequest(
            Text("say what the token is for, in 1 to 100 characters", "请写明令牌用途（1 到 100 个字符）"), "bad-label"
        )
    beyond = sorted(set(scopes) - allowed_scopes(role))
    if beyond or not scopes:
        may = ", ".join(sorted(allowed_scopes(role)))
        raise InvalidRequest(
            Text(
                f"a user with the role {role} can have tokens with: {may}",
                f"角色 {role} 的用户可拥有以下权限的令牌：{may}",
            ),
            "bad-scope",
        )


def _token(row: tuple[Any, ...]) -> Token:
    names = ("token_id", "user", "label", "scopes", "made_at", "expires_at", "used_at", "revoked_at")
    return Token(**dict(zip(names, row, strict=True)))

"""Passwords of users: what is taken as one, and how it is kept (argon2id)."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.text import Text
from workers.admin.errors import InvalidRequest

SHORTEST: Final = 10
LONGEST: Final = 256
_LONG_ENOUGH: Final = 16  # for words only

_hasher: Final = PasswordHasher()  # the RFC's parameters: 64 MiB, a twentieth of a second
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5IGhhcyB0aGlz$QDwoWuTgCiHlmmCLDaWf3eOC4CQpyaAdWGnIPGG3YZI"
"""No password fits it: an unknown name takes as long to refuse as a known one."""


def hashed(password: str, name: str) -> str:
    """How the password of a user is kept. Raises InvalidRequest for one that is too easy."""
    kinds = sum(any(test(each) for each in password) for test in (str.islower, str.isupper, str.isdigit, _other))
    long_enough = len(password) >= SHORTEST and (kinds >= 3 or len(password) >= _LONG_ENOUGH)
    if not long_enough or len(password) > LONGEST or name.lower() in password.lower():
        raise InvalidRequest(
            Text(
                f"this password is too easy: {SHORTEST} to {LONGEST} characters without the user's name, with three of "
                f"lower case, upper case, digits and others, or {_LONG_ENOUGH} characters of any kind",
                f"密码过于简单：{SHORTEST} 到 {LONGEST} 个字符，不含用户名，包含小写、大写、数字、其他字符中的三种，"
                f"或不少于 {_LONG_ENOUGH} 个任意字符",
            ),
            "password-too-easy",
        )
    return _hasher.hash(password)


def _other(character: str) -> bool:
    return not character.isalnum()


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password. `kept`: None for a user who is not there."""
    try:
        return _hasher.verify(kept or _NOBODY, password[:LONGEST]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False

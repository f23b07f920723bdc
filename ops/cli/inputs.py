"""What people hand to a command: files, ids and times. What is wrong with them ends the command as wrong usage."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ops.cli.output import ExitCode, fail
from schemas.text import Text

STDIN: Final = "-"
MOST_BYTES: Final = 100 << 20

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_input(name: str) -> bytes:
    """The bytes of a file, or of stdin when the name is `-`."""
    try:
        if name == STDIN:
            body = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                body = file.read(MOST_BYTES + 1)
    except OSError as error:
        fail(_unreadable(name, error), ExitCode.USAGE)
    if len(body) > MOST_BYTES:
        size = MOST_BYTES >> 20
        fail(Text(f"{name} is larger than {size} MB", f"{name} 超过 {size} MB"), ExitCode.USAGE)
    return body


def _unreadable(name: str, error: OSError) -> Text:
    if isinstance(error, FileNotFoundError):
        return Text(f"there is no file {name}; check the path", f"没有文件 {name}，请检查路径")
    if isinstance(error, IsADirectoryError):
        return Text(f"{name} is a folder; name a file in it", f"{name} 是文件夹，请指定其中的文件")
    if isinstance(error, PermissionError):
        return Text(f"{name} may not be read by this user", f"当前用户无权读取 {name}")
    return Text(f"{name} cannot be read ({error.strerror})", f"无法读取 {name}（{error.strerror}）")


def shown(name: str) -> str:
    """How a file is called in messages."""
    return "stdin" if name == STDIN else name


def a_slug(value: str, option: str) -> str:
    """A shop or warehouse id: small letters, digits, hyphens."""
    from schemas.ids import SLUG

    if not SLUG.fullmatch(value) or len(value) > 63:
        fail(
            Text(
                f"{option} {value}: write small letters, digits and hyphens only, at most 63",
                f"{option} {value}：只能由小写字母、数字和短横线组成，最多 63 个字符",
            ),
            ExitCode.USAGE,
        )
    return value


def a_moment(value: str, option: str, now: datetime | None = None) -> datetime:
    """A time: ISO 8601 (this machine's time zone when it names none), or how long ago: 90s, 30m, 6h, 7d."""
    number, unit = value[:-1], value[-1:]
    if number.isdecimal() and len(number) <= 6 and unit in _UNITS:
        return (now or datetime.now(UTC)) - timedelta(seconds=int(number) * _UNITS[unit])
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        fail(
            Text(
                f"{option} {value}: write a time such as 2026-11-11T00:00:00+08:00, or how long ago: 30m, 6h, 7d",
                f"{option} {value}：请写时间，例如 2026-11-11T00:00:00+08:00，或多久以前：30m、6h、7d",
            ),
            ExitCode.USAGE,
        )

"""Lua scripts as files of a package: read once, registered once, run by their digest."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from redis.asyncio import Redis
from redis.commands.core import AsyncScript


@cache
def read_script(package: str, name: str) -> str:
    """The text of `<package>/lua/<name>`."""
    return files(package).joinpath("lua", name).read_text(encoding="utf-8")


def load_script(redis: Redis, package: str, name: str) -> AsyncScript:
    """The script, ready to be called with keys and args. After a flush of the script cache it loads itself again."""
    return redis.register_script(read_script(package, name))

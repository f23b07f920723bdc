"""Lua scripts as files of a package: read once, registered once, run by their digest, alone or many in one round trip.

A script stands in its package's own folder, or in `lua` there, where a package has many. It may take in another file of
its folder with a line `-- @include <file>`, or `-- @include <package>:<file>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any, NamedTuple, TypeVar, overload

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, RedisError

from workers.runtime.redis.errors import raise_trouble, redis_errors
from workers.runtime.redis.pipeline import Command, run_pipeline

Made = TypeVar("Made", covariant=True)

_INCLUDE = re.compile(r"^-- @include (?:(\S+):)?(\S+)$", re.MULTILINE)


@cache
def read_script(package: str, name: str) -> str:
    """The text of `<package>/<name>`, or else of `<package>/lua/<name>`, with what it includes."""
    folder = files(package)
    own = folder.joinpath(name)
    text = (own if own.is_file() else folder.joinpath("lua", name)).read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda line: read_script(line[1] or package, line[2]), text)


def load_script(redis: Redis, package: str, name: str) -> AsyncScript:
    """The script, ready to be called with keys and args. After a flush of the script cache it loads itself again."""
    return redis.register_script(read_script(package, name))


class Script:
    """A packaged script, to be run many times in one round trip: see `run_scripts`."""

    __slots__ = ("digest", "name", "text")

    def __init__(self, package: str, name: str) -> None:
        self.name = name
        self.text = read_script(package, name)
        self.digest = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class ScriptCall(NamedTuple):
    """One run of one script."""

    script: Script
    keys: Sequence[str]
    args: Sequence[str | bytes | int]


class Each(Sequence[Made]):
    """What a function makes of each of some things, when it is asked for: the first are on their way to Redis then."""

    def __init__(self, make: Callable[[Any], Made], things: Sequence[Any]) -> None:
        self._make = make
        self._things = things

    def __len__(self) -> int:
        return len(self._things)

    @overload
    def __getitem__(self, place: int) -> Made: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Made]: ...
    def __getitem__(self, place: int | slice) -> Made | Sequence[Made]:
        make = self._make
        return make(self._things[place]) if isinstance(place, int) else [make(thing) for thing in self._things[place]]


async def run_scripts(redis: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
    """Run all calls in one round trip; the replies stand in their order, a script's own error as a ResponseError.

    Scripts that the server does not know (it was restarted, its cache was flushed) are loaded and only their calls are
    run again. Raises TransientError when Redis is away or cannot write now; then some calls may have taken effect.
    """
    if not calls:
        return []
    with redis_errors():
        replies = await run_pipeline(redis, Each(command_of, calls))
        errors = [number for number, reply in enumerate(replies) if isinstance(reply, RedisError)]
        if errors:
            unknown = [number for number in errors if isinstance(replies[number], NoScriptError)]
            for number, reply in zip(unknown, await _load_and_run(redis, calls, unknown), strict=True):
                replies[number] = reply
            for number in errors:
                raise_trouble(replies[number])
    return replies


async def read_all(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The replies to commands that only read, in one round trip. Raises the first error among them, and as above."""
    if not commands:
        return []
    with redis_errors():
        replies = await run_pipeline(redis, commands)
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
    return replies


def command_of(call: ScriptCall) -> Command:
    """What Redis is told."""
    script, keys, args = call
    return ("EVALSHA", script.digest, len(keys), *keys, *args)


async def _load_and_run(redis: Redis, calls: Sequence[ScriptCall], unknown: Sequence[int]) -> list[Any]:
    if not unknown:
        return []
    for script in {calls[number].script for number in unknown}:
        await redis.script_load(script.text)
    return await run_pipeline(redis, [command_of(calls[number]) for number in unknown])

"""The ledger in a file: written before it is deleted, and put back from there."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis

from workers.inventory.epoch import forget_epoch
from workers.rebuild.contents import (
    Content,
    delete_all,
    delete_outboxes,
    ledger_keys,
    read_contents,
    restored,
)
from workers.rebuild.errors import BackupUnwritable, NotABackup


class Backup(NamedTuple):
    """Where the ledger was saved, and how many keys of it."""

    path: Path
    keys: int


BackedUp = Callable[[Backup], None]
"""Told before anything is deleted: what follows may fail, and the file must be known then."""


async def ledger_size(redis: Redis) -> int:
    """How many keys of the ledger there are."""
    return sum([len(page) async for page in ledger_keys(redis)])


async def clear(redis: Redis, folder: Path, told: BackedUp, *, outboxes: bool) -> Backup:
    """Back up, then delete; the outboxes only when what they tell of did not happen.

    Raises BackupUnwritable, TransientError.
    """
    backup = await _backed_up(redis, folder / f"stock-backup-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.jsonl")
    told(backup)
    await forget_epoch(redis)
    await delete_all(redis)
    if outboxes:
        await delete_outboxes(redis)
    return backup


async def _backed_up(redis: Redis, path: Path) -> Backup:
    """Every key of the ledger in a new file that only its owner can read."""
    keys = 0
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123, ASYNC230  # nothing else runs
            async for content in read_contents(redis):
                file.write(content.backup() + b"\n")
                keys += 1
    except OSError as error:
        raise BackupUnwritable(path, error.strerror) from error
    return Backup(path, keys)


def read_backup(path: Path) -> list[Content]:
    """What a backup holds. Raises NotABackup, OSError."""
    try:
        with path.open("rb") as file:
            return [restored(line) for line in file]
    except ValueError:
        raise NotABackup(path) from None

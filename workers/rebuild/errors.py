"""Why the ledger is not made again, given up or put back. Nothing was changed when one of these is raised.

RebuildError
├── WritersAtWork     workers write to the ledger
├── LedgerNotEmpty    there is stock in Redis, and nobody said to replace it
├── LedgerEmpty       there is none, and there should be
├── IncompleteEvents  the events do not tell the whole story
├── BackupUnwritable  the backup cannot be written where it was to be
└── NotABackup        the file is none
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from schemas.text import Text, TextError


class RebuildError(TextError):
    """Root of what this package raises on purpose, beside TransientError."""


class WritersAtWork(RebuildError):
    """Somebody writes to the ledger. `signs`: what shows it, each with what to stop."""

    def __init__(self, signs: Sequence[Text]) -> None:
        super().__init__(Text("; ".join(sign.en for sign in signs), "；".join(sign.zh for sign in signs)))
        self.signs = tuple(signs)


class LedgerNotEmpty(RebuildError):
    """Redis holds stock."""

    def __init__(self, keys: int) -> None:
        super().__init__(
            Text(
                f"Redis holds {keys} keys of the ledger; nothing was changed. Compare first: --dry-run. "
                "To back them up to a file and replace them: --replace",
                f"Redis 中已有 {keys} 个账本键；没有做任何修改。请先用 --dry-run 比较；"
                "如需备份后替换，请使用 --replace",
            )
        )


class LedgerEmpty(RebuildError):
    """Redis holds no stock."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "this Redis holds no stock: orderfleet stock rebuild brings it back",
                "该 Redis 中没有库存数据：请用 orderfleet stock rebuild 恢复",
            )
        )


class IncompleteEvents(RebuildError):
    """Events are missing, or contradict each other."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "the events do not tell the whole story; nothing was changed. Look for the missing ones (retention of "
                "inventory.events, another cluster), or take what there is with --accept-gaps and count all stock anew",
                "事件不完整；没有做任何修改。请查找缺失的事件（inventory.events 的保留时间、其他集群），"
                "或使用 --accept-gaps 按现有事件重建，并重新盘点全部库存",
            )
        )


class BackupUnwritable(RebuildError):
    """No room, no right, or no folder."""

    def __init__(self, path: Path, why: str | None) -> None:
        super().__init__(
            Text(
                f"cannot write the backup {path} ({why}); nothing was changed. Change to a folder with room",
                f"无法写入备份 {path}（{why}）；没有做任何修改。请切换到有空间的目录",
            )
        )


class NotABackup(RebuildError):
    """The file holds what no backup holds."""

    def __init__(self, path: Path) -> None:
        super().__init__(Text(f"{path} is no backup of stock rebuild", f"{path} 不是备份文件"))

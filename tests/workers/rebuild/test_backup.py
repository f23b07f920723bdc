"""Files of backups, as they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.rebuild.backup import read_backup
from workers.rebuild.contents import Content
from workers.rebuild.errors import NotABackup


def test_what_was_backed_up_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "backup.jsonl"
    contents = [Content("sequence:{hangzhou}", "7"), Content("stock:{hangzhou}:MUG-350", {"on_hand": "3"})]
    path.write_bytes(b"".join(content.backup() + b"\n" for content in contents))

    assert [content.line() for content in read_backup(path)] == [content.line() for content in contents]


@pytest.mark.parametrize("body", [b"{", b"what people wrote\n", b'{"other": 1}\n'])
def test_what_is_no_backup_is_named(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(body)

    with pytest.raises(NotABackup) as refusal:
        read_backup(path)

    assert str(path) in refusal.value.text.en
    assert str(path) in refusal.value.text.zh

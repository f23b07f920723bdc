"""Every code that asks for a person says why, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.codes import WORDING, HoldCode

ROOT = Path(__file__).parents[2]
WRITERS = (
    "channel_adapters",
    "workers/tag",
    "workers/route",
    "workers/reserve",
    "workers/fulfill",
    "workers/restock",
)


def test_every_code_has_its_words() -> None:
    assert set(WORDING) == set(HoldCode)
    for code, text in WORDING.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert text.en
        assert re.search(r"[\u4e00-\u9fff]", text.zh), code


@pytest.mark.parametrize("folder", WRITERS)
def test_codes_are_written_by_name(folder: str) -> None:
    """A code written as a text could be one that nobody has words for."""
    written = re.compile(
        r'(?:code=|holds=\(|codes\.append\(|to_review\(\w+, |_set_aside\(\w+, )"([a-z-]+)"'
        r'|(?:CODE|SHIPPED)(?:: Final)? = ("[a-z-]+")'
    )
    found = {
        f"{path.relative_to(ROOT)}: {code}"
        for path in (ROOT / folder).rglob("*.py")
        for pair in written.findall(path.read_text(encoding="utf-8"))
        for code in pair
        if code
    }
    assert found == set()

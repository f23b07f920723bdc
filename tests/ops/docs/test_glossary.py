"""The glossary explains every state, in both languages, and texts for people keep to its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from schemas.fulfillment import InstructionKind
from schemas.plan import Disposition
from workers.inventory.records import OrderState, ReservationState

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "ops" / "docs" / "glossary.md").read_text(encoding="utf-8")
CHINESE = re.compile(r"[一-鿿]")

TEXTS = sorted(
    path
    for pattern in (
        "README*.md",
        "schemas/*.py",
        "channel_adapters/**/*.py",
        "workers/**/*.py",
        "ops/**/*.py",
        "ops/monitoring/**/*.yaml",
        "ops/monitoring/**/*.json",
        "ops/monitoring/runbooks/*.md",
        "ops/docs/*.md",
    )
    for path in ROOT.glob(pattern)
    if path.name != "glossary.md"
)


def tables(columns: int) -> Iterator[list[str]]:
    """The rows of all tables of so many columns, without their headings."""
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
        if len(rows[0]) == columns:
            yield from rows[2:]


WORDS = list(tables(4))
AVOIDED = {word: row[1] for row in tables(2) for word in row[0].split("、")}


def test_it_has_its_words() -> None:
    names = [row[0] for row in WORDS]
    assert len(names) >= 40
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row[0])
def test_every_word_is_explained_in_one_sentence_in_both_languages(row: list[str]) -> None:
    word, word_zh, english, chinese = row
    assert word
    assert not CHINESE.search(word + english)
    assert re.fullmatch(r"[A-Z`].+\.", english)
    assert not re.search(r"\. [A-Z]", english), "one sentence"
    assert CHINESE.search(word_zh)
    assert re.fullmatch(r"[^。]+。", chinese), "one sentence"
    assert CHINESE.search(chinese)


@pytest.mark.parametrize("states", [OrderState, ReservationState, Disposition, InstructionKind])
def test_every_state_is_explained(states: type[StrEnum]) -> None:
    explained = {name for row in WORDS for name in re.findall(r"`([\w-]+)`", row[0])}
    assert {state.value for state in states} - explained == set()


def test_texts_keep_to_its_words() -> None:
    assert len(AVOIDED) >= 5
    assert len(TEXTS) > 100
    found = [
        f"{path.relative_to(ROOT)}: {word}; say {instead}"
        for path in TEXTS
        for word, instead in AVOIDED.items()
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_what_it_says_to_say_is_one_of_its_words() -> None:
    explained = " ".join(row[1] for row in WORDS)
    assert [instead for instead in AVOIDED.values() if instead not in explained] == []

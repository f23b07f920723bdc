"""Every code that asks for a person says why, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.codes import WORDING, HoldCode

ROOT = Path(__file__).parents[2]
WRITERS = ("channel_adapters/woocommerce", "channel_adapters/shopify", "workers/tag", "workers/route")


def test_every_code_has_its_words() -> None:
    assert set(WORDING) == set(HoldCode)
    for code, text in WORDING.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert text.en
        assert re.search(r"[\u4e00-\u9fff]", text.zh), code


@pytest.mark.parametrize("folder", WRITERS)
def test_codes_are_written_by_name(folder: str) -> None:
    """A code written as a text could be one that nobody has words for."""
    written = re.compile(r'(?:code=|holds=\(|codes\.append\()"([a-z-]+)"')
    found = {
        f"{path.relative_to(ROOT)}: {code}"
        for path in (ROOT / folder).rglob("*.py")
        for code in written.findall(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize("folder", ["fulfill", "restock", "reserve"])
def test_the_codes_of_the_warehouses_are_known(folder: str) -> None:
    written = re.compile(r'for_a_person\(\w+, "([a-z-]+)"|(?:CODE|SHIPPED)(?:: Final)? = "([a-z-]+)"')
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "workers" / folder).rglob("*.py")]
    found = {code for text in texts for pair in written.findall(text) for code in pair if code}
    assert found <= set(HoldCode)

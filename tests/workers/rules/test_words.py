"""Keywords are found whatever their case and width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.rules.words import Keywords, fold


@pytest.mark.parametrize(
    "text", ["FREESHIP", "freeship", "ＦＲＥＥＳＨＩＰ", "ｆｒｅｅｓｈｉｐ", "code FreeShip-11", "满99ＦｒｅｅShip"]
)
def test_case_and_width_do_not_matter(text: str) -> None:
    assert Keywords(["FreeShip"]).found_in(text)


def test_a_longer_word_that_only_looks_like_it_does_not_count() -> None:
    gift = Keywords(["赠品"], unless=["非赠品"])
    assert gift.found_in("赠品 滤杯")
    assert not gift.found_in("正装（非赠品）")
    assert gift.found_in("非赠品 + 赠品")


@pytest.mark.parametrize("text", ["", "礼品", "free ship"])
def test_other_words_are_not_found(text: str) -> None:
    assert not Keywords(["赠品", "freeship"]).found_in(text)


def test_a_keyword_is_words_and_not_a_pattern() -> None:
    assert Keywords(["5.0(new)"]).found_in("手机 5.0(NEW)")
    assert not Keywords(["5.0(new)"]).found_in("手机 5x0new")


@given(word=st.text(min_size=1).filter(lambda word: fold(word) != ""), before=st.text(), after=st.text())
def test_a_word_is_found_wherever_its_folded_form_stands(word: str, before: str, after: str) -> None:
    text = before + " " + word + " " + after
    assert Keywords([word]).found_in(text) is (fold(word) in fold(text))

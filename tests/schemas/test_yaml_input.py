"""Whatever a YAML file holds: plain values, or a refusal by name that costs little."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from channel_adapters.shop_file import BrokenShopFile, load_shops
from schemas.yaml_input import MOST_BYTES, MOST_ELEMENTS, BadYaml, load
from workers.rules.loading import load_ruleset
from workers.rules.problems import RulesetErrors

LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
)

BOMBS: dict[str, tuple[str | bytes, str]] = {
    "billion laughs": (LAUGHS, "anchor"),
    "dashes": ("- \n" * 349_000, "values"),
    "flow list": ("[" + "a," * 500_000 + "a]", "values"),
    "empty maps": ("[" + "{}," * 349_000 + "]", "values"),
    "keys that are lists": ("[" + "[a]: 1," * 140_000 + "]", "values"),
    "one key often": ("a: 1\n" * 200_000, "values"),
    "deep flow": ("[" * 500_000, "deeper"),
    "deep block": ("- " * 500_000, "deeper"),
    "deep indents": ("".join(" " * n + "a:\n" for n in range(1400)), "deeper"),
    "documents": ("---\n" * 250_000, "second document"),
    "too long": ("a" * (MOST_BYTES + 1), "larger than 1 MiB"),
    "no UTF-8": (b"a: \xff", "not UTF-8"),
    "half a surrogate pair": ("a: \ud800", "character"),
    "a key twice": ("a: 1\nb: 2\na: 3\n", "twice"),
    "4,300 digits and more": ("a: " + "9" * 5_000, "number"),
    "a 30th of February": ("a: 2026-02-30", "time"),
    "a list as a key": ("? [a]\n: 1\n", "unhashable"),
    "a Python object": ("a: !!python/object/apply:os.system [ls]", "constructor"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_name_and_costs_little(name: str) -> None:
    raw, why = BOMBS[name]
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(BadYaml, match=why):
        load(raw)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB
    assert time.process_time() - began < 10  # it is a tenth of that; what is meant is: not minutes


READ_AS_TEXT = ("4,300 digits and more", "a 30th of February")


@pytest.mark.parametrize("name", [name for name in BOMBS if name not in READ_AS_TEXT])
def test_rules_refuse_the_same_by_name(name: str) -> None:
    with pytest.raises(RulesetErrors, match=r"rules\.yaml"):
        load_ruleset(BOMBS[name][0], "rules.yaml")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 10**6) | st.text(st.characters(codec="utf-8"), max_size=9),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=4),
    )
)
def test_what_yaml_writes_is_read_back(value: object) -> None:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    assert load(yaml.dump(value, Dumper=Plain)) == value


def test_as_many_values_as_may_be_are_read() -> None:
    assert len(load("[" + "a," * (MOST_ELEMENTS - 1) + "]")) == MOST_ELEMENTS - 1


def test_a_bad_file_of_shops_names_the_line_and_quotes_nothing(tmp_path: Path) -> None:
    shops = tmp_path / "shops.yaml"
    shops.write_text("- app_secret: &s hidden\n  other: *s\n")
    with pytest.raises(BrokenShopFile, match="line 1") as refusal:
        load_shops(shops, ["taobao"])
    assert "hidden" not in f"{refusal.value} {refusal.value.text}"

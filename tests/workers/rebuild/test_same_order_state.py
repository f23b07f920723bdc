"""Which differences between two pointers of an order mean something."""

from __future__ import annotations

import pytest

from workers.rebuild.order_state import same_pointer

POINTER = {"revision": "r1", "fence": "1", "phase": "settled", "holdings": '{"hangzhou": {"TEA": 1}}', "source": "0:1"}


@pytest.mark.parametrize("name", ["fence", "source", "heard:hangzhou:r1", "overtaken:hangzhou"])
def test_what_no_topic_tells_makes_no_difference(name: str) -> None:
    assert same_pointer(POINTER | {name: "2"}, POINTER)


@pytest.mark.parametrize(("name", "value"), [("revision", "r2"), ("phase", "claimed"), ("holdings", "{}")])
def test_what_an_order_is_and_has_makes_one(name: str, value: str) -> None:
    assert not same_pointer(POINTER | {name: value}, POINTER)


def test_the_spelling_of_json_makes_none() -> None:
    assert same_pointer(POINTER | {"holdings": '{"hangzhou":{"TEA":1}}'}, POINTER)

"""What a step of a transfer may name."""

from __future__ import annotations

import pytest

from workers.admin.errors import InvalidRequest
from workers.admin.transfers import checked_transfer_id


def test_a_transfer_id_is_taken_as_it_is() -> None:
    assert checked_transfer_id("taobao:main:1@000001/beijing") == "taobao:main:1@000001/beijing"


@pytest.mark.parametrize("value", ["", "  ", "x" * 301, "a\nb"])
def test_an_id_that_is_none_is_refused_in_both_languages(value: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        checked_transfer_id(value)

    assert all(refusal.value.text)

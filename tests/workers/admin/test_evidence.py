"""Which order is meant."""

from __future__ import annotations

import pytest

from workers.admin.errors import InvalidRequest
from workers.admin.evidence import named_uid


def test_an_order_uid_names_its_order() -> None:
    uid = named_uid("taobao:main:2700000000000000001")

    assert uid is not None
    assert uid.platform_order_id == "2700000000000000001"


def test_anything_else_may_be_a_platforms_order_id() -> None:
    assert named_uid("2700000000000000001") is None


def test_a_channel_that_is_none_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        named_uid("taobap:main:1")

    assert "there is no channel taobap" in refusal.value.text.en
    assert "taobao" in refusal.value.text.en
    assert "taobao" in refusal.value.text.zh

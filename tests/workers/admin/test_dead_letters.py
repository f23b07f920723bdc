"""Letters as data: the way of a message into one and back, and what keeps it from going back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import KafkaRecord
from tests.workers.admin.builders import RAW, a_letter
from workers.admin.dead_letters import Filter, Original, batches, channel_of, payload_of
from workers.runtime.dead_letters import dead_letter
from workers.runtime.errors import PermanentError


@given(payload=st.binary(max_size=200), key=st.text("abcXYZ019:-_#", max_size=20), attempts=st.integers(1, 9))
def test_a_message_survives_the_way_into_a_letter_and_back(payload: bytes, key: str, attempts: int) -> None:
    headers = [("shop", b"main"), ("attempts", b"%d" % attempts)]
    before = KafkaRecord(payload, key=key.encode(), offset=5, topic=RAW, headers=headers)
    letter = dead_letter(before, "normalize", PermanentError("bug", []))
    after = Original(letter, None).record()

    assert (after.topic, after.key, after.value) == (RAW, key.encode(), payload)
    assert dict(after.headers) == {
        "shop": b"main",
        "retry-of": b"orders.raw.taobao/0/5",
        "attempts": b"%d" % (attempts + 1),
    }


def test_a_second_retry_tells_of_the_second_letter_only() -> None:
    letter = a_letter(9, headers={"shop": "main", "retry-of": f"{RAW}/0/1", "attempts": "2"}, attempts=2)

    assert dict(Original(letter, None).record().headers)["retry-of"] == b"orders.raw.taobao/0/9"
    assert dict(Original(letter, None).record().headers)["attempts"] == b"3"


def test_a_damaged_letter_is_told_and_not_put_back() -> None:
    letter = a_letter(1, payload_base64="%%%")

    with pytest.raises(ValueError, match=r"orders\.raw\.taobao/0/1"):
        payload_of(letter)
    assert Original(letter, None).obstacle([RAW]) is not None
    assert Original(a_letter(1, key="taobao:main:\ufffd"), None).obstacle([RAW]) is not None
    assert Original(a_letter(1), None).obstacle([RAW]) is None


def test_the_channel_is_known_by_topic_or_key() -> None:
    assert channel_of(a_letter(1)) == "taobao"
    assert channel_of(a_letter(1, topic="orders.planned", key="jd:main:1")) == "jd"
    assert channel_of(a_letter(1, topic="wms.events", key="x")) == ""
    assert Filter(channel="jd")(a_letter(1, topic="orders.planned", key="jd:main:1"))


def test_letters_are_handled_in_portions_that_fit_into_memory() -> None:
    large = "A" * (5 << 20)
    portions = list(batches(a_letter(n, payload_base64=large if n < 4 else "") for n in range(1200)))

    assert [len(portion) for portion in portions][:2] == [2, 2]
    assert max(len(portion) for portion in portions) == 500
    assert sum(len(portion) for portion in portions) == 1200

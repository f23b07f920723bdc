"""The published vectors of Pinduoduo's signature and of its message channel's token."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from channel_adapters.pinduoduo.signature import message_channel_path, sign

NUMBER_LIST = {
    "access_token": "asd78172s8ds9a921j9qqwda12312w1w21211",
    "client_id": "1",
    "data_type": "XML",
    "order_status": "1",
    "page": "1",
    "page_size": "10",
    "timestamp": "1480411125",
    "type": "pdd.order.number.list.get",
}

INCREMENT = {
    "access_token": "exampleToken",
    "client_id": "exampleClientId",
    "data_type": "JSON",
    "end_updated_at": "1789865820",
    "is_lucky_flag": "0",
    "order_status": "5",
    "page": "1",
    "page_size": "50",
    "refund_status": "5",
    "start_updated_at": "1789864200",
    "timestamp": "1789866000",
    "type": "pdd.order.number.list.increment.get",
    "use_has_next": "true",
}


@pytest.mark.parametrize(
    ("parameters", "secret", "expected"),
    [
        (NUMBER_LIST, "testSecret", "E4DE3ED21002510DED352819E7AE6775"),
        (INCREMENT, "exampleSecret", "C2B4E4D0BCFCD6E9DB9E7E5D43F8B8C9"),
    ],
)
def test_a_call_is_signed_as_published(parameters: Mapping[str, str], secret: str, expected: str) -> None:
    assert sign(parameters, secret) == expected
    assert sign({**dict(sorted(parameters.items(), reverse=True)), "sign": "OLD"}, secret) == expected


@pytest.mark.parametrize("name", list(INCREMENT))
def test_every_parameter_is_signed(name: str) -> None:
    assert sign({**INCREMENT, name: INCREMENT[name] + "x"}, "exampleSecret") != sign(INCREMENT, "exampleSecret")


def test_the_message_channel_is_opened_with_a_token_of_the_hex_text() -> None:
    expected = "/message/app/1700000000000/OTgxODMwNDI2NWZiN2NiNzA2NzIxOTI0ZjJlMDMxMjE%3D"
    assert message_channel_path("app", 1700000000000, "secret") == expected

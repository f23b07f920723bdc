"""Doudian signatures, against the vectors that the steps of the public SDKs give."""

from __future__ import annotations

import pytest

from channel_adapters.contract import ForgedRequest
from channel_adapters.douyin.signature import param_json, sign, sign_push, verify_push

APP_KEY = "7000000000000000001"
APP_SECRET = "00000000-0000-4000-8000-000000000000"
TIMESTAMP = "1789866005"

PUSH = b'[{"tag":"0","msg_id":"0","data":"2026-09-20T09:00:00+08:00"}]'
PUSH_SIGN = "1832b89880c61421de9b88ad1c2a3709"


def test_a_search_is_signed() -> None:
    params = param_json(
        {
            "update_time_start": 1789862400,
            "update_time_end": 1789866000,
            "page": 0,
            "size": 100,
            "order_by": "update_time",
            "order_asc": True,
        }
    )
    assert params == (
        '{"order_asc":true,"order_by":"update_time","page":0,"size":100,'
        '"update_time_end":1789866000,"update_time_start":1789862400}'
    )
    assert sign(APP_KEY, APP_SECRET, "order.searchList", params, TIMESTAMP) == (
        "8b3338b37b624c8df9b9d1d9caa6bc136a3667e03dbe4f2dd705f5824ab5cde4"
    )


def test_chinese_and_html_are_signed_as_they_are() -> None:
    params = param_json({"order_id": "6900000000000000001", "remark": "你好<b>&", "is_add_star": "true"})
    assert params == '{"is_add_star":"true","order_id":"6900000000000000001","remark":"你好<b>&"}'
    assert sign(APP_KEY, APP_SECRET, "order.addOrderRemark", params, TIMESTAMP) == (
        "7c7031a32a407c5636b2b63cc0949148c2cc32fc7ce23662849ed0d688d715b2"
    )


def test_keys_are_sorted_at_every_level() -> None:
    assert param_json({"b": [{"z": 1, "a": 2}], "a": {"d": None, "c": 3}}) == (
        '{"a":{"c":3,"d":null},"b":[{"a":2,"z":1}]}'
    )


def test_no_parameters_are_an_empty_object() -> None:
    assert param_json({}) == "{}"


def test_a_push_is_signed() -> None:
    assert sign_push(APP_KEY, APP_SECRET, PUSH) == PUSH_SIGN


@pytest.mark.parametrize("body", [PUSH, b" \n" + PUSH + b"\n"], ids=["raw", "stripped before signing"])
def test_a_signed_push_is_accepted(body: bytes) -> None:
    verify_push({"app-id": APP_KEY, "event-sign": PUSH_SIGN}, body, APP_SECRET)


def test_upper_case_hex_is_the_same_signature() -> None:
    verify_push({"app-id": APP_KEY, "event-sign": PUSH_SIGN.upper()}, PUSH, APP_SECRET)


def test_the_border_between_key_and_body_cannot_be_moved() -> None:
    headers = {"app-id": APP_KEY + PUSH[:1].decode(), "event-sign": PUSH_SIGN}
    with pytest.raises(ForgedRequest):
        verify_push(headers, PUSH[1:], APP_SECRET)


@pytest.mark.parametrize("app_id", ["", "x", "²", "70 00"])
def test_an_app_id_that_is_no_number_is_forged(app_id: str) -> None:
    headers = {"app-id": app_id, "event-sign": sign_push(app_id, APP_SECRET, PUSH)}
    with pytest.raises(ForgedRequest):
        verify_push(headers, PUSH, APP_SECRET)


def test_a_shop_without_a_secret_accepts_nothing() -> None:
    with pytest.raises(ForgedRequest):
        verify_push({"app-id": APP_KEY, "event-sign": sign_push(APP_KEY, "", PUSH)}, PUSH, "")


def test_a_push_for_another_app_is_refused_whoever_signed_it() -> None:
    headers = {"app-id": APP_KEY, "event-sign": PUSH_SIGN}
    verify_push(headers, PUSH, APP_SECRET, APP_KEY)
    with pytest.raises(ForgedRequest, match="another app"):
        verify_push(headers, PUSH, APP_SECRET, "7000000000000000002")

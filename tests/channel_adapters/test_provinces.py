"""Provinces in every spelling that shops send."""

from __future__ import annotations

import pytest

from channel_adapters.provinces import known_province, province
from workers.rules.region import PROVINCES


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Yunnan / 云南", "云南"),
        ("BJ", "北京"),
        ("CN-BJ", "北京"),
        ("Inner Mongolia Autonomous Region", "内蒙古"),
        ("Guangxi Zhuang Autonomous Region", "广西"),
        ("上海\u200b", "上海"),
        ("\ufeff上海市\u200e", "上海"),
        ("廣東省", "广东"),
        ("廣西壯族自治區", "广西"),
        ("臺灣", "台湾"),
        ("台灣省", "台湾"),
        ("Tibet", "西藏"),
        ("Xizang Autonomous Region", "西藏"),
        ("YZ", "西藏"),
        ("Xinjiang Uyghur Autonomous Region", "新疆"),
        ("Hong Kong SAR", "香港"),
        ("Guangdong (广东)", "广东"),
        ("guangdong sheng", "广东"),
        ("ＺＨＥＪＩＡＮＧ", "浙江"),
        ("  zhejiang province ", "浙江"),
        ("44", "广东"),
        ("California", ""),
        ("CA", ""),
        ("", ""),
        ("x" * 1000, ""),
    ],
)
def test_a_province_is_known_however_it_is_spelled(spelling: str, name: str) -> None:
    assert known_province(spelling) == name


def test_all_provinces_that_rules_name_are_known_by_themselves() -> None:
    assert [known_province(name) for name in PROVINCES] == list(PROVINCES)


def test_outside_china_a_state_stays_as_it_was_written() -> None:
    assert province("HE", "DE") == "HE"
    assert province(" Hessen\u200b", "DE") == "Hessen"
    assert province("Nowhere", "CN") == "Nowhere"
    assert province("Kowloon / 香港", "HK") == "香港"

"""Provinces, cities and districts however they are spelled."""

from __future__ import annotations

import pytest

from workers.rules.region import MAINLAND, MUNICIPALITIES, PROVINCES, REGIONS, city_of, district_of, province_of


def test_there_are_34_provinces_each_in_one_region() -> None:
    assert len(PROVINCES) == len(set(PROVINCES)) == 34
    assert len(MAINLAND) == 31
    assert {name: len(provinces) for name, provinces in REGIONS.items()} == {
        "华东": 7, "华北": 5, "华中": 3, "华南": 3, "西南": 5, "西北": 5, "东北": 3, "港澳台": 3
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("浙江省", "浙江"),
        ("浙江", "浙江"),
        (" 浙江省 ", "浙江"),
        ("北京市", "北京"),
        ("北京", "北京"),
        ("广西壮族自治区", "广西"),
        ("内蒙古自治区", "内蒙古"),
        ("宁夏回族自治区", "宁夏"),
        ("新疆维吾尔自治区", "新疆"),
        ("西藏自治区", "西藏"),
        ("香港特别行政区", "香港"),
        ("台湾省", "台湾"),
        ("Zhejiang", "浙江"),
        ("zhejiang province", "浙江"),
        ("Inner Mongolia", "内蒙古"),
        ("Shaanxi", "陕西"),
        ("Shanxi", "山西"),
        ("ZJ", "浙江"),
        ("杭州市", ""),
        ("California", ""),
        ("", ""),
    ],
)
def test_a_province_is_known_by_any_of_its_names(spelling: str, name: str) -> None:
    assert province_of(spelling) == name


@pytest.mark.parametrize("name", PROVINCES)
def test_every_short_and_long_name_is_known(name: str) -> None:
    assert province_of(name) == name
    assert province_of(name + ("市" if name in MUNICIPALITIES else "省")) == name


def test_a_country_of_its_own_is_a_place_of_its_own() -> None:
    assert province_of("", "HK") == "香港"
    assert province_of("Kowloon", "HK") == "香港"
    assert province_of("浙江省", "US") == ""


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("杭州市", "杭州"),
        ("杭州", "杭州"),
        ("延边朝鲜族自治州", "延边朝鲜族"),
        ("大兴安岭地区", "大兴安岭"),
        ("沙市", "沙市"),
        ("", ""),
    ],
)
def test_a_city_is_known_without_the_word_for_what_it_is(spelling: str, name: str) -> None:
    assert city_of(spelling) == name


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("西湖区", "西湖"), ("浦东新区", "浦东"), ("义乌市", "义乌"), ("城区", "城区"), ("市中区", "市中"), ("", "")],
)
def test_a_district_is_known_without_the_word_for_what_it_is(spelling: str, name: str) -> None:
    assert district_of(spelling) == name

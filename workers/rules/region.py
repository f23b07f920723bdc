"""The provinces of China, how platforms spell them, and the regions that sellers group them into.

The 34 province-level divisions are those of GB/T 2260. The seven regions are the usual ones of Chinese administration
and logistics (华东 with 江西, 福建 and 山东); 港澳台 stands apart, because parcels there cross a customs border.
A ruleset may declare regions of its own or redraw these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from channel_adapters.provinces import known_province

# fmt: off
REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "华东": ("上海", "江苏", "浙江", "安徽", "福建", "江西", "山东"),
    "华北": ("北京", "天津", "河北", "山西", "内蒙古"),
    "华中": ("河南", "湖北", "湖南"),
    "华南": ("广东", "广西", "海南"),
    "西南": ("重庆", "四川", "贵州", "云南", "西藏"),
    "西北": ("陕西", "甘肃", "青海", "宁夏", "新疆"),
    "东北": ("辽宁", "吉林", "黑龙江"),
    "港澳台": ("香港", "澳门", "台湾"),
}

_BY_COUNTRY: Final[Mapping[str, str]] = {"HK": "香港", "MO": "澳门", "TW": "台湾"}
# fmt: on

PROVINCES: Final[tuple[str, ...]] = tuple(province for provinces in REGIONS.values() for province in provinces)
MAINLAND: Final[tuple[str, ...]] = tuple(p for region, names in REGIONS.items() if region != "港澳台" for p in names)
MUNICIPALITIES: Final = frozenset(("北京", "上海", "天津", "重庆"))

_CITY_SUFFIXES: Final = ("自治州", "地区", "市", "盟")
_DISTRICT_SUFFIXES: Final = ("自治县", "自治旗", "新区", "区", "县", "市", "旗")


@lru_cache(maxsize=4096)
def province_of(spelling: str, country: str = "CN") -> str:
    """The short name of a province: 浙江省, CN-ZJ, Zhejiang -> 浙江; 廣西 -> 广西. "" when it is none of ours.

    Hong Kong, Macao and Taiwan come as provinces of CN or as countries of their own; both mean the same place.
    """
    if country in _BY_COUNTRY:
        return _BY_COUNTRY[country]
    if country not in ("CN", ""):
        return ""
    return known_province(spelling)


@lru_cache(maxsize=8192)
def city_of(spelling: str) -> str:
    """A city's name without the word for what it is: 杭州市 -> 杭州, 延边朝鲜族自治州 -> 延边朝鲜族."""
    return _without(spelling.strip(), _CITY_SUFFIXES)


@lru_cache(maxsize=16384)
def district_of(spelling: str) -> str:
    """A district's name without the word for what it is: 西湖区 -> 西湖, 义乌市 -> 义乌; 城区 stays 城区."""
    return _without(spelling.strip(), _DISTRICT_SUFFIXES)


def _without(name: str, suffixes: Sequence[str]) -> str:
    for suffix in suffixes:
        if name.endswith(suffix) and len(name) - len(suffix) >= 2:
            return name[: -len(suffix)]
    return name

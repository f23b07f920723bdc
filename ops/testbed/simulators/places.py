"""Where the simulated buyers live: every mainland region, more of them in 华东, as for a real domestic shop.

One province a row. Codes are GB/T 2260; mall state codes are those that WooCommerce and Shopify use for China.
"""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple


class Place(NamedTuple):
    """One district. `city` is "" where a province runs the county itself."""

    province: str
    short: str
    english: str
    province_code: str
    city: str
    city_code: str
    district: str
    district_code: str
    woo_state: str
    shopify_state: str

    @property
    def municipality(self) -> bool:
        """The province is a city itself."""
        return self.province == self.city


class _Province(NamedTuple):
    name: str
    short: str
    english: str
    weight: int
    woo_state: str
    shopify_state: str
    districts: str  # "city code district code; ..."


# fmt: off
_PROVINCES = (
    # 华东: more than half of all buyers
    _Province("浙江省", "浙江", "Zhejiang", 14, "CN12", "ZJ", "杭州市 330100 余杭区 330110; 杭州市 330100 西湖区 330106; 宁波市 330200 鄞州区 330212; 温州市 330300 鹿城区 330302"),
    _Province("江苏省", "江苏", "Jiangsu", 13, "CN11", "JS", "南京市 320100 玄武区 320102; 苏州市 320500 吴中区 320506; 无锡市 320200 滨湖区 320211"),
    _Province("上海市", "上海", "Shanghai", 11, "CN10", "SH", "上海市 310100 浦东新区 310115; 上海市 310100 徐汇区 310104; 上海市 310100 闵行区 310112"),
    _Province("山东省", "山东", "Shandong", 6, "CN16", "SD", "济南市 370100 历下区 370102; 青岛市 370200 市南区 370202"),
    _Province("安徽省", "安徽", "Anhui", 5, "CN13", "AH", "合肥市 340100 蜀山区 340104; 芜湖市 340200 镜湖区 340202"),
    _Province("福建省", "福建", "Fujian", 5, "CN14", "FJ", "福州市 350100 鼓楼区 350102; 厦门市 350200 思明区 350203"),
    _Province("江西省", "江西", "Jiangxi", 3, "CN15", "JX", "南昌市 360100 东湖区 360102; 赣州市 360700 章贡区 360702"),
    # 华南
    _Province("广东省", "广东", "Guangdong", 10, "CN20", "GD", "广州市 440100 天河区 440106; 深圳市 440300 南山区 440305; 佛山市 440600 禅城区 440604"),
    _Province("广西壮族自治区", "广西", "Guangxi", 2, "CN21", "GX", "南宁市 450100 青秀区 450103; 桂林市 450300 象山区 450304"),
    _Province("海南省", "海南", "Hainan", 1, "CN22", "HI", "海口市 460100 龙华区 460106; - 469000 琼海市 469002"),
    # 华北
    _Province("北京市", "北京", "Beijing", 6, "CN2", "BJ", "北京市 110100 朝阳区 110105; 北京市 110100 海淀区 110108"),
    _Province("天津市", "天津", "Tianjin", 2, "CN3", "TJ", "天津市 120100 南开区 120104"),
    _Province("河北省", "河北", "Hebei", 3, "CN4", "HE", "石家庄市 130100 长安区 130102; 保定市 130600 竞秀区 130602"),
    _Province("山西省", "山西", "Shanxi", 2, "CN5", "SX", "太原市 140100 小店区 140105"),
    _Province("内蒙古自治区", "内蒙古", "Inner Mongolia", 1, "CN6", "NM", "呼和浩特市 150100 新城区 150102"),
    # 华中
    _Province("湖北省", "湖北", "Hubei", 4, "CN18", "HB", "武汉市 420100 江汉区 420103; - 429000 仙桃市 429004"),
    _Province("湖南省", "湖南", "Hunan", 3, "CN19", "HN", "长沙市 430100 岳麓区 430104"),
    _Province("河南省", "河南", "Henan", 4, "CN17", "HA", "郑州市 410100 金水区 410105; - 419000 济源市 419001"),
    # 西南
    _Province("四川省", "四川", "Sichuan", 5, "CN24", "SC", "成都市 510100 武侯区 510107; 绵阳市 510700 涪城区 510703"),
    _Province("重庆市", "重庆", "Chongqing", 3, "CN23", "CQ", "重庆市 500100 渝中区 500103; 重庆市 500100 渝北区 500112"),
    _Province("贵州省", "贵州", "Guizhou", 1, "CN25", "GZ", "贵阳市 520100 云岩区 520103"),
    _Province("云南省", "云南", "Yunnan", 2, "CN1", "YN", "昆明市 530100 五华区 530102"),
    _Province("西藏自治区", "西藏", "Xizang", 1, "CN31", "YZ", "拉萨市 540100 城关区 540102"),
    # 西北
    _Province("陕西省", "陕西", "Shaanxi", 3, "CN26", "SN", "西安市 610100 雁塔区 610113"),
    _Province("甘肃省", "甘肃", "Gansu", 1, "CN27", "GS", "兰州市 620100 城关区 620102"),
    _Province("青海省", "青海", "Qinghai", 1, "CN28", "QH", "西宁市 630100 城西区 630104"),
    _Province("宁夏回族自治区", "宁夏", "Ningxia", 1, "CN29", "NX", "银川市 640100 兴庆区 640104"),
    _Province("新疆维吾尔自治区", "新疆", "Xinjiang", 1, "CN32", "XJ", "乌鲁木齐市 650100 天山区 650102; - 659000 石河子市 659001"),
    # 东北
    _Province("辽宁省", "辽宁", "Liaoning", 3, "CN7", "LN", "沈阳市 210100 和平区 210102; 大连市 210200 中山区 210202"),
    _Province("吉林省", "吉林", "Jilin", 2, "CN8", "JL", "长春市 220100 朝阳区 220104"),
    _Province("黑龙江省", "黑龙江", "Heilongjiang", 2, "CN9", "HL", "哈尔滨市 230100 南岗区 230103"),
)
# fmt: on


def _places(row: _Province) -> Iterator[Place]:
    for entry in row.districts.split("; "):
        city, city_code, district, district_code = entry.split(" ")
        yield Place(
            province=row.name,
            short=row.short,
            english=row.english,
            province_code=district_code[:2],
            city="" if city == "-" else city,
            city_code=city_code,
            district=district,
            district_code=district_code,
            woo_state=row.woo_state,
            shopify_state=row.shopify_state,
        )


PLACES: tuple[tuple[Place, ...], ...] = tuple(tuple(_places(row)) for row in _PROVINCES)
"""Per province, its districts."""

_WEIGHTS = tuple(accumulate(row.weight for row in _PROVINCES))


def somewhere(rng: Random) -> Place:
    """Where a buyer lives."""
    return rng.choice(rng.choices(PLACES, cum_weights=_WEIGHTS)[0])

"""The provinces of China in every spelling that shops and platforms send.

Names and codes are those of GB/T 2260 and ISO 3166-2:CN (letters, and the older numbers), in simplified and traditional
characters and in English. No library is used: those that know ISO 3166-2 know neither the traditional names nor what
plugins write, and weigh megabytes for 34 rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

# fmt: off
_ROWS: Final = """
北京   BJ 11 北京   Beijing        | Peking
天津   TJ 12 天津   Tianjin        | Tientsin
河北   HE 13 河北   Hebei          |
山西   SX 14 山西   Shanxi         |
内蒙古 NM 15 內蒙古 Inner Mongolia | Nei Mongol, Nei Menggu, Neimenggu, Inner Mongol
辽宁   LN 21 遼寧   Liaoning       |
吉林   JL 22 吉林   Jilin          |
黑龙江 HL 23 黑龍江 Heilongjiang   |
上海   SH 31 上海   Shanghai       |
江苏   JS 32 江蘇   Jiangsu        |
浙江   ZJ 33 浙江   Zhejiang       |
安徽   AH 34 安徽   Anhui          |
福建   FJ 35 福建   Fujian         |
江西   JX 36 江西   Jiangxi        |
山东   SD 37 山東   Shandong       |
河南   HA 41 河南   Henan          |
湖北   HB 42 湖北   Hubei          |
湖南   HN 43 湖南   Hunan          |
广东   GD 44 廣東   Guangdong      | Canton
广西   GX 45 廣西   Guangxi        | Guangxi Zhuang, Guangxi Zhuangzu
海南   HI 46 海南   Hainan         |
重庆   CQ 50 重慶   Chongqing      |
四川   SC 51 四川   Sichuan        |
贵州   GZ 52 貴州   Guizhou        |
云南   YN 53 雲南   Yunnan         |
西藏   XZ 54 西藏   Tibet          | Xizang, YZ
陕西   SN 61 陝西   Shaanxi        |
甘肃   GS 62 甘肅   Gansu          |
青海   QH 63 青海   Qinghai        |
宁夏   NX 64 寧夏   Ningxia        | Ningxia Hui, Ningxia Huizu
新疆   XJ 65 新疆   Xinjiang       | Xinjiang Uygur, Xinjiang Uyghur, Xinjiang Uighur, Xinjiang Uygurs
台湾   TW 71 臺灣   Taiwan         | 台灣
香港   HK 91 香港   Hong Kong      | Hongkong, Hong Kong China
澳门   MO 92 澳門   Macao          | Macau, MC, Macao China, Macau China
"""

_TAILS: Final = (
    "special administrative region", "autonomous region", "municipality", "province", "region", "sheng", "shi", "sar",
    "维吾尔自治区", "維吾爾自治區", "壮族自治区", "壯族自治區", "回族自治区", "回族自治區", "特别行政区", "特別行政區",
    "自治区", "自治區", "省", "市",
)
# fmt: on
_ROW: Final = re.compile(r"^(\S+) +(\S+) +(\d+) +(\S+) +(.+?) *\|(.*)$", re.MULTILINE)
_PARTED: Final = re.compile(r"[/|(),;\[\]（）、，／｜]+|\s+[-–—]\s+")
_CJK: Final = re.compile(r"[\u3400-\u9fff]+")


def _known() -> dict[str, str]:
    known: dict[str, str] = {}
    for name, letters, number, traditional, english, others in _ROW.findall(_ROWS):
        for spelling in (name, letters, number, traditional, english, *others.split(",")):
            known[_key(spelling)] = name
    known.pop("", None)
    return known


def _key(spelling: str) -> str:
    return re.sub(r"[\s._'’-]+", "", spelling).casefold()


_KNOWN: Final = _known()


def cleaned(text: str) -> str:
    """Without what is seen by nobody: zero-width characters, marks of direction, blanks at the ends."""
    if text.isascii():
        return text.strip()
    return "".join(each for each in text if unicodedata.category(each) != "Cf").strip()


@lru_cache(4096)
def known_province(spelling: str) -> str:
    """The short Chinese name: `Yunnan / 云南`, `CN-YN`, 雲南省 -> 云南. "" when it is no province of China."""
    text = unicodedata.normalize("NFKC", cleaned(spelling)).casefold()
    return next((name for each in _readings(text) if (name := _KNOWN.get(_key(each)))), "")


def _readings(text: str) -> Iterator[str]:
    """The whole, its parts, and the Chinese in it, each with and without what kind of place it is."""
    yield from _shorter(text.removeprefix("cn-").removeprefix("cn "))
    parts = _PARTED.split(text)
    if len(parts) > 1:
        for part in parts:
            yield from _shorter(part.strip().removeprefix("cn-"))
    for chinese in _CJK.findall(text):
        yield from _shorter(chinese)


def _shorter(text: str) -> Iterator[str]:
    yield text
    for tail in _TAILS:
        if text.endswith(tail) and len(text) > len(tail):
            text = text.removesuffix(tail).rstrip(" ,-")
            yield text
            break


@lru_cache(8192)
def province(spelling: str, country: str) -> str:
    """A province as our orders name it: the short Chinese name within China, else as it was written."""
    if country in ("CN", "HK", "MO", "TW", ""):
        return known_province(spelling) or cleaned(spelling)
    return cleaned(spelling)

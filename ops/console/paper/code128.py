"""Code 128 (ISO/IEC 15417), code sets B and C: what a scanner reads of an order's number. Pure."""

from __future__ import annotations

import re
from html import escape
from typing import Final

MODULE_MM: Final = 0.33
"""Width of the narrowest bar: a laser printer of 300 dpi draws it with four dots."""

HEIGHT_MM: Final = 11.0
_QUIET: Final = 10  # modules that stay white at each side
_START_B, _START_C, _TO_B, _TO_C, _STOP = 104, 105, 100, 99, 106
_WIDTHS: Final = [
    "212222",
    "222122",
    "222221",
    "121223",
    "121322",
    "131222",
    "122213",
    "122312",
    "132212",
    "221213",
    "221312",
    "231212",
    "112232",
    "122132",
    "122231",
    "113222",
    "123122",
    "123221",
    "223211",
    "221132",
    "221231",
    "213212",
    "223112",
    "312131",
    "311222",
    "321122",
    "321221",
    "312212",
    "322112",
    "322211",
    "212123",
    "212321",
    "232121",
    "111323",
    "131123",
    "131321",
    "112313",
    "132113",
    "132311",
    "211313",
    "231113",
    "231311",
    "112133",
    "112331",
    "132131",
    "113123",
    "113321",
    "133121",
    "313121",
    "211331",
    "231131",
    "213113",
    "213311",
    "213131",
    "311123",
    "311321",
    "331121",
    "312113",
    "312311",
    "332111",
    "314111",
    "221411",
    "431111",
    "111224",
    "111422",
    "121124",
    "121421",
    "141122",
    "141221",
    "112214",
    "112412",
    "122114",
    "122411",
    "142112",
    "142211",
    "241211",
    "221114",
    "413111",
    "241112",
    "134111",
    "111242",
    "121142",
    "121241",
    "114212",
    "124112",
    "124211",
    "411212",
    "421112",
    "421211",
    "212141",
    "214121",
    "412121",
    "111143",
    "111341",
    "131141",
    "114113",
    "114311",
    "411113",
    "411311",
    "113141",
    "114131",
    "311141",
    "411131",
    "211412",
    "211214",
    "211232",
    "2331112",
]
"""Of each symbol, the widths of its bars and gaps in turns, in modules."""

_DIGITS: Final = re.compile(r"(?:[0-9]{2}){2,}")


def symbols(text: str) -> list[int]:
    """The symbols of a text, with start, check and stop. Raises ValueError for what is not printable ASCII."""
    if not text or not all(" " <= each <= "~" for each in text):
        raise ValueError("no text for a Code 128")
    found: list[int] = []
    in_c, place = False, 0
    while place < len(text):
        digits = _DIGITS.match(text, place)
        if digits is not None:
            found += [_TO_C if found else _START_C] if not in_c else []
            found += [int(digits[0][at : at + 2]) for at in range(0, len(digits[0]), 2)]
            in_c, place = True, digits.end()
        else:
            found += [_TO_B if found else _START_B] if in_c or not found else []
            found.append(ord(text[place]) - 32)
            in_c, place = False, place + 1
    check = (found[0] + sum(at * value for at, value in enumerate(found[1:], 1))) % 103
    return [*found, check, _STOP]


def svg(text: str) -> str:
    """The barcode as SVG in millimetres; "" for a text that has none."""
    try:
        widths = [int(width) for symbol in symbols(text) for width in _WIDTHS[symbol]]
    except ValueError:
        return ""
    place, bars = _QUIET, []
    for number, width in enumerate(widths):
        if number % 2 == 0:
            bars.append(f"M{place} 0h{width}v1h-{width}z")
        place += width
    whole = place + _QUIET
    return (
        f'<svg class="barcode" role="img" aria-label="{escape(text)}" width="{whole * MODULE_MM:.2f}mm" '
        f'height="{HEIGHT_MM}mm" viewBox="0 0 {whole} 1" preserveAspectRatio="none" shape-rendering="crispEdges">'
        f'<rect width="{whole}" height="1" fill="#fff"/><path d="{"".join(bars)}"/></svg>'
    )

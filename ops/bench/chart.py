"""A bar chart as SVG, without a library: readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

WIDTH: Final = 760
_LABELS: Final = 230
_BAR: Final = 22
_GAP: Final = 12
_TOP: Final = 44
_OURS, _THEIRS, _TEXT = "#2f9e6e", "#8a94a6", "#7a8290"


def bars(title: str, rows: Sequence[tuple[str, float, str]], ours: Sequence[str]) -> str:
    """One bar a row: label, value, and what is written at its end. Bars whose label is in `ours` stand out."""
    height = _TOP + len(rows) * (_BAR + _GAP) + 8
    longest = max((value for _, value, _ in rows), default=0) or 1
    size = f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="13">',
        f'<text x="0" y="20" font-size="15" font-weight="600" fill="{_TEXT}">{escape(title)}</text>',
    ]
    for number, (label, value, told) in enumerate(rows):
        top = _TOP + number * (_BAR + _GAP)
        parts += _bar(label, value / longest, told, top, _OURS if label in ours else _THEIRS)
    return "\n".join([*parts, "</svg>", ""])


def _bar(label: str, share: float, told: str, top: int, colour: str) -> list[str]:
    length = max(2.0, share * (WIDTH - _LABELS - 150))
    middle = top + _BAR * 0.7
    return [
        f'<text x="0" y="{middle:.0f}" fill="{_TEXT}">{escape(label)}</text>',
        f'<rect x="{_LABELS}" y="{top}" width="{length:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>',
        f'<text x="{_LABELS + length + 8:.1f}" y="{middle:.0f}" fill="{_TEXT}">{escape(told)}</text>',
    ]


def speed_chart(contenders: dict[str, Any], cores: int) -> str:
    """Orders a second of each contender, with the CPU that an order took it."""
    rows = [
        (
            row["title"],
            row["orders_per_second"],
            f"{row['orders_per_second']:,}/s, {row['cpu_us_per_order']:.0f} µs CPU",
        )
        for row in contenders.values()
    ]
    ours = [title for title, _, _ in rows if title.startswith("orderfleet")]
    return bars(f"Orders a second, raw to routed with reservation ({cores} cores for everything)", rows, ours)

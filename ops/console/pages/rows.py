"""What a list shows of an order: plain values for the browser, in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ops.console.words import RED, brief, channel, clock, money, short, told
from schemas.text import Language
from workers.admin.desk.orders import InReview, OrderSummary

_OVER: Final = frozenset({"shipped", "cancelled", "done"})
"""In these stages nothing is to be shipped any more."""


def review_row(found: InReview, now: datetime, language: Language, titles: Mapping[str, str]) -> dict[str, Any]:
    """An order that waits for a person, as a row of the table of review."""
    order = found.order
    details = {flag["code"]: told(flag.get("explanation"), language) for flag in found.flags}
    marks = [
        {"code": code, "text": short(code).tell(language), "red": code in RED, "detail": details.get(code, "")}
        for code in found.codes
    ]
    marks.sort(key=lambda mark: not mark["red"])
    return {
        **order_row(order, now, language),
        "revision": found.revision,
        "marks": marks,
        "missing": next((mark["detail"] for mark in marks if mark["red"] and mark["detail"]), ""),
        "waiting": brief((now - found.since).total_seconds(), language) if found.since else "",
        "since": clock(found.since, now),
        "suggested": titles.get(found.suggested[0], found.suggested[0]) if found.suggested else "",
        "others": len(found.suggested) - 1 if len(found.suggested) > 1 else 0,
    }


def order_row(order: OrderSummary, now: datetime, language: Language) -> dict[str, Any]:
    """What is the same in every list."""
    ship_by = order.ship_by if order.stage not in _OVER else None
    late = ship_by is not None and ship_by < now
    return {
        "uid": order.uid,
        "channel": channel(order.channel).tell(language),
        "channel_id": order.channel,
        "shop": order.shop_id,
        "number": order.platform_order_id,
        "to": place(order.province, order.city),
        "goods": _goods(order.skus),
        "units": order.units,
        "paid": money(order.paid, order.currency),
        "placed": clock(order.placed_at, now),
        "due": _due(ship_by, now, language),
        "late": late,
    }


def place(province: str | None, city: str | None) -> str:
    """Where it goes, as short as people say it: 浙江 杭州, 上海."""
    first = (province or "").removesuffix("省").removesuffix("市")
    for ending in ("维吾尔自治区", "壮族自治区", "回族自治区", "自治区"):
        first = first.removesuffix(ending)
    second = (city or "").removesuffix("市")
    return first if first == second or not second else f"{first} {second}".strip()


def _goods(skus: list[str]) -> str:
    return f"{skus[0]} +{len(skus) - 1}" if len(skus) > 1 else "".join(skus)


def _due(ship_by: datetime | None, now: datetime, language: Language) -> str:
    if ship_by is None:
        return ""
    seconds = (ship_by - now).total_seconds()
    told_so = brief(seconds, language)
    if seconds < 0:
        return f"超时 {told_so}" if language == "zh" else f"{told_so} late"
    return f"剩 {told_so}" if language == "zh" else f"in {told_so}"

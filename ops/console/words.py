"""How things are written for people: money, times, durations, and the words of codes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, Final

from schemas.codes import ENUMERATIONS, Explanation, render
from schemas.decision import REFUSALS, DecisionRefusal
from schemas.text import Language, Text

CHINA: Final = timezone(timedelta(hours=8))
"""Sellers and their platforms count days so, wherever this process runs."""

CHANNELS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "taobao": Text("Taobao", "淘宝"),
        "pinduoduo": Text("Pinduoduo", "拼多多"),
        "douyin": Text("Douyin", "抖音"),
        "jd": Text("JD", "京东"),
        "woocommerce": Text("WooCommerce", "WooCommerce 商城"),
        "shopify": Text("Shopify", "Shopify 商城"),
    }
)
STAGES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "review": Text("in review", "待审核"),
        "cancelled": Text("cancelled", "已取消"),
        "done": Text("nothing to ship", "无需处理"),
        "shipped": Text("shipped", "已发货"),
        "part-shipped": Text("partly shipped", "部分发货"),
        "routed": Text("at a warehouse", "已下发仓库"),
        "transfer": Text("awaiting transfer", "待调拨"),
        "backordered": Text("backordered", "待货"),
        "unknown": Text("unknown", "未知"),
        "deferred": Text("deferred", "延后"),
        "unpaid": Text("unpaid", "未付款"),
        "planned": Text("being placed", "分仓中"),
    }
)
SHIPMENT_STATES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "sent": Text("told to ship", "已下发"),
        "accepted": Text("accepted", "已接单"),
        "picked": Text("picked", "已拣货"),
        "short": Text("short", "缺货"),
        "rejected": Text("rejected", "已拒绝"),
        "shipped": Text("shipped", "已发货"),
        "cancelling": Text("told to stop", "取消中"),
        "cancelled": Text("stopped", "已取消"),
        "too-late": Text("too late to stop", "取消过晚"),
        "unknown": Text("unknown", "未知"),
    }
)
_SIGNS: Final = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "¥"}
_SHORT: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "gift-missing": Text("gift missing", "缺赠品"),
        "gift-only": Text("gifts only", "仅赠品"),
        "gift-surplus": Text("too many gifts", "赠品多"),
        "gift-without-main": Text("gift alone", "赠品无主商品"),
        "promised-gift-without-line": Text("promised gift", "承诺赠品未到"),
        "sku-unknown": Text("SKU unknown", "SKU 未知"),
        "receiver-missing": Text("no receiver", "无收货人"),
        "totals-contradict": Text("totals contradict", "金额不符"),
        "bundle-parts": Text("bundle unknown", "组合未知"),
        "no-rule-matched": Text("no rule", "无规则"),
        "gray-rollout": Text("gray rollout", "灰度"),
        "operator-hold": Text("held by a person", "人工暂停"),
        "correction-overtaken": Text("correction overtaken", "更正被覆盖"),
        "unknown-status": Text("unknown status", "状态未知"),
        "refund-requested": Text("refund asked", "申请退款"),
        "cancel-requested": Text("cancel asked", "申请取消"),
        "risk-review": Text("fraud check", "风控中"),
        "wms-address": Text("address unusable", "地址不可用"),
        "wms-gave-up": Text("warehouses gave back", "各仓退回"),
        "wms-change-refused": Text("change refused", "变更被拒"),
        "wms-partly-shipped": Text("partly shipped", "仓库部分发货"),
        "partly-shipped": Text("partly shipped", "部分已发"),
        "restock-gave-up": Text("stock gone again", "多次待货"),
        "deleted-after-told": Text("deleted in shop", "店铺已删单"),
        "no-lines": Text("no lines", "无商品行"),
        "duplicate-lines": Text("lines twice", "行重复"),
        "address-too-long": Text("address too long", "地址过长"),
        "final-payment-open": Text("balance unpaid", "尾款未付"),
        "group-incomplete": Text("group incomplete", "未成团"),
        "platform-hold": Text("platform hold", "平台暂缓"),
        "partial-refund": Text("partly refunded", "部分退款"),
        "on-hold": Text("shop hold", "店铺暂停"),
        "archived": Text("archived", "已归档"),
        "balance-open": Text("difference unpaid", "差额未付"),
    }
)
TAGS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "gift": Text("gift", "含赠品"),
        "promo": Text("promotion", "促销"),
        "presale": Text("presale", "预售"),
        "cold-chain": Text("cold chain", "冷链"),
        "free-shipping": Text("free shipping", "包邮"),
        "urgent": Text("urgent", "加急"),
    }
)
"""What the pipeline finds by itself, and what the rules to begin with call so. Others are the seller's own words."""
RED: Final = frozenset(
    {"gift-missing", "gift-without-main", "promised-gift-without-line", "sku-unknown", "receiver-missing"}
    | {"totals-contradict", "wms-address", "wms-gave-up", "correction-overtaken", "deleted-after-told", "no-lines"}
    | {"wms-partly-shipped", "partly-shipped", "unknown-status", "bundle-parts", "duplicate-lines", "risk-review"}
)
"""Reasons that are wrong, not only waiting: they are shown in red."""

DECISIONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "release": Text("release", "放行"),
        "redecide": Text("decide anew", "重新决策"),
        "hold": Text("hold", "暂停"),
        "cancel": Text("cancel", "取消发货"),
        "correct": Text("correct", "更正"),
        "split": Text("allow several parcels", "允许拆单"),
        "settle-flag": Text("settle a reason", "核销原因"),
        "note": Text("note", "备注"),
    }
)
_OTHER_REFUSALS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "no-answer": Text("no answer came; it may still be applied", "没有应答；仍可能生效"),
        "role-too-low": Text("your role does not cover it", "您的角色无此权限"),
        "scope-missing": Text("your token does not cover it", "您的令牌无此权限"),
    }
)
_SENTENCES: Final = {one.value: Text(one.en, one.zh) for each in ENUMERATIONS for one in each}


def money(minor: int | None, currency: str | None) -> str:
    """¥12.30, with thousands apart; "" where nothing is known."""
    if minor is None:
        return ""
    sign = _SIGNS.get(currency or "CNY", f"{currency} ")
    whole, rest = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{sign}{whole:,}.{rest:02d}"


def clock(when: datetime | None, now: datetime) -> str:
    """A time as people write it: 14:05 today, 11-11 14:05 in this year, else with the year. China time."""
    if when is None:
        return ""
    here, today = when.astimezone(CHINA), now.astimezone(CHINA)
    if here.date() == today.date():
        return here.strftime("%H:%M")
    return here.strftime("%m-%d %H:%M" if here.year == today.year else "%Y-%m-%d %H:%M")


def full_clock(when: datetime | None) -> str:
    """To the second, in China time."""
    return when.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if when is not None else ""


def brief(seconds: float, language: Language) -> str:
    """As `duration`, for a narrow column: 2天18时, 5m."""
    minutes = int(abs(seconds)) // 60
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    units = ("天", "时", "分") if language == "zh" else ("d", "h", "m")
    parts = [f"{number}{unit}" for number, unit in zip((days, hours, rest), units, strict=True) if number]
    return ("" if language == "zh" else " ").join(parts[:2]) or f"<1{units[2]}"


def duration(seconds: float, language: Language) -> str:
    """The two largest units: 2 天 18 小时, 5 min."""
    minutes = int(abs(seconds)) // 60
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    units = ("天", "小时", "分钟") if language == "zh" else ("d", "h", "min")
    parts = [f"{number} {unit}" for number, unit in zip((days, hours, rest), units, strict=True) if number]
    if not parts:
        return "不到 1 分钟" if language == "zh" else "under 1 min"
    return " ".join(parts[:2])


def channel(name: str) -> Text:
    """A channel's name."""
    return CHANNELS.get(name, Text(name, name))


def short(code: str) -> Text:
    """A reason in a word or two, for a mark in a list. A rule's own name is the seller's word."""
    return _SHORT.get(code, Text(code, code))


def tag(name: str) -> Text:
    """A tag, as a person says it."""
    return TAGS.get(name, Text(name, name))


def meaning(code: str) -> Text:
    """A reason in a sentence; of a rule, that it asks for a person."""
    return _SENTENCES.get(code, Text(f"the rule {code} asks for a person", f"规则 {code} 要求人工处理"))


def decision_name(kind: str) -> Text:
    """A kind of decision, as its button says it."""
    return DECISIONS.get(kind, Text(kind, kind))


def refusal(code: str) -> Text:
    """Why a decision was not applied, and what to do."""
    try:
        return REFUSALS[DecisionRefusal(code)]
    except ValueError:
        return _OTHER_REFUSALS.get(code, Text(code, code))


def told(explanation: dict[str, Any] | None, language: Language) -> str:
    """An explanation as the book keeps it, in a sentence. The codes of reasons are left out: those are marks."""
    if not explanation:
        return ""
    said = render(Explanation(code=explanation["code"], args=explanation.get("args") or {}), language)
    code, _, rest = said.partition("：" if language == "zh" else ": ")
    return rest if code in _SHORT and rest else said

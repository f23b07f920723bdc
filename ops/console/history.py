"""What happened to an order, in plain sentences: the timeline and the trace of a plan, from their codes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ops.console.words import SHIPMENT_STATES, decision_name, refusal, short, tag, told
from ops.console.words_of_letters import REASONS, STAGES
from schemas.text import Language, Text
from workers.book.queries import TimelineEntry

_KINDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "planned": Text("decided", "完成决策"),
        "review": Text("went to a person", "转人工审核"),
        "deferred": Text("put off", "延后处理"),
        "backordered": Text("no warehouse has enough: backordered", "各仓缺货，转待货"),
        "transfer": Text("a transfer was asked for", "已申请调拨"),
        "dead-letter": Text("a message was set aside", "消息成为死信"),
        "told-fulfil": Text("was told to ship", "收到发货指令"),
        "told-change": Text("was told of a change", "收到变更指令"),
        "told-cancel": Text("was told to stop", "收到取消指令"),
        "wms-accepted": Text("accepted it", "已接单"),
        "wms-picked": Text("picked it", "已拣货"),
        "wms-short": Text("is short", "应答缺货"),
        "wms-rejected": Text("rejected it", "应答拒绝"),
        "wms-shipped": Text("shipped it", "已发货"),
        "wms-cancelled": Text("does not ship it", "应答已取消，不再发货"),
        "stock-held": Text("holds stock for it until it is paid", "预占库存（待付款）"),
        "stock-committed": Text("has stock reserved for it", "已占库存"),
        "stock-released": Text("has its stock back", "库存已释放"),
        "stock-expired": Text("has its stock back: not paid in time", "超时未付款，库存已释放"),
        "stock-short": Text("misses its units", "库存不足"),
    }
)
_DISPOSITIONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "reserve": Text("take stock", "占用库存"),
        "review": Text("a person decides", "需要人工审核"),
        "defer": Text("not due yet", "未到处理时间"),
        "release": Text("give its stock back", "归还库存"),
        "ignore": Text("nothing to ship", "无需发货"),
    }
)
_WMS_REASONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "not-there": Text("not there", "找不到货"),
        "damaged": Text("damaged", "已破损"),
        "address": Text("address unusable", "地址不可用"),
        "other": Text("other", "其他"),
    }
)
_ACTIONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "assign": Text("may ship from", "可发"),
        "force": Text("must ship from", "只能发"),
        "defer": Text("put off", "延后"),
        "hold": Text("ask a person", "转人工"),
        "on_short": Text("when short", "缺货时"),
        "add_tags": Text("tag", "加标签"),
        "tags": Text("tag", "加标签"),
    }
)
_ON_SHORT: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "next": Text("the next warehouse", "换下一仓"),
        "split": Text("several parcels", "拆单"),
        "transfer": Text("ask for a transfer", "申请调拨"),
        "backorder": Text("wait for stock", "待货"),
    }
)


def sentence(entry: TimelineEntry, titles: Mapping[str, str], language: Language) -> str:
    """One thing that happened."""
    where = titles.get(entry.warehouse_id, entry.warehouse_id)
    codes = [code for code in entry.codes if code]
    if entry.kind.startswith("decision-"):
        name = decision_name(entry.kind.removeprefix("decision-")).tell(language)
        who = codes[0] if codes else "?"
        return f"{who}：{name}" if language == "zh" else f"{who}: {name}"
    if entry.kind in ("decided", "refused"):
        return _outcome(entry.kind, codes, language)
    what = _KINDS.get(entry.kind, Text(entry.kind, entry.kind)).tell(language)
    if entry.kind == "planned" and codes:
        first = _DISPOSITIONS.get(codes[0], Text(codes[0], codes[0])).tell(language)
        return _with(what, [first, *(short(code).tell(language) for code in codes[1:])], language)
    if entry.kind.startswith("wms-"):
        codes = [_WMS_REASONS.get(code, Text(code, code)).tell(language) for code in codes]
    elif entry.kind == "review":
        codes = [short(code).tell(language) for code in codes]
    elif entry.kind == "dead-letter":
        codes = [_letter(code).tell(language) for code in codes]
    return _with(f"{where} {what}".strip(), codes, language)


def _letter(code: str) -> Text:
    """A stage that gave a message up, or why."""
    return STAGES.get(code) or REASONS.get(code) or Text(code, code)


def _outcome(kind: str, codes: list[str], language: Language) -> str:
    name = decision_name(codes[0]).tell(language) if codes else ""
    if kind == "decided":
        return f"“{name}”已生效" if language == "zh" else f"{name}: done"
    why = refusal(codes[1]).tell(language) if len(codes) > 1 else ""
    return f"“{name}”被拒绝：{why}" if language == "zh" else f"{name}: refused: {why}"


def _with(what: str, details: list[str], language: Language) -> str:
    if not details:
        return what
    return f"{what}：{'、'.join(details)}" if language == "zh" else f"{what}: {', '.join(details)}"


def rule_sentence(match: Mapping[str, Any], titles: Mapping[str, str], language: Language) -> str:
    """What a rule that matched said, and what became of that."""
    name, _, value = str(match["action"]).partition(":")
    words = [each.strip() for each in value.split(",") if each.strip()]
    named = [_value(name, each, titles).tell(language) for each in words]
    comma = "、" if language == "zh" else ", "
    said = f"{_ACTIONS.get(name, Text(name, name)).tell(language)} {comma.join(named)}"
    effects = [told(_named(effect, titles, language), language) for effect in match.get("effects", ()) if effect]
    if name == "on_short":  # its effect repeats it
        return said.strip()
    return f"{said.strip()} → {('；' if language == 'zh' else '; ').join(effects)}" if effects else said.strip()


def _value(action: str, value: str, titles: Mapping[str, str]) -> Text:
    """What stands behind an action of a rule: a warehouse, a tag, what to do when short, a reason, a time."""
    title = titles.get(value, value)
    if action == "on_short":
        return _ON_SHORT.get(value, Text(title, title))
    if action in ("tags", "add_tags"):
        return tag(value)
    return short(value) if action == "hold" else Text(title, title)


def plan_sentence(plan: Mapping[str, Any], titles: Mapping[str, str], language: Language) -> str:
    """Why the plan is as it is, with reasons and warehouses by their names."""
    return explained(plan.get("explanation"), titles, language)


def explained(explanation: Mapping[str, Any] | None, titles: Mapping[str, str], language: Language) -> str:
    """An explanation with reasons, warehouses and answers by their names; "" where there is none."""
    return told(_named(explanation, titles, language), language) if explanation else ""


def _answered(code: str) -> Text:
    """What a warehouse answered, or why."""
    return SHIPMENT_STATES.get(code) or _WMS_REASONS.get(code) or Text(code, code)


def _named(explanation: Mapping[str, Any], titles: Mapping[str, str], language: Language) -> dict[str, Any]:
    """The explanation with reasons and warehouses by their names for people."""
    comma, args = "、" if language == "zh" else ", ", {}
    for name, value in (explanation.get("args") or {}).items():
        parts = [part.strip() for part in str(value).split(",")]
        if name == "codes":
            args[name] = comma.join(short(part).tell(language) for part in parts)
        elif name in ("warehouse", "warehouses", "others"):
            args[name] = comma.join(titles.get(part, part) for part in parts)
        elif name == "answer":
            args[name] = comma.join(_answered(part).tell(language) for part in parts)
        elif name == "tags":
            args[name] = comma.join(tag(part).tell(language) for part in parts)
        else:
            args[name] = value
    return {"code": explanation["code"], "args": args}

"""Try rules on one order without a broker, and tell a decision in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from schemas.codes import render, render_all
from schemas.order import Order, ShipTo
from schemas.plan import Candidate, Disposition, OnShort, PlannedOrder
from schemas.record import changed
from schemas.text import Language, Text
from workers.route.decide import decide as route
from workers.rules.catalogue import Catalogue
from workers.rules.ruleset import Ruleset
from workers.tag.decide import decide as tag

_OUTCOMES: Final = {
    Disposition.RESERVE: Text("take stock and ship", "占用库存并发货"),
    Disposition.REVIEW: Text("wait for a person to decide", "等待人工审核"),
    Disposition.DEFER: Text("wait, not due yet", "延后，未到处理时间"),
    Disposition.RELEASE: Text("give back its stock", "释放占用的库存"),
    Disposition.IGNORE: Text("nothing to do", "无需处理"),
}
_SHORTAGES: Final = {
    OnShort.NEXT: Text(
        "if one has not enough, the next is tried, then the order waits as a backorder",
        "缺货时依次尝试下一个仓，都不够则转为待货",
    ),
    OnShort.SPLIT: Text(
        "if no one has enough, it is split into the fewest parcels, else it waits as a backorder",
        "单仓不足时拆成最少包裹，仍不足则转为待货",
    ),
    OnShort.TRANSFER: Text("if no one has enough, a transfer to the first is requested", "都缺货时申请调拨到首选仓"),
    OnShort.BACKORDER: Text("if no one has enough, it waits as a backorder", "都缺货时转为待货"),
}


def try_order(ruleset: Ruleset, catalogue: Catalogue, order: Order, at: datetime | None = None) -> PlannedOrder:
    """What would happen to this order, decided as of `at` (None: when the platform last changed it). Pure."""
    return route(tag(order, catalogue, ruleset.tagging), ruleset, at or order.modified_at)


def in_words(planned: PlannedOrder) -> PlannedOrder:
    """The same with its sentences in English beside the codes, for JSON that people and their scripts read."""
    plan = planned.plan
    matches = [changed(one, effect=render_all(one.effects, "en", one.effect)) for one in plan.matches]
    flags = [changed(one, message=render(one.explanation, "en", one.message)) for one in planned.flags]
    told = changed(plan, reason=render(plan.explanation, "en", plan.reason), matches=tuple(matches))
    return changed(planned, plan=told, flags=tuple(flags))


def describe(planned: PlannedOrder, language: Language = "en") -> Iterator[str]:
    """The decision trace in plain words, line by line. No personal data."""
    zh = language == "zh"
    plan, order = planned.plan, planned.order
    outcome = _OUTCOMES[plan.disposition].tell(language)
    yield (f"订单 {order.uid}：{outcome}" if zh else f"Order {order.uid}: {outcome}")
    reason = render(plan.explanation, language, plan.reason)
    yield (f"  原因：{reason}" if zh else f"  because: {reason}")
    yield (f"  规则集：{plan.ruleset}" if zh else f"  ruleset: {plan.ruleset}")
    yield f"  {'收货地' if zh else 'to'}{'：' if zh else ': '}{_place(order.ship_to, zh)}"
    if planned.tags:
        yield (f"  标签：{'、'.join(planned.tags)}" if zh else f"  tags: {', '.join(planned.tags)}")
    yield from _findings(planned, language)
    yield from _rules(planned, language)
    yield from _warehouses(planned, language)


def _place(ship_to: ShipTo, zh: bool) -> str:
    """Country, province and city: coarse enough to show to anybody."""
    parts = [part for part in (ship_to.country, ship_to.province, ship_to.city) if part]
    return " ".join(parts) or ("未知" if zh else "unknown")


def _findings(planned: PlannedOrder, language: Language) -> Iterator[str]:
    zh = language == "zh"
    for flag in planned.flags:
        weight = ("阻断" if flag.blocks else "提示") if zh else ("blocks" if flag.blocks else "note")
        on = f" [{', '.join(flag.line_ids[:5])}{' ...' if len(flag.line_ids) > 5 else ''}]" if flag.line_ids else ""
        message = render(flag.explanation, language, flag.message)
        yield (f"  {weight} {flag.code}：{message}{on}" if zh else f"  {weight} {flag.code}: {message}{on}")


def _rules(planned: PlannedOrder, language: Language) -> Iterator[str]:
    zh = language == "zh"
    matches = planned.plan.matches
    if matches:
        yield "  命中的规则（按优先级）：" if zh else "  rules that matched, by priority:"
    for match in matches:
        effect = render_all(match.effects, language, match.effect)
        yield f"    {match.priority:>4}  {match.rule}  ({match.action})  -> {effect}"


def _warehouses(planned: PlannedOrder, language: Language) -> Iterator[str]:
    zh = language == "zh"
    plan = planned.plan
    if plan.candidates:
        yield (f"  候选仓：{_named(plan.candidates)}" if zh else f"  candidates: {_named(plan.candidates)}")
        yield f"  {_SHORTAGES[plan.on_short].tell(language)}"
    if plan.suggested:
        yield (
            f"  放行后建议：{_named(plan.suggested)}" if zh else f"  if released, suggested: {_named(plan.suggested)}"
        )
    if plan.not_before is not None:
        time = plan.not_before.isoformat(timespec="minutes")
        yield (f"  不早于：{time}" if zh else f"  not before: {time}")


def _named(candidates: tuple[Candidate, ...]) -> str:
    return ", ".join(candidate.warehouse_id for candidate in candidates)

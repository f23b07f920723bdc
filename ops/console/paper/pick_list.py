"""Pick lists as HTML: a page an order, and before many of them one with all goods together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from ops.console.paper import code128
from ops.console.words import channel, full_clock
from schemas.codes import render
from schemas.text import Language, Text
from workers.admin.desk.picking import PickLine, PickList, PickOrder
from workers.admin.desk.printing import Printed

_PICK_LIST: Final = Text("Pick list", "拣货单")
_ALL_GOODS: Final = Text("All goods together", "商品汇总")
_BOUGHT, _GIFTS = Text("Bought", "购买项"), Text("Gifts", "附赠项")
_SKU, _TITLE, _UNITS = Text("SKU", "SKU"), Text("Goods", "商品"), Text("Units", "数量")
_WAREHOUSE: Final = Text("Warehouse", "发货仓")
_BUYER, _MEMO = Text("Buyer's remark", "买家留言"), Text("Shop's memo", "卖家备注")
_MISSING: Final = Text("GIFT MISSING", "缺赠品")
_NOT_TOLD: Final = Text("no warehouse was told to ship it: do not pick it yet", "尚未下发仓库：请勿拣货")
_UNKNOWN: Final = Text("not known any more, and not on these lists", "已查不到，未列入拣货单")
_PRINT: Final = Text("Print", "打印")
_PRINT_AGAIN: Final = Text("Print all again", "全部重印")
_ONLY_NEW: Final = Text("Only those not printed yet", "只打印未打印的")
_BEFORE: Final = Text("were printed before", "单此前已打印")


@dataclass(frozen=True, slots=True)
class Printing:
    """What surrounds the lists: for whom, when, what was printed before, and how the page says that it prints."""

    language: Language
    prefix: str
    token: str
    who: str
    now: datetime
    before: Mapping[str, Printed]


def page(found: PickList, printing: Printing) -> str:
    """The whole document."""
    say = _Say(printing.language)
    orders = "".join(
        _order(order, f"{number} / {len(found.orders)}", printing, say) for number, order in enumerate(found.orders, 1)
    )
    summary = _summary(found, printing, say) if len(found.orders) > 1 else ""
    prefix = escape(printing.prefix)
    return f"""<!doctype html>
<html lang="{"zh-CN" if printing.language == "zh" else "en"}">
<head><meta charset="utf-8"><title>{say(_PICK_LIST)} · orderfleet</title>
<link rel="icon" href="{prefix}/assets/orderfleet.svg"><link rel="stylesheet" href="{prefix}/assets/paper.css">
<script src="{prefix}/assets/paper.js" defer></script></head>
<body data-printed="{prefix}/paper/printed" data-token="{escape(printing.token)}">
{_bar(found, printing, say)}<main>{summary}{orders}</main></body></html>"""


class _Say:
    def __init__(self, language: Language) -> None:
        self._language = language

    def __call__(self, text: Text) -> str:
        return escape(text.tell(self._language))


def _bar(found: PickList, printing: Printing, say: _Say) -> str:
    """On the screen only: what was printed before, and the buttons."""
    again = [order for order in found.orders if order.order_uid in printing.before]
    units = sum(total.purchased + total.gifts for total in found.totals)
    count = Text(f"{len(found.orders):,} orders, {units:,} units", f"{len(found.orders):,} 单，{units:,} 件")
    parts = [f"<strong>{say(_PICK_LIST)}</strong><span>{say(count)}</span>"]
    if found.unknown:
        numbers = escape("、".join(uid.split(":", 2)[-1] for uid in found.unknown))
        parts.append(f'<span class="red">{say(_UNKNOWN)}: {numbers}</span>')
    if again:
        numbers = escape("、".join(order.platform_order_id for order in again))
        parts.append(f'<span class="red" role="alert">{len(again):,} {say(_BEFORE)}: {numbers}</span>')
        if len(again) < len(found.orders):
            parts.append(f'<button data-which="new">{say(_ONLY_NEW)} ({len(found.orders) - len(again):,})</button>')
        parts.append(f'<button data-which="all" class="quiet">{say(_PRINT_AGAIN)} ({len(found.orders):,})</button>')
    elif found.orders:
        parts.append(f'<button data-which="all">{say(_PRINT)} ({len(found.orders):,})</button>')
    return f'<header class="screen">{"".join(parts)}</header>'


def _summary(found: PickList, printing: Printing, say: _Say) -> str:
    rows = "".join(
        f"<tr><td class=box></td><td class=sku>{escape(each.sku)}</td><td>{escape(each.title)}</td>"
        f"<td class=n>{each.purchased or ''}</td><td class=n>{each.gifts or ''}</td>"
        f"<td class=n><b>{each.purchased + each.gifts}</b></td></tr>"
        for each in found.totals
    )
    heads = "".join(f"<th>{say(text)}</th>" for text in (_SKU, _TITLE))
    numbers = "".join(f"<th class=n>{say(text)}</th>" for text in (_BOUGHT, _GIFTS, _UNITS))
    return (
        f'<section class="sheet summary"><h1>{say(_ALL_GOODS)} · {len(found.orders)}</h1>'
        f"<table><thead><tr><th></th>{heads}{numbers}</tr></thead><tbody>{rows}</tbody></table>"
        f"{_foot(printing, '')}</section>"
    )


def _order(order: PickOrder, place: str, printing: Printing, say: _Say) -> str:
    name, shop, _ = order.order_uid.split(":", 2)
    printed = printing.before.get(order.order_uid)
    head = (
        f"<div class=head><div><h1>{say(_PICK_LIST)}</h1><p>{say(channel(name))} · {escape(shop)}</p>"
        f"<p class=number>{escape(order.platform_order_id)}</p>"
        f"<p>{say(_WAREHOUSE)}: <b>{escape(', '.join(order.warehouses)) or '—'}</b></p></div>"
        f"{code128.svg(order.platform_order_id)}</div>"
    )
    parts = [head]
    if not order.is_told:
        parts.append(f'<p class="alert">{say(_NOT_TOLD)}</p>')
    for flag in order.missing_gifts:
        why = escape(render(flag.explanation, printing.language, "")) if flag.explanation is not None else ""
        parts.append(f'<p class="alert"><b>{say(_MISSING)}</b> {why}</p>')
    parts += [_lines(_BOUGHT, order.purchases, say), _lines(_GIFTS, order.gifts, say)]
    for title, text in ((_BUYER, order.buyer_remark), (_MEMO, order.seller_memo)):
        if text:
            parts.append(f'<p class="remark"><b>{say(title)}</b> {escape(text)}</p>')
    again = " printed" if printed is not None else ""
    return (
        f'<section class="sheet order{again}" data-order="{escape(order.order_uid)}">{"".join(parts)}'
        f"{_foot(printing, place)}</section>"
    )


def _lines(title: Text, lines: Sequence[PickLine], say: _Say) -> str:
    if not lines:
        return ""
    rows = "".join(
        f"<tr><td class=box></td><td class=sku>{escape(line.sku)}</td><td>{escape(line.title)}</td>"
        f"<td class=n><b>{line.quantity}</b></td></tr>"
        for line in lines
    )
    return (
        f"<h2>{say(title)}</h2><table><thead><tr><th></th><th>{say(_SKU)}</th><th>{say(_TITLE)}</th>"
        f"<th class=n>{say(_UNITS)}</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _foot(printing: Printing, place: str) -> str:
    return f"<footer><span>{escape(printing.who)} · {full_clock(printing.now)}</span><span>{place}</span></footer>"

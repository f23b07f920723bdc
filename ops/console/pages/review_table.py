"""The table of review: its columns, and how the browser draws a cell (templates of Vue; values are escaped by it)."""

from __future__ import annotations

from typing import Any, Final

from ops.console.visit import Visit
from schemas.text import Text

_COLUMNS: Final = (
    ("order", Text("Order", "订单"), "left"),
    ("why", Text("Why it waits", "等待原因"), "left"),
    ("goods", Text("Goods", "商品"), "left"),
    ("to", Text("To", "收货地"), "left"),
    ("paid", Text("Paid", "实付"), "right"),
    ("suggested", Text("Suggested", "建议仓"), "left"),
    ("waiting", Text("Waits", "已等待"), "right"),
    ("due", Text("To ship", "发货时限"), "right"),
)

CELLS: Final = {
    "order": """<q-td :props="props"><span :class="'of-channel of-' + props.row.channel_id" :title="props.row.channel + ' · ' + props.row.shop">
{{ props.row.channel.slice(0, 1) }}</span><span class="of-number">{{ props.row.number }}</span></q-td>""",
    "why": """<q-td :props="props"><span class="of-why"><span v-for="mark in props.row.marks" :key="mark.code"
:class="mark.red ? 'of-mark of-red' : 'of-mark'" :title="mark.detail">{{ mark.text }}</span><span class="of-missing">{{ props.row.missing }}</span></span></q-td>""",
    "goods": """<q-td :props="props">{{ props.row.goods }}<span v-if="props.row.units > 1" class="of-muted"> ×{{ props.row.units }}</span></q-td>""",
    "suggested": """<q-td :props="props">{{ props.row.suggested || '—' }}<span v-if="props.row.others" class="of-muted"> +{{ props.row.others }}</span></q-td>""",
    "waiting": """<q-td :props="props" :title="props.row.since">{{ props.row.waiting }}</q-td>""",
    "due": """<q-td :props="props"><span :class="props.row.late ? 'of-late' : ''">{{ props.row.due }}</span></q-td>""",
}


def columns(visit: Visit) -> list[dict[str, Any]]:
    """The columns, named in the visitor's language."""
    return [
        {
            "name": name,
            "label": visit.say(text),
            "field": name,
            "align": align,
            "classes": f"of-c-{name}",
            "headerClasses": f"of-c-{name}",
        }
        for name, text, align in _COLUMNS
    ]

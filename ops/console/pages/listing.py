"""A table as all pages have it: dense, its columns named in the visitor's language, rows opened by click or Enter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from nicegui import events, ui

from ops.console.visit import Visit
from schemas.text import Text

NUMBER: Final = """<q-td :props="props"><span class="of-number">{{ props.value }}</span></q-td>"""
"""A cell of an id or a code. Vue escapes what it shows."""

MARK: Final = """<q-td :props="props"><span v-if="props.value" :class="'of-mark ' + (props.row.mark_class || '')">
{{ props.value }}</span></q-td>"""
"""A cell that is a mark; the row's `mark_class` colours it."""


class Column(NamedTuple):
    """One column: the row's field that it shows, and how."""

    name: str
    title: Text
    align: str = "left"
    cell: str = ""  # a template of Vue for <q-td>; "": the value as it is
    width: int = 0  # most pixels; longer text is cut, and told in full when it is pointed at; 0: as it needs


def listing(
    visit: Visit,
    columns: Sequence[Column],
    rows: list[dict[str, Any]],
    *,
    key: str,
    opened: Callable[[Any], object] | None = None,
    more: str = "",
) -> ui.table:
    """`opened` is called with the key of a row; `more`: further props."""
    told = [
        {
            "name": column.name,
            "label": visit.say(column.title),
            "field": column.name,
            "align": column.align,
            "style": f"max-width: {column.width}px; overflow: hidden; text-overflow: ellipsis" if column.width else "",
        }
        for column in columns
    ]
    table = ui.table(rows=rows, columns=told, row_key=key)
    table.props(f"dense flat square hide-pagination {more}").classes("of-table")
    for column in columns:
        if column.cell:
            table.add_slot(f"body-cell-{column.name}", column.cell)
    if opened is None:
        table.classes("of-still")
    else:
        _openable(table, key, opened)
    return table


def _openable(table: ui.table, key: str, opened: Callable[[Any], object]) -> None:
    async def clicked(event: events.GenericEventArguments) -> None:
        answer = opened(event.args[1][key])
        if answer is not None and hasattr(answer, "__await__"):
            await answer

    table.on("rowClick", clicked, args=[[], [key], None])
    ui.run_javascript("orderfleet.rows()")

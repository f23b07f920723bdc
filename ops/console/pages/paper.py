"""The way from a page to paper: a button that opens the pick lists of what is chosen in a window of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from nicegui import ui

from ops.console.forms import form_token
from ops.console.pages.page import Page
from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.picking import MOST

_PICK_LIST: Final = Text("Pick list", "拣货单")
_TOO_MANY: Final = Text(f"at most {MOST} orders on paper at once", f"一次最多打印 {MOST} 单")


def pick_list_button(page: Page, orders: Sequence[str]) -> None:
    """Opens at the click, in the browser: a window that opened later would be blocked."""
    made = ui.button(page.say(_PICK_LIST), icon="print").props("outline dense no-caps")
    told = json.dumps([page.path("/paper/pick-list"), form_token(page.visit), list(orders)[: MOST + 1]])
    made.on("click", js_handler=f"() => orderfleet.paper(...{told})")
    if len(orders) > MOST:
        made.tooltip(page.say(_TOO_MANY))
    made.set_enabled(page.may(Deed.PICKING_LIST) and 0 < len(orders) <= MOST)

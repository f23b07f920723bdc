"""What surrounds every page: the bar, the menu, the help line; and what a page that cannot be shown says instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.forms import form_token
from ops.console.pages.page import PageRow
from ops.console.visit import Visit
from schemas.text import Text
from workers.admin.desk.access import ROLES, RULES, may

COLOURS: Final = {
    "primary": "#1f5fae",
    "secondary": "#4b5563",
    "positive": "#1a7f4b",
    "negative": "#c62828",
    "warning": "#b26a00",
    "info": "#1f5fae",
}
SIGN_OUT: Final = Text("Sign out", "退出登录")
TRY_AGAIN: Final = Text("Try again", "重试")
SIGNED_IN_AS: Final = Text("signed in as", "当前用户")


@contextmanager
def frame(visit: Visit, row: PageRow, menu: Sequence[PageRow]) -> Iterator[None]:
    """Around a page."""
    assert visit.actor is not None
    ui.page_title(f"{visit.say(row.title)} · orderfleet")
    ui.colors(**COLOURS)
    with ui.header(elevated=False).classes("of-bar"):
        ui.label("orderfleet").classes("of-brand")
        with ui.element("h1").classes("of-title"):
            ui.label(visit.say(row.title))
        ui.label(visit.say(row.help)).classes("of-help")
        ui.space()
        _language(visit)
        _who(visit)
    with (
        ui.left_drawer(value=True, fixed=True, bordered=True)
        .props("width=148 breakpoint=900 role=navigation")
        .classes("of-nav")
    ):
        for each in menu:
            if each.icon and may(visit.actor.role, RULES[each.deed].least):
                _item(visit, each, here=(row.under or row.path) == each.path)
    with ui.element("main").classes("of-main"):
        yield


def _item(visit: Visit, row: PageRow, *, here: bool) -> None:
    with ui.link(target=row.path).classes("of-link" + (" of-here" if here else "")) as link:
        if here:
            link.props("aria-current=page")
        ui.icon(row.icon, size="17px").props("aria-hidden=true")
        ui.label(visit.say(row.title))


def _language(visit: Visit) -> None:
    other, told = ("en", "English") if visit.language == "zh" else ("zh", "中文")
    with _form(f"{visit.prefix}/language"):
        _hidden("to", other)
        ui.element("input").props("type=hidden name=back class=of-back")
        ui.button(told).props(f"flat dense no-caps type=submit lang={other}").classes("of-quiet")


def _who(visit: Visit) -> None:
    assert visit.actor is not None
    name = f"{visit.actor.name} · {visit.say(ROLES[visit.actor.role])}"
    ui.label(name).classes("of-who").tooltip(visit.say(SIGNED_IN_AS))
    with _form(f"{visit.prefix}/sign-out"):
        _hidden("token", form_token(visit))
        ui.button(visit.say(SIGN_OUT)).props("flat dense no-caps type=submit").classes("of-quiet")


def _form(action: str) -> ui.element:
    return ui.element("form").props(f'method=post action="{action}"').classes("of-form")


def _hidden(name: str, value: str) -> None:
    ui.element("input").props(f'type=hidden name={name} value="{value}"')


def trouble(visit: Visit, error: Trouble, again: Callable[[], object] | None = None) -> None:
    """Say in place of what was to be shown why it is not."""
    with ui.element("section").classes("of-state of-bad").props("role=alert"):
        ui.icon("cloud_off" if error.away else "error_outline", size="28px").props("aria-hidden=true")
        ui.label(visit.say(error.text)).classes("of-state-title")
        if error.todo is not None:
            ui.label(visit.say(error.todo)).classes("of-muted")
        if again is not None:
            ui.button(visit.say(TRY_AGAIN), on_click=again).props("outline dense no-caps")


def empty(visit: Visit, title: Text, todo: Text, icon: str = "inbox") -> None:
    """Say that there is nothing, and what to do then."""
    with ui.element("section").classes("of-state"):
        ui.icon(icon, size="28px").props("aria-hidden=true")
        ui.label(visit.say(title)).classes("of-state-title")
        ui.label(visit.say(todo)).classes("of-muted")

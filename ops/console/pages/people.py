"""People: who comes in, with which role, for which shops; and the tokens of their programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button
from ops.console.pages.listing import MARK, NUMBER, Column, listing
from ops.console.pages.page import Page
from ops.console.pages.person import (
    ALL_SHOPS,
    PASSWORD,
    ROLE,
    ROLE_MEANS,
    SHOPS,
    PersonPanel,
    role_options,
    shops_of,
    stands,
)
from ops.console.pages.tray import ResultTray
from ops.console.shell import trouble
from ops.console.words import clock
from schemas.text import Language, Text
from workers.admin.desk.access import ROLES, Deed, Role
from workers.admin.desk.tokens import Token
from workers.admin.desk.users import User

NAME: Final = Text("Name", "用户名")
_NEW: Final = Text("New user", "新建用户")
_MAKE: Final = Text("Make", "创建")
_BACK: Final = Text("Back", "返回")
_MADE: Final = Text("User made", "已创建用户")
_DISABLED: Final = Text("disabled", "已停用")
_SHOPS_HINT: Final = Text("channel:shop, apart by spaces; empty: all", "渠道:店铺，用空格分隔；留空为全部")
_COLUMNS: Final = (
    Column("name", NAME, cell=NUMBER),
    Column("role", ROLE),
    Column("means", Text("May", "权限"), width=280),
    Column("shops", SHOPS, width=260),
    Column("state", Text("State", "状态"), cell=MARK),
    Column("tokens", Text("Tokens", "令牌"), "right"),
    Column("made", Text("Made", "创建"), "right"),
)


def user_row(user: User, tokens: list[Token], now: datetime, language: Language) -> dict[str, Any]:
    """A user as a row of the table."""
    standing = sum(1 for each in tokens if each.user == user.name and stands(each, now))
    return {
        "name": user.name,
        "role": ROLES[user.role].tell(language),
        "means": ROLE_MEANS[user.role].tell(language),
        "shops": ALL_SHOPS.tell(language) if user.shops is None else " ".join(user.shops),
        "state": _DISABLED.tell(language) if user.disabled else "",
        "mark_class": "of-red" if user.disabled else "",
        "tokens": standing or "",
        "made": clock(user.made_at, now),
    }


class PeoplePage(Page):
    """The list, and one of them beside it."""

    async def build(self) -> None:
        """Draw it, then fill it."""
        with ui.row().classes("of-tools"):
            self.told = ui.label().classes("of-muted").props("aria-live=polite")
            ui.space()
            made = button(self.say(_NEW), self.make, kind="unelevated", icon="person_add")
            made.set_enabled(self.may(Deed.USERS_ADD))
        with ui.element("div").classes("of-split of-fill"):
            self.list = ui.element("section").classes("of-list")
            self.tray = ResultTray(self)
            self.panel = PersonPanel(self, self.tray, self.load)
        self.dialog = ui.dialog()
        await self.load()

    async def load(self) -> None:
        """Ask and draw."""
        try:
            users, tokens = await self.ask(lambda desk, actor: (desk.users.list(actor), desk.tokens.list(actor)))
        except Trouble as error:
            self.list.clear()
            with self.list:
                trouble(self.visit, error, again=self.load)
            return
        self.users, self.tokens = {user.name: user for user in users}, tokens
        now = datetime.now(UTC)
        off = sum(user.disabled for user in users)
        self.told.text = self.say(
            Text(f"{len(users):,} users, {off:,} disabled", f"共 {len(users):,} 个用户，{off:,} 个已停用")
        )
        rows = [user_row(user, tokens, now, self.visit.language) for user in users]
        self.list.clear()
        with self.list:
            listing(self.visit, _COLUMNS, rows, key="name", opened=self.open)
        if self.panel.name in self.users:
            self.open(self.panel.name)

    def open(self, name: str) -> None:
        """Show one beside the list."""
        self.panel.show(self.users[name], [each for each in self.tokens if each.user == name])

    async def make(self) -> None:
        """Ask for a new one's name, role, shops and password. What is refused is said where it was asked."""
        say = self.say
        self.dialog.clear()
        with self.dialog, ui.card().classes("of-card"):
            ui.label(say(_NEW)).classes("of-h2")
            name = ui.input(say(NAME)).props("dense outlined autofocus autocapitalize=none maxlength=40")
            role = ui.select(role_options(self), label=say(ROLE), value=Role.OPERATOR.value).props("dense outlined")
            shops = ui.input(say(SHOPS)).props("dense outlined").tooltip(say(_SHOPS_HINT))
            ui.label(say(_SHOPS_HINT)).classes("of-muted of-small")
            password = ui.input(say(PASSWORD), password=True, password_toggle_button=True)
            password.props("dense outlined autocomplete=new-password")
            for each in (name, role, shops, password):
                each.classes("of-wide")
            wrong = ui.label().classes("of-wrong").props("role=alert")

            async def made() -> None:
                try:
                    await self.ask(
                        lambda desk, actor: desk.users.add(
                            actor, name.value.strip(), Role(role.value), password.value, shops_of(shops.value)
                        )
                    )
                except Trouble as error:
                    wrong.text = say(error.text)
                    return
                self.dialog.close()
                self.tray.done(say(_MADE), name.value.strip())
                await self.load()

            with ui.row().classes("of-end"):
                button(say(_BACK), self.dialog.close)
                button(say(_MAKE), made, kind="unelevated")
        self.dialog.open()

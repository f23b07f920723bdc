"""One user, beside the list of people: role, shops, password, whether they come in, and their tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from nicegui import ui

from ops.console.asking import Trouble
from ops.console.pages.fields import button
from ops.console.pages.page import Page
from ops.console.pages.tray import ResultTray
from ops.console.words import clock, full_clock
from schemas.text import Text
from workers.admin.desk.access import ROLES, Actor, Role, allowed_scopes
from workers.admin.desk.desk import Desk
from workers.admin.desk.tokens import Token
from workers.admin.desk.users import User

ROLE: Final = Text("Role", "角色")
SHOPS: Final = Text("Shops", "店铺")
ALL_SHOPS: Final = Text("all", "全部")
PASSWORD: Final = Text("Password", "密码")
ROLE_MEANS: Final = {
    Role.VIEWER: Text("looks", "只能查看"),
    Role.OPERATOR: Text("takes orders out of review", "可审核放行订单"),
    Role.LEAD: Text("cancels, many at once, dead letters, audit list", "可取消、批量操作、处理搁置消息、查看操作记录"),
    Role.ADMIN: Text("users and tokens, too", "另可管理用户和令牌"),
}
_CLOSE: Final = Text("Close", "关闭")
_CHANGE: Final = Text("Change", "修改")
_DISABLE, _ENABLE = Text("Disable", "停用"), Text("Enable again", "重新启用")
_DISABLING: Final = Text("They are signed out at once, and their tokens end.", "立即退出登录，其令牌同时失效。")
_TOKENS: Final = Text("Tokens", "令牌")
_NO_TOKENS: Final = Text("no program comes in as this user", "没有程序以该用户身份访问")
_NEW_TOKEN: Final = Text("New token", "新建令牌")
_MAKE: Final = Text("Make", "创建")
_FOR: Final = Text("What it is for", "用途")
_DAYS: Final = Text("Days", "有效天数")
_SCOPES: Final = Text("Scopes", "权限")
_REVOKE: Final = Text("Revoke", "吊销")
_ENDED: Final = Text("ended", "已失效")
_ONCE: Final = Text("This is the only time that it can be read: copy it now.", "令牌只显示这一次：请立即复制保存。")
_COPY, _COPIED = Text("Copy", "复制"), Text("copied", "已复制")


def stands(token: Token, now: datetime) -> bool:
    """Whether somebody can come in with it."""
    return token.revoked_at is None and token.expires_at > now


def shops_of(text: str) -> list[str] | None:
    """The shops as they were typed; None: all."""
    return text.replace(",", " ").replace("，", " ").split() or None


def role_options(page: Page) -> dict[str, str]:
    """Every role with what it may, as a choice."""
    return {role.value: f"{page.say(ROLES[role])} · {page.say(ROLE_MEANS[role])}" for role in Role}


def _revoke(token_id: str, desk: Desk, actor: Actor) -> None:
    desk.tokens.revoke(actor, token_id)


class PersonPanel:
    """Shows one at a time."""

    def __init__(self, page: Page, tray: ResultTray, after: Callable[[], Awaitable[None]]) -> None:
        self._page, self._tray, self._after = page, tray, after
        self._place = ui.element("section").classes("of-panel of-beside")
        self._place.set_visibility(False)
        self._dialog = ui.dialog()
        self.name = ""

    def show(self, user: User, tokens: list[Token]) -> None:
        """Draw this one."""
        self.name = user.name
        self._place.set_visibility(True)
        self._place.clear()
        say = self._page.say
        with self._place:
            with ui.element("header").classes("of-panel-head"):
                ui.label(user.name).classes("of-h2")
                ui.label(say(ROLES[user.role])).classes("of-stage")
                ui.space()
                button("", self.close, icon="close").props(f'aria-label="{say(_CLOSE)}"').classes("of-quiet")
            self._role(user)
            self._shops(user)
            self._password(user)
            self._standing(user)
            self._tokens(user, tokens)

    def close(self) -> None:
        """Show none."""
        self.name = ""
        self._place.set_visibility(False)

    def _role(self, user: User) -> None:
        say = self._page.say
        with ui.row().classes("of-tools of-field-row"):
            chosen = ui.select(role_options(self._page), label=say(ROLE), value=user.role.value)
            chosen.props("dense outlined options-dense").classes("of-grow")
            self._go(_CHANGE, lambda desk, actor: desk.users.set_role(actor, user.name, Role(chosen.value)), user.name)

    def _shops(self, user: User) -> None:
        with ui.row().classes("of-tools of-field-row"):
            shops = ui.input(self._page.say(SHOPS), value=" ".join(user.shops or ()))
            shops.props(f'dense outlined placeholder="{self._page.say(ALL_SHOPS)}" stack-label')
            shops.classes("of-grow")
            self._go(
                _CHANGE,
                lambda desk, actor: desk.users.set_shops(actor, user.name, shops_of(shops.value or "")),
                user.name,
            )

    def _password(self, user: User) -> None:
        with ui.row().classes("of-tools of-field-row"):
            word = ui.input(self._page.say(PASSWORD), password=True, password_toggle_button=True)
            word.props("dense outlined autocomplete=new-password").classes("of-grow")
            self._go(_CHANGE, lambda desk, actor: desk.users.set_password(actor, user.name, word.value), user.name)

    def _standing(self, user: User) -> None:
        with ui.row().classes("of-tools of-field-row"):
            ui.label(self._page.say(_DISABLING)).classes("of-muted of-small of-grow")
            made = self._go(
                _ENABLE if user.disabled else _DISABLE,
                lambda desk, actor: desk.users.disable(actor, user.name, not user.disabled),
                user.name,
            )
            if not user.disabled:
                made.props("color=negative")

    def _tokens(self, user: User, tokens: list[Token]) -> None:
        say, now = self._page.say, datetime.now(UTC)
        with ui.element("h3").classes("of-h3"):
            ui.label(say(_TOKENS))
        if not tokens:
            ui.label(say(_NO_TOKENS)).classes("of-muted")
        for token in tokens:
            with ui.row().classes("of-tools of-field-row"):
                with ui.element("div").classes("of-grow"):
                    ui.label(token.label).classes("of-strong")
                    ui.label(" ".join(token.scopes)).classes("of-muted of-small")
                    used = clock(token.used_at, now) or "—"
                    until = full_clock(token.expires_at)[:10]
                    told = Text(f"until {until} · last used {used}", f"有效至 {until} · 最近使用 {used}")
                    ui.label(say(told)).classes("of-muted of-small")
                if stands(token, now):
                    self._go(_REVOKE, partial(_revoke, token.token_id), token.label)
                else:
                    ui.label(say(_ENDED)).classes("of-mark")
        button(say(_NEW_TOKEN), lambda: self._ask_token(user), kind="outline", icon="vpn_key")

    def _go(self, name: Text, deed: Callable[[Desk, Actor], object], about: str) -> ui.button:
        async def done() -> None:
            try:
                await self._page.ask(deed)
            except Trouble as error:
                self._tray.refused(name, about, error)
                return
            self._tray.done(self._page.say(name), about)
            await self._after()

        return button(self._page.say(name), done, kind="outline")

    def _ask_token(self, user: User) -> None:
        say = self._page.say
        self._dialog.clear()
        with self._dialog, ui.card().classes("of-card"):
            ui.label(f"{say(_NEW_TOKEN)} · {user.name}").classes("of-h2")
            label = ui.input(say(_FOR)).props("dense outlined autofocus maxlength=100").classes("of-wide")
            days = ui.number(say(_DAYS), value=90, min=1, max=730, precision=0).props("dense outlined")
            ui.label(say(_SCOPES)).classes("of-h3")
            boxes = {scope: ui.checkbox(scope.value).props("dense") for scope in sorted(allowed_scopes(user.role))}
            wrong = ui.label().classes("of-wrong").props("role=alert")

            async def made() -> None:
                scopes = [scope for scope, box in boxes.items() if box.value]
                try:
                    _, secret = await self._page.ask(
                        lambda desk, actor: desk.tokens.create(
                            actor, user.name, scopes, int(days.value or 0), label.value or ""
                        )
                    )
                except Trouble as error:
                    wrong.text = say(error.text)
                    return
                self._tell(secret.get_secret_value())
                await self._after()

            with ui.row().classes("of-end"):
                button(say(_CLOSE), self._dialog.close)
                button(say(_MAKE), made, kind="unelevated")
        self._dialog.open()

    def _tell(self, token: str) -> None:
        """Once, here, and nowhere else."""
        say = self._page.say
        self._dialog.clear()
        with self._dialog.props("persistent"), ui.card().classes("of-card"):
            ui.label(say(_NEW_TOKEN)).classes("of-h2")
            ui.label(say(_ONCE)).classes("of-strong")
            ui.label(token).classes("of-number of-secret")
            with ui.row().classes("of-end"):

                def copied() -> None:
                    ui.clipboard.write(token)
                    ui.notify(say(_COPIED), position="top")

                button(say(_COPY), copied, kind="unelevated", icon="content_copy")
                button(say(_CLOSE), self._forget)

    def _forget(self) -> None:
        self._dialog.close()
        self._dialog.props(remove="persistent")
        self._dialog.clear()

"""Who may do what: roles, scopes of tokens, shops, and the table of deeds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.ids import OrderUid
from schemas.text import Text
from workers.admin.errors import InvalidRequest, NotAllowed


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    VIEWER = "viewer"  # looks
    OPERATOR = "operator"  # takes orders out of review
    LEAD = "lead"  # cancels, decides about many at once, puts dead letters back
    ADMIN = "admin"  # users and tokens


class Scope(StrEnum):
    """What a token is for: it may never do more, whatever its user may."""

    ORDERS_READ = "orders:read"
    ORDERS_DECIDE = "orders:decide"
    BULK_RUN = "bulk:run"
    STOCK_READ = "stock:read"
    LETTERS_READ = "letters:read"
    LETTERS_RETRY = "letters:retry"
    NOTICES_READ = "notices:read"
    NOTICES_HANDLE = "notices:handle"
    FIGURES_READ = "figures:read"
    FIGURES_WRITE = "figures:write"
    AUDIT_READ = "audit:read"
    USERS_MANAGE = "users:manage"


class Deed(StrEnum):
    """Everything that is done at the desk, by the name under which it is written down."""

    ORDERS_FIND = "orders.find"
    ORDERS_SHOW = "orders.show"
    ORDERS_TAKE_OVER = "orders.take-over"
    ORDERS_RAW = "orders.raw"
    ORDERS_REVEAL = "orders.reveal"
    PICKING_LIST = "picking.list"
    PICKING_PRINT = "picking.print"
    REVIEW_LIST = "review.list"
    DECIDE_RELEASE = "orders.release"
    DECIDE_REDECIDE = "orders.redecide"
    DECIDE_HOLD = "orders.hold"
    DECIDE_CANCEL = "orders.cancel"
    DECIDE_CORRECT = "orders.correct"
    DECIDE_SPLIT = "orders.split"
    DECIDE_SETTLE_FLAG = "orders.settle-flag"
    DECIDE_NOTE = "orders.note"
    DECIDE_UNDO = "orders.undo"
    BULK_PREVIEW = "bulk.preview"
    BULK_START = "bulk.start"
    BULK_SHOW = "bulk.show"
    BULK_STOP = "bulk.stop"
    STOCK_SHOW = "stock.show"
    STOCK_COUNT = "stock.count"
    BACKORDERS_LIST = "backorders.list"
    TRANSFERS_LIST = "transfers.list"
    TRANSFERS_STEP = "transfers.step"
    LETTERS_LIST = "dead-letters.list"
    LETTERS_SHOW = "dead-letters.show"
    LETTERS_READ = "dead-letters.read"
    LETTERS_RETRY = "dead-letters.retry"
    NOTICES_LIST = "notices.list"
    NOTICES_SENT = "notices.sent"
    NOTICES_TAKE = "notices.take"
    NOTICES_SNOOZE = "notices.snooze"
    NOTICES_RETRY = "notices.retry"
    FIGURES_SHOW = "figures.show"
    FIGURES_ENTER = "figures.enter"
    FIGURES_TARGET = "figures.target"
    AUDIT_LIST = "audit.list"
    USERS_ADD = "users.add"
    USERS_LIST = "users.list"
    USERS_CHANGE = "users.change"
    USERS_SIGN_IN = "users.sign-in"
    TOKENS_CREATE = "tokens.create"
    TOKENS_LIST = "tokens.list"
    TOKENS_REVOKE = "tokens.revoke"


class Rule(NamedTuple):
    """What a deed needs. `changes`: it is written down before it is begun, too."""

    least: Role
    scope: Scope | None  # None: no token may do it
    changes: bool = False


# fmt: off
RULES: Final[Mapping[Deed, Rule]] = MappingProxyType({
    Deed.ORDERS_FIND:        Rule(Role.VIEWER, Scope.ORDERS_READ),
    Deed.ORDERS_SHOW:        Rule(Role.VIEWER, Scope.ORDERS_READ),
    Deed.ORDERS_TAKE_OVER:   Rule(Role.OPERATOR, None),
    Deed.ORDERS_RAW:         Rule(Role.OPERATOR, Scope.ORDERS_READ),
    Deed.ORDERS_REVEAL:      Rule(Role.LEAD, None, changes=True),
    Deed.PICKING_LIST:       Rule(Role.OPERATOR, None),
    Deed.PICKING_PRINT:      Rule(Role.OPERATOR, None),
    Deed.REVIEW_LIST:        Rule(Role.VIEWER, Scope.ORDERS_READ),
    Deed.DECIDE_RELEASE:     Rule(Role.OPERATOR, Scope.ORDERS_DECIDE, changes=True),
    Deed.DECIDE_REDECIDE:    Rule(Role.OPERATOR, Scope.ORDERS_DECIDE, changes=True),
    Deed.DECIDE_HOLD:        Rule(Role.OPERATOR, Scope.ORDERS_DECIDE, changes=True),
    Deed.DECIDE_CANCEL:      Rule(Role.LEAD, Scope.ORDERS_DECIDE, changes=True),
    Deed.DECIDE_CORRECT:     Rule(Role.OPERATOR, Scope.ORDERS_DECIDE, changes=True),
    Deed.DECIDE_SPLIT:       Rule(Role.OPERATOR, Scope.ORDERS_DECIDE, changes=True),
    Deed.DECIDE_SETTLE_FLAG: Rule(Role.OPERATOR, Scope.ORDERS_DECIDE, changes=True),
    Deed.DECIDE_NOTE:        Rule(Role.OPERATOR, Scope.ORDERS_DECIDE, changes=True),
    Deed.DECIDE_UNDO:        Rule(Role.OPERATOR, Scope.ORDERS_DECIDE, changes=True),
    Deed.BULK_PREVIEW:       Rule(Role.LEAD, Scope.BULK_RUN),
    Deed.BULK_START:         Rule(Role.LEAD, Scope.BULK_RUN, changes=True),
    Deed.BULK_SHOW:          Rule(Role.OPERATOR, Scope.BULK_RUN),
    Deed.BULK_STOP:          Rule(Role.LEAD, Scope.BULK_RUN, changes=True),
    Deed.STOCK_SHOW:         Rule(Role.VIEWER, Scope.STOCK_READ),
    Deed.STOCK_COUNT:        Rule(Role.LEAD, None, changes=True),
    Deed.BACKORDERS_LIST:    Rule(Role.VIEWER, Scope.STOCK_READ),
    Deed.TRANSFERS_LIST:     Rule(Role.VIEWER, Scope.STOCK_READ),
    Deed.TRANSFERS_STEP:     Rule(Role.LEAD, None, changes=True),
    Deed.LETTERS_LIST:       Rule(Role.OPERATOR, Scope.LETTERS_READ),
    Deed.LETTERS_SHOW:       Rule(Role.OPERATOR, Scope.LETTERS_READ),
    Deed.LETTERS_READ:       Rule(Role.OPERATOR, None),
    Deed.LETTERS_RETRY:      Rule(Role.LEAD, Scope.LETTERS_RETRY, changes=True),
    Deed.NOTICES_LIST:       Rule(Role.VIEWER, Scope.NOTICES_READ),
    Deed.NOTICES_SENT:       Rule(Role.OPERATOR, Scope.NOTICES_READ),
    Deed.NOTICES_TAKE:       Rule(Role.OPERATOR, Scope.NOTICES_HANDLE, changes=True),
    Deed.NOTICES_SNOOZE:     Rule(Role.OPERATOR, Scope.NOTICES_HANDLE, changes=True),
    Deed.NOTICES_RETRY:      Rule(Role.OPERATOR, Scope.NOTICES_HANDLE, changes=True),
    Deed.FIGURES_SHOW:       Rule(Role.VIEWER, Scope.FIGURES_READ),
    Deed.FIGURES_ENTER:      Rule(Role.OPERATOR, Scope.FIGURES_WRITE, changes=True),
    Deed.FIGURES_TARGET:     Rule(Role.LEAD, Scope.FIGURES_WRITE, changes=True),
    Deed.AUDIT_LIST:         Rule(Role.LEAD, Scope.AUDIT_READ),
    Deed.USERS_ADD:          Rule(Role.ADMIN, None, changes=True),
    Deed.USERS_LIST:         Rule(Role.ADMIN, Scope.USERS_MANAGE),
    Deed.USERS_CHANGE:       Rule(Role.ADMIN, None, changes=True),
    Deed.USERS_SIGN_IN:      Rule(Role.VIEWER, None),
    Deed.TOKENS_CREATE:      Rule(Role.ADMIN, None, changes=True),
    Deed.TOKENS_LIST:        Rule(Role.ADMIN, Scope.USERS_MANAGE),
    Deed.TOKENS_REVOKE:      Rule(Role.ADMIN, Scope.USERS_MANAGE, changes=True),
})
# fmt: on
"""No token makes users or tokens: one that leaked must not make itself successors. None sees a receiver or a remark."""

ROLES: Final[Mapping[Role, Text]] = MappingProxyType(
    {
        Role.VIEWER: Text("viewer", "查看者"),
        Role.OPERATOR: Text("operator", "操作员"),
        Role.LEAD: Text("lead", "主管"),
        Role.ADMIN: Text("admin", "管理员"),
    }
)
_ORDER: Final = list(Role)


class ActorKind(StrEnum):
    """How somebody came to the desk."""

    USER = "user"
    TOKEN = "token"  # noqa: S105  # the word, not a secret
    TERMINAL = "terminal"  # somebody at this machine, who can reach the servers without us


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does a deed. `shops`: those they may see, as channel:shop; None: all. `origin`: an address or a terminal."""

    kind: ActorKind
    name: str
    role: Role
    origin: str
    shops: frozenset[str] | None = None
    scopes: frozenset[Scope] | None = None  # None: all that the role may
    token_id: str | None = None

    def sees(self, shop: str) -> bool:
        """Whether they may see the orders of this channel:shop."""
        return self.shops is None or shop in self.shops


def at_terminal(login: str) -> Actor:
    """Somebody at this machine: they hold the servers' addresses and passwords, and need no right of ours."""
    return Actor(ActorKind.TERMINAL, f"terminal:{login}", Role.ADMIN, "terminal")


def allowed_scopes(role: Role) -> set[Scope]:
    """The scopes that a token of such a user may have."""
    return {rule.scope for rule in RULES.values() if rule.scope is not None and may(role, rule.least)}


def may(role: Role, least: Role) -> bool:
    """Whether the role is this one, or above it."""
    return _ORDER.index(role) >= _ORDER.index(least)


def check(actor: Actor, deed: Deed) -> None:
    """Raises NotAllowed, with a code, when the actor's role or token does not cover the deed."""
    rule = RULES[deed]
    if actor.kind is ActorKind.TOKEN and (rule.scope is None or rule.scope not in (actor.scopes or ())):
        raise NotAllowed(*_no_scope(deed, rule))
    if not may(actor.role, rule.least):
        least, own = ROLES[rule.least], ROLES[actor.role]
        raise NotAllowed(
            Text(
                f"{deed} needs the role {least.en}, yours is {own.en}", f"{deed} 需要角色“{least.zh}”，您是“{own.zh}”"
            ),
            "role-too-low",
            Text("ask somebody with that role, or an admin for it", "请由具备该角色的人操作，或请管理员调整角色"),
        )


def _no_scope(deed: Deed, rule: Rule) -> tuple[Text, str, Text]:
    if rule.scope is None:
        return (
            Text(f"no token may do {deed}", f"{deed} 不能用令牌执行"),
            "not-for-tokens",
            Text("a person does it, signed in or with the orderfleet command", "请登录后操作，或使用 orderfleet 命令"),
        )
    return (
        Text(
            f"this token lacks the scope {rule.scope}, which {deed} needs", f"令牌缺少 {deed} 所需的权限 {rule.scope}"
        ),
        "scope-missing",
        Text(
            f"have an admin make a token with it: orderfleet tokens create --scope {rule.scope}",
            f"请管理员新建带该权限的令牌：orderfleet tokens create --scope {rule.scope}",
        ),
    )


def check_shop(actor: Actor, shop: str) -> None:
    """Raises NotAllowed when the actor may not see this channel:shop."""
    if not actor.sees(shop):
        raise NotAllowed(
            Text(f"you may not see the shop {shop}", f"您无权查看店铺 {shop}"),
            "shop-not-yours",
            Text("ask an admin to add the shop to your user", "请管理员把该店铺加入您的用户"),
        )


def shop_of(order_uid: str) -> str:
    """The channel:shop of an order uid. Raises InvalidRequest when it is none."""
    try:
        uid = OrderUid.parse(order_uid)
    except ValueError:
        raise InvalidRequest(
            Text(
                "this is no order uid: write CHANNEL:SHOP:PLATFORM-ORDER-ID",
                "这不是订单 uid：请写 渠道:店铺:平台订单号",
            ),
            "no-order-uid",
        ) from None
    return f"{uid.channel}:{uid.shop_id}"

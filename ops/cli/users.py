"""`orderfleet users`: who may come to the desk, with which role, and sees which shops."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ops.cli.desk import at_desk
from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    console,
    epilog,
    fail,
    print_json,
    print_table,
    say,
    tell,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.admin.desk.access import Role

EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say(
        "Users of the desk: their roles (viewer, operator, lead, admin) and the shops they see. "
        "Every change is written down.",
        "操作台用户：角色（viewer 查看、operator 操作、lead 主管、admin 管理）与可见店铺。每次修改都有记录。",
    ),
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help=say("The user's name.", "用户名。"))]
RoleOption = Annotated[
    str, typer.Option("--role", "-r", metavar="ROLE", help=say("viewer, operator, lead or admin.", "角色。"))
]
Shops = Annotated[
    list[str] | None,
    typer.Option(
        "--shop",
        metavar="CHANNEL:SHOP",
        help=say("A shop the user sees; several times; none: all shops.", "可见店铺，可多次；不写为全部店铺。"),
    ),
]
_PASSWORD: Final = say(
    " The password is asked for, or read as the first line of stdin; never an argument.",
    "密码以提示方式输入，或取自标准输入的第一行；不接受命令行参数。",
)


@app.command(
    help=say("Make a user.", "新建用户。") + _PASSWORD,
    epilog=epilog(
        [
            ("orderfleet users add wang --role admin", Text("the first admin", "第一位管理员")),
            (
                "orderfleet users add li --role operator --shop taobao:main --shop jd:main",
                Text("sees two shops", "只看两个店铺"),
            ),
        ],
        EXITS,
    ),
)
def add(name: Name, role: RoleOption = "viewer", shop: Shops = None) -> None:
    """Asks for the password twice."""
    wanted = _role(role)
    with at_desk() as (desk, actor):
        desk.users.add(actor, name, wanted, _password(), shop or None)
    console().print(say(f"user {name} is there, as {wanted}", f"已建立用户 {name}，角色 {wanted}"), markup=False)


@app.command(
    "list",
    help=say("List all users.", "列出全部用户。"),
    epilog=epilog([("orderfleet users list --json", Text("one JSON object a line", "每行一个 JSON"))], EXITS),
)
def list_(
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """By name."""
    with at_desk() as (desk, actor):
        users = desk.users.list(actor)
    if as_json:
        for user in users:
            print_json(user)
        return
    columns = [
        Text("user", "用户"),
        Text("role", "角色"),
        Text("shops", "店铺"),
        Text("state", "状态"),
        Text("since", "建立于"),
    ]
    table = a_table(Text("Users", "用户"), [(column, False) for column in columns])
    for user in users:
        shops = say("all", "全部") if user.shops is None else ", ".join(user.shops)
        state = say("disabled", "已停用") if user.disabled else say("active", "启用")
        add_row(table, user.name, user.role, shops, state, moment(user.made_at))
    print_table(table)


@app.command(
    help=say("Let a user in no more, nor their tokens.", "停用用户及其令牌。"),
    epilog=epilog(
        [
            ("orderfleet users disable li", Text("at once", "立即生效")),
            ("orderfleet users disable li --undo", Text("let them in again", "恢复")),
        ],
        EXITS,
    ),
)
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help=say("Let them in again.", "恢复启用。"))] = False,
) -> None:
    """At their next request."""
    with at_desk() as (desk, actor):
        desk.users.disable(actor, name, not undo)
    _done(Text("active again", "已恢复") if undo else Text("disabled", "已停用"), name)


@app.command(
    "set-role",
    help=say("Change a user's role. Their tokens can do no more than it.", "修改角色；其令牌的权限随之受限。"),
    epilog=epilog([("orderfleet users set-role li --role lead", Text("at once", "立即生效"))], EXITS),
)
def set_role(name: Name, role: RoleOption) -> None:
    """At their next request."""
    wanted = _role(role)
    with at_desk() as (desk, actor):
        desk.users.set_role(actor, name, wanted)
    _done(Text(f"now {wanted}", f"角色已改为 {wanted}"), name)


@app.command(
    "set-shops",
    help=say("Change which shops a user sees.", "修改可见店铺。"),
    epilog=epilog(
        [
            ("orderfleet users set-shops li --shop jd:main", Text("only this one", "只看这一个")),
            ("orderfleet users set-shops li", Text("all of them", "全部店铺")),
        ],
        EXITS,
    ),
)
def set_shops(name: Name, shop: Shops = None) -> None:
    """At their next request."""
    with at_desk() as (desk, actor):
        desk.users.set_shops(actor, name, shop or None)
    _done(Text("shops changed", "店铺已修改"), name)


@app.command(
    "set-password",
    help=say("Give a user another password.", "重设密码。") + _PASSWORD,
    epilog=epilog([("orderfleet users set-password li", Text("asks for it twice", "会要求输入两次"))], EXITS),
)
def set_password(name: Name) -> None:
    """The old one is void at once."""
    with at_desk() as (desk, actor):
        desk.users.set_password(actor, name, _password())
    _done(Text("password changed", "密码已修改"), name)


def _done(what: Text, name: str) -> None:
    console().print(tell(Text(f"{name}: {what.en}", f"{name}：{what.zh}")), markup=False)


def _role(word: str) -> Role:
    from workers.admin.desk.access import Role

    try:
        return Role(word)
    except ValueError:
        known = ", ".join(Role)
        fail(Text(f"--role {word}: write one of {known}", f"--role {word}：请写 {known} 之一"), ExitCode.USAGE)


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(say("Password", "密码"), hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")

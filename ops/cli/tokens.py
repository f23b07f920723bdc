"""`orderfleet tokens`: how programs come to the API."""

from __future__ import annotations

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
    note,
    print_json,
    print_table,
    say,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.admin.desk.access import Scope

EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say(
        "Tokens of the API. Each belongs to a user, and may never do more than they may.",
        "API 令牌。每个令牌属于一位用户，权限不会超过该用户。",
    ),
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]


@app.command(
    help=say(
        "Make a token. It is shown this once and kept nowhere: what is lost is revoked, and another one made.",
        "新建令牌。只显示这一次，不会保存；遗失时请吊销并重新创建。",
    ),
    epilog=epilog(
        [
            (
                "orderfleet tokens create --user li --scope orders:read --scope stock:read --label reports",
                Text("for a year", "有效期一年"),
            ),
            (
                "orderfleet tokens create --user li --scope orders:decide --label desk --days 30 --json",
                Text("for machines", "供程序读取"),
            ),
        ],
        EXITS,
    ),
)
def create(
    user: Annotated[str, typer.Option("--user", metavar="NAME", help=say("Whose it is.", "所属用户。"))],
    scope: Annotated[
        list[str],
        typer.Option("--scope", metavar="SCOPE", help=say("What it is for; several times.", "权限，可多次。")),
    ],
    label: Annotated[str, typer.Option("--label", metavar="TEXT", help=say("What it is for, in words.", "用途说明。"))],
    days: Annotated[int, typer.Option("--days", help=say("How long it lives.", "有效天数。"))] = 365,
    as_json: AsJson = False,
) -> None:
    """Stdout holds the token and nothing else."""
    wanted = [_scope(each) for each in scope]
    with at_desk() as (desk, actor):
        token_id, token = desk.tokens.create(actor, user, wanted, days, label)
    if as_json:
        print_json({"token_id": token_id, "token": token.get_secret_value()})
        return
    console().print(token.get_secret_value(), markup=False)
    note(
        Text(
            f"this is the only time it is shown; revoke it with: orderfleet tokens revoke {token_id}",
            f"仅显示这一次；吊销：orderfleet tokens revoke {token_id}",
        )
    )


@app.command(
    "list",
    help=say("List all tokens that were made, the newest first.", "列出全部令牌，最新的在前。"),
    epilog=epilog([("orderfleet tokens list", Text("whose, for what, until when", "所属、用途、有效期"))], EXITS),
)
def list_(as_json: AsJson = False) -> None:
    """Without their secrets."""
    with at_desk() as (desk, actor):
        tokens = desk.tokens.list(actor)
    if as_json:
        for token in tokens:
            print_json(token)
        return
    names = (
        Text("token", "令牌"),
        Text("user", "用户"),
        Text("for", "用途"),
        Text("scopes", "权限"),
        Text("expires", "到期"),
        Text("used", "最近使用"),
        Text("revoked", "吊销于"),
    )
    table = a_table(Text("Tokens", "令牌"), [(name, False) for name in names])
    for token in tokens:
        times = moment(token.expires_at), moment(token.used_at), moment(token.revoked_at)
        add_row(table, token.token_id, token.user, token.label, ", ".join(token.scopes), *times)
    print_table(table)


@app.command(
    help=say("Revoke a token: nobody comes in with it any more.", "吊销令牌，立即失效。"),
    epilog=epilog([("orderfleet tokens revoke abcdefghijkm", Text("at once", "立即生效"))], EXITS),
)
def revoke(
    token_id: Annotated[
        str, typer.Argument(metavar="TOKEN", help=say("Its id, as in the list.", "令牌编号，见列表。"))
    ],
) -> None:
    """Again, it does nothing."""
    with at_desk() as (desk, actor):
        desk.tokens.revoke(actor, token_id)
    console().print(say(f"revoked {token_id}", f"已吊销 {token_id}"), markup=False)


def _scope(word: str) -> Scope:
    from workers.admin.desk.access import Scope

    try:
        return Scope(word)
    except ValueError:
        known = ", ".join(Scope)
        fail(Text(f"--scope {word}: write one of {known}", f"--scope {word}：请写 {known} 之一"), ExitCode.USAGE)

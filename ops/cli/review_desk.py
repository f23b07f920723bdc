"""`orderfleet review show|bulk`: an order that waits for a person, and one decision about many of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from ops.cli.desk import at_desk
from ops.cli.orders import AsJson, Shop, Sku, Uid, tell_order
from ops.cli.output import (
    ExitCode,
    console,
    epilog,
    fail,
    print_json,
    say,
    tell,
)
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.decision import DecisionKind
    from workers.admin.desk.access import Actor
    from workers.admin.desk.bulk import Job, Preview
    from workers.admin.desk.desk import Desk

EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)
_LOOK_SECONDS: Final = 1.0

Code = Annotated[str | None, typer.Option("--code", metavar="CODE", help=say("Only for this reason.", "只看该原因。"))]

SHOW_HELP: Final = say("Show an order that waits for a person.", "查看一个等待人工的订单。")
SHOW_EPILOG: Final = epilog(
    [("orderfleet review show taobao:main:2700000000000000001", Text("why, and since when", "原因与时间"))], EXITS
)
BULK_HELP: Final = say(
    "Release or redecide all orders in review that match: shows how many, asks, and tells how far it is. Beyond 500 it "
    "wants the count. It may be interrupted: `orderfleet api`, or this command again, goes on with it.",
    "对符合条件的全部待审订单放行或重新决策：先显示数量并确认，然后显示进度。超过 500 单需确认数量。可中断："
    "`orderfleet api` 或再次运行本命令会继续。",
)
BULK_EPILOG: Final = epilog(
    [
        (
            'orderfleet review bulk redecide --code unknown-sku --why "SKU was added"',
            Text("asks before it begins", "开始前会确认"),
        ),
        (
            'orderfleet review bulk release --code gray-rollout --why "all" --count 4000 --json',
            Text("does not ask; refused when it is another count", "不询问；数量不符则拒绝"),
        ),
    ],
    EXITS,
)


def show(order: Uid, as_json: AsJson = False) -> None:
    """As `orders show`, without the timeline; exits 1 when it does not wait for anybody."""
    with at_desk() as (desk, actor):
        page = desk.orders.show(actor, order)
    if page.review is None:
        fail(
            Text(
                f"{order} waits for nobody: it is {page.order.stage}",
                f"{order} 无需人工：当前阶段 {page.order.stage}",
            )
        )
    if as_json:
        print_json(page)
    else:
        tell_order(page)


# -- many at once --------------------------------------------------------------------------------------------------


def bulk(
    kind: Annotated[str, typer.Argument(metavar="release|redecide", help=say("What to do.", "操作。"))],
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help=say("Why; it is kept for ever.", "原因；永久保存。"))
    ],
    code: Code = None,
    shop: Shop = None,
    sku: Sku = None,
    count: Annotated[
        int | None,
        typer.Option("--count", min=1, help=say("How many there must be; asks nothing.", "应有的数量；不再询问。")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Works at the job itself, as the API would."""
    from workers.admin.desk.bulk import BulkRequest
    from workers.admin.desk.filters import ReviewFilter

    decision = _kind(kind)
    with at_desk() as (desk, actor):
        preview = desk.bulk.preview(actor, ReviewFilter(code=code, shop=shop, sku=sku))
        if count is None:
            _ask(preview, kind)
        confirmed = preview.count if count is None else count
        request = BulkRequest(
            kind=decision,
            filter=preview.filter,
            count=confirmed,
            version=preview.version,
            why=why,
            confirmed_count=confirmed,
        )
        job = _work(desk, actor, desk.bulk.start(actor, request).job_id)
    if as_json:
        print_json(job)
    else:
        console().print(tell(_said(job)), markup=False)
    if job.done == 0:
        raise typer.Exit(ExitCode.BAD)


def _kind(word: str) -> DecisionKind:
    from schemas.decision import DecisionKind

    if word not in ("release", "redecide"):
        fail(Text(f"{word}: write release or redecide", f"{word}：请写 release 或 redecide"), ExitCode.USAGE)
    return DecisionKind(word)


def _ask(preview: Preview, kind: str) -> None:
    if not preview.count:
        fail(Text("nothing in review matches", "没有符合条件的待审订单"))
    words = say(f"{kind} {preview.count} orders?", f"对 {preview.count} 单执行 {kind}？")
    if preview.needs_confirmation:
        typed = typer.prompt(say(f"{words} Type the number", f"{words}请输入数量"), err=True)
        if str(typed).strip() != str(preview.count):
            fail(Text("that is another number; nothing was done", "数量不符；未做任何操作"))
        return
    if not typer.confirm(words, err=True):
        fail(Text("nothing was done", "未做任何操作"))


def _work(desk: Desk, actor: Actor, job_id: UUID) -> Job:
    """Work at it, or watch who does, until it is at its end."""
    import threading

    from ops.cli.output import error_console

    never = threading.Event()
    with error_console().status("") as status:
        while (job := desk.bulk.show(actor, job_id)).state == "running":
            status.update(tell(_said(job)))
            if not desk.jobs.run_all(never):
                time.sleep(_LOOK_SECONDS)
    return job


def _said(job: Job) -> Text:
    refused = ", ".join(f"{code}: {orders}" for code, orders in job.refused.items())
    return Text(
        f"{job.state}: {job.done} of {job.total} done, {job.waiting} wait; refused: {refused or 'none'}",
        f"{job.state}：共 {job.total} 单，完成 {job.done}，等待 {job.waiting}；拒绝：{refused or '无'}",
    )

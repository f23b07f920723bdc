"""`orderfleet review bulk|offers`: one decision about many orders that wait for a person."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from ops.cli.desk import at_desk
from ops.cli.orders import AsJson, Shop, Sku
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

BULK_HELP: Final = say(
    "Decide about all orders in review that match: shows how many and what would become of them, asks, and tells how "
    "far it is. Beyond 500 it wants the count. It may be interrupted: `orderfleet api` or this command again goes on.",
    "对符合条件的全部待审订单执行同一操作：先显示数量与预计结果并确认，然后显示进度。超过 500 单需确认数量。可中断："
    "`orderfleet api` 或再次运行本命令会继续。",
)
BULK_EPILOG: Final = epilog(
    [
        (
            'orderfleet review bulk redecide --code sku-unknown --why "SKU was added"',
            Text("asks before it begins", "开始前会确认"),
        ),
        (
            'orderfleet review bulk correct --replace OLD-SKU --by NEW-SKU --why "wrong code"',
            Text("one SKU in the place of another, in all of them", "全部订单中以新 SKU 代替旧 SKU"),
        ),
        (
            'orderfleet review bulk release --code gray-rollout --why "all" --count 4000 --json',
            Text("does not ask; refused when it is another count", "不询问；数量不符则拒绝"),
        ),
        (
            'orderfleet review bulk release --failed JOB --why "stock came"',
            Text("again for those that a job was refused for", "对某任务中被拒绝的订单再次执行"),
        ),
        (
            'orderfleet review bulk redecide --old-rules --why "new rules"',
            Text("what other rules than today's decided", "由旧规则决策的订单"),
        ),
    ],
    EXITS,
)
OFFERS_HELP: Final = say(
    "What waits for a person and may go on by the rules and the catalogue of today: decided by other rules, or with a "
    "SKU that the catalogue knows by now. Each is a `review bulk redecide`.",
    "按当前规则与商品目录可能无需再等待的订单：由旧规则决策，或其 SKU 现已录入。可用 `review bulk redecide` 处理。",
)
OFFERS_EPILOG: Final = epilog(
    [("orderfleet review offers", Text("after rules or the catalogue changed", "规则或商品目录更新后"))], EXITS
)
KINDS: Final = ("release", "redecide", "hold", "cancel", "correct", "split", "settle", "note")

# -- many at once --------------------------------------------------------------------------------------------------


def bulk(
    kind: Annotated[str, typer.Argument(metavar="|".join(KINDS), help=say("What to do.", "操作。"))],
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help=say("Why; it is kept for ever.", "原因；永久保存。"))
    ],
    code: Code = None,
    shop: Shop = None,
    sku: Sku = None,
    old_rules: Annotated[
        bool, typer.Option("--old-rules", help=say("Only what other rules decided.", "只看旧规则决策的订单。"))
    ] = False,
    failed: Annotated[
        str | None, typer.Option("--failed", metavar="JOB", help=say("Only what it was refused for.", "只看被拒绝的。"))
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="WAREHOUSE", help=say("release: from it.", "release：指定发货仓。"))
    ] = None,
    replace: Annotated[
        str, typer.Option("--replace", metavar="SKU", help=say("correct: this SKU ...", "correct：原 SKU。"))
    ] = "",
    by: Annotated[str, typer.Option("--by", metavar="SKU", help=say("... by this one.", "新 SKU。"))] = "",
    count: Annotated[
        int | None,
        typer.Option("--count", min=1, help=say("How many there must be; asks nothing.", "应有的数量；不再询问。")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Works at the job itself, as the API would."""
    from workers.admin.desk.bulk import BulkRequest
    from workers.admin.desk.filters import ReviewFilter
    from workers.admin.desk.wish import Wish

    decision = _kind(kind)
    codes = (code,) if code and kind == "settle" else ()
    wish = Wish(kind=decision, warehouse_id=to, codes=codes, sku=replace, to_sku=by)
    with at_desk() as (desk, actor):
        rules = desk.offers.of(actor).ruleset if old_rules else None
        wanted = ReviewFilter(
            code=code, shop=shop, sku=sku or replace or None, not_ruleset=rules, refused_in=_job_id(failed)
        )
        preview = desk.bulk.preview(actor, wanted, wish if count is None else None)
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
            warehouse_id=to,
            codes=codes,
            sku=replace,
            to_sku=by,
        )
        job = _work(desk, actor, desk.bulk.start(actor, request).job_id)
    if as_json:
        print_json(job)
    else:
        console().print(tell(_said(job)), markup=False)
    if job.done == 0:
        raise typer.Exit(ExitCode.BAD)


def offers(as_json: AsJson = False) -> None:
    """By the rules that this machine has."""
    with at_desk() as (desk, actor):
        found = desk.offers.of(actor)
    if as_json:
        print_json(found)
        return
    names = (Text("reason", "原因"), Text("orders", "订单"), Text("how", "操作"))
    table = a_table(
        Text(f"By other rules than {found.ruleset}", f"由 {found.ruleset} 以外的规则决策"),
        [(name, name.en == "orders") for name in names],
    )
    for each in found.items:
        rules = " --old-rules" if each.filter.not_ruleset else ""
        add_row(table, each.code, str(each.orders), f"orderfleet review bulk {each.kind} --code {each.code}{rules}")
    print_table(table)


def _kind(word: str) -> DecisionKind:
    from schemas.decision import DecisionKind

    if word not in KINDS:
        fail(Text(f"{word}: write one of {', '.join(KINDS)}", f"{word}：请写 {'、'.join(KINDS)} 之一"), ExitCode.USAGE)
    return DecisionKind.SETTLE_FLAG if word == "settle" else DecisionKind(word)


def _job_id(word: str | None) -> UUID | None:
    try:
        return UUID(word) if word is not None else None
    except ValueError:
        fail(Text(f"--failed {word}: this is no id of a job", f"--failed {word}：不是任务编号"), ExitCode.USAGE)


def _ask(preview: Preview, kind: str) -> None:
    if not preview.count:
        fail(Text("nothing in review matches", "没有符合条件的待审订单"))
    if preview.looked_at:
        refused = ", ".join(f"{code} {orders}" for code, orders in preview.refused.items())
        note(
            Text(
                f"of {preview.looked_at} that were looked at {preview.can} can be done now, refused would be: "
                f"{refused or 'none'}",
                f"已预查 {preview.looked_at} 单：现在可执行 {preview.can} 单，将被拒绝：{refused or '无'}",
            )
        )
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

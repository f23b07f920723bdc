"""`orderfleet rules`: check a ruleset, and try it on one order. Needs no server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.inputs import a_moment, read_input, shown
from ops.cli.output import ExitCode, console, epilog, fail, language, print_json, say, say_error, settings
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.order import Order
    from schemas.plan import PlannedOrder
    from workers.rules.catalogue import Catalogue
    from workers.rules.problems import RulesetErrors
    from workers.rules.ruleset import Ruleset

app = typer.Typer(
    help=say("Routing rules: check a file, try it on an order.", "分仓规则：检查文件、在订单上试算。"),
    no_args_is_help=True,
)

RulesFile = Annotated[str, typer.Argument(metavar="FILE", help=say("The ruleset, YAML.", "规则集 YAML 文件。"))]
CatalogueFile = Annotated[
    str | None,
    typer.Option(
        "--catalogue",
        metavar="FILE",
        help=say("The SKU catalogue; by default the one that the settings name.", "商品目录；默认用配置中的目录文件。"),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]

_NO_CATALOGUE: Final = Text(
    "; name the SKU catalogue with --catalogue FILE or ORDERFLEET_CATALOGUE_FILE",
    "；请用 --catalogue FILE 或 ORDERFLEET_CATALOGUE_FILE 指定商品目录",
)


# -- check ---------------------------------------------------------------------------------------------------------


@app.command(
    help=say(
        "Check a ruleset as the fleet would before using it. Tells every problem at once: file, line, rule, field, "
        "and what to write instead. Exits 1 when there is one.",
        "按系统启用规则集前的标准检查文件。"
        "一次列出所有问题：文件、行号、规则、字段以及应如何修改。有问题时退出码为 1。",
    ),
    epilog=epilog(
        [
            (
                "orderfleet rules check ops/docs/examples/rules.yaml",
                Text("against the configured catalogue", "对照配置的目录"),
            ),
            (
                "orderfleet rules check rules.yaml --catalogue catalogue.yaml",
                Text("against this one", "对照指定的目录"),
            ),
            ("orderfleet rules check rules.yaml --json | jq '.problems[].line'", Text("for an editor", "供编辑器使用")),
        ]
    ),
)
def check(file: RulesFile, catalogue: CatalogueFile = None, as_json: AsJson = False) -> None:
    """Load it and tell what was found."""
    from workers.rules.problems import RulesetErrors

    try:
        ruleset, skus = load_files(file, catalogue)
    except RulesetErrors as error:
        _tell_problems(error, as_json)
        raise typer.Exit(ExitCode.BAD) from None
    if as_json:
        print_json({"ok": True, "ruleset": ruleset.label, "digest": ruleset.digest, "problems": []})
        return
    console().print(
        say(
            f"{ruleset.label} is good: {len(ruleset.rules)} rules, {len(ruleset.warehouses)} warehouses, "
            f"{len(ruleset.tagging.rules)} tagging rules, checked against {len(skus.skus)} SKUs",
            f"{ruleset.label} 可用：{len(ruleset.rules)} 条规则、{len(ruleset.warehouses)} 个仓库、"
            f"{len(ruleset.tagging.rules)} 条打标规则，已对照 {len(skus.skus)} 个 SKU",
        ),
        markup=False,
    )


def _tell_problems(error: RulesetErrors, as_json: bool) -> None:
    if as_json:
        print_json({"ok": False, "problems": [_as_json(problem) for problem in error.problems]})
        return
    for problem in error.problems:
        say_error(Text(problem.tell("en"), problem.tell("zh")))


def _as_json(problem: Any) -> dict[str, Any]:
    return {
        "file": problem.source,
        "line": problem.line,
        "place": problem.place.en,
        "message": problem.text.en,
        "message_zh": problem.text.zh,
    }


def load_files(file: str, catalogue: str | None) -> tuple[Ruleset, Catalogue]:
    """Both files. A catalogue that is not there is wrong usage; what stands in the files raises RulesetErrors."""
    from channel_adapters.registry import CHANNELS
    from workers.rules.loading import load_catalogue, load_ruleset

    text = read_input(file)
    path = catalogue or str(settings().catalogue_file)
    if catalogue is None and not settings().catalogue_file.exists():
        fail(Text(f"there is no catalogue {path}{_NO_CATALOGUE.en}", f"没有商品目录 {path}{_NO_CATALOGUE.zh}"), 2)
    skus = load_catalogue(read_input(path), shown(path), tuple(CHANNELS))
    return load_ruleset(text, shown(file), skus, tuple(CHANNELS)), skus


# -- try -----------------------------------------------------------------------------------------------------------


@app.command(
    "try",
    help=say(
        "What would happen to one order under these rules: its tags and flags, every rule that matched and what became "
        "of it, the candidate warehouses, and why. Changes nothing, knows no stock.\n\n"
        "ORDER.json is an order as `orderfleet parse` prints it, or a planned order. A file with several, one a line, "
        "tries each of them.",
        "按这些规则，一个订单会怎样：标签与提示、命中的每条规则及其结果、候选仓及原因。不做任何修改，也不看库存。\n\n"
        "ORDER.json 是 `orderfleet parse` 输出的订单或带计划的订单；每行一个的多订单文件会逐个试算。",
    ),
    epilog=epilog(
        [
            (
                "orderfleet parse taobao page.json > orders.json",
                Text("orders to try it on", "先得到用于试算的订单"),
            ),
            ("orderfleet rules try rules.yaml orders.json", Text("the plan and why, in words", "用文字说明计划与原因")),
            (
                "orderfleet parse jd order.json | orderfleet rules try rules.yaml - --json",
                Text("straight from a payload; JSON, one a line", "直接从报文试算，每行一个 JSON"),
            ),
            (
                "orderfleet rules try rules.yaml orders.json --at 2026-11-20T00:00:00+08:00",
                Text("as if decided then (presales, time windows)", "假设在该时刻决策（预售、时间窗）"),
            ),
        ]
    ),
)
def try_(
    file: RulesFile,
    order: Annotated[
        str, typer.Argument(metavar="ORDER.json", help=say("The order; - is stdin.", "订单文件；- 表示标准输入。"))
    ],
    catalogue: CatalogueFile = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help=say(
                "Decide as of this time; by default when the order last changed.", "按该时刻决策；默认取订单更新时间。"
            ),
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try every order given."""
    from workers.admin.rule_trial import describe, try_order
    from workers.rules.problems import RulesetErrors

    when = a_moment(at, "--at") if at else None
    try:
        ruleset, skus = load_files(file, catalogue)
    except RulesetErrors as error:
        _tell_problems(error, as_json)
        raise typer.Exit(ExitCode.BAD) from None
    for each in _orders(order):
        planned = try_order(ruleset, skus, each, when)
        if as_json:
            print_json(_plan_as_json(planned))
        else:
            for line in describe(planned, language()):
                console().print(line, markup=False)


def _plan_as_json(planned: PlannedOrder) -> dict[str, Any]:
    """The decision without the receiver."""
    from workers.admin.rule_trial import in_words

    planned = in_words(planned)
    return {
        "order_uid": planned.order.uid,
        "revision": planned.order.revision,
        "plan": planned.plan,
        "tags": planned.tags,
        "flags": planned.flags,
        "lines": planned.order.lines,
    }


def _orders(name: str) -> list[Order]:
    """The orders in a file; ends the command when one is none."""
    from ops.cli.servers import fail_with
    from workers.admin.order_files import NotAnOrder, read_orders

    try:
        return read_orders(read_input(name), shown(name))
    except NotAnOrder as error:
        fail_with(error)

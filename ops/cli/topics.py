"""`orderfleet topics`: make the topics that the fleet needs, and look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.inputs import a_slug
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
    settings,
)
from schemas.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from confluent_kafka.admin import NewTopic

    from workers.admin.topics import TopicAdmin, TopicOutcome, TopicState
    from workers.runtime.settings import Settings

    T = TypeVar("T")

ALL_EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say("Kafka topics: create those that are missing, list them.", "Kafka 主题：创建缺少的、查看现有的。"),
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]
Warehouses = Annotated[
    list[str] | None,
    typer.Option(
        "--warehouse",
        "-w",
        metavar="ID",
        help=say(
            "A warehouse to route to; may be repeated. By default those of the active ruleset.",
            "要下发的仓库，可重复填写；默认取当前规则集中的仓库。",
        ),
    ),
]


# -- create --------------------------------------------------------------------------------------------------------


@app.command(
    help=say(
        "Create the topics that are missing: one for each channel and warehouse, and all the others. "
        "Safe to run again; what exists is left as it is, and told when it differs.",
        "创建缺少的主题：每个渠道、每个仓库各一个，以及其余全部。可重复执行；已有主题保持原样，设置不同时会提示。",
    ),
    epilog=epilog(
        [
            ("orderfleet topics create", Text("all that the fleet needs", "创建全部所需主题")),
            (
                "orderfleet topics create --partitions 48 --replication 3",
                Text("for a cluster of three brokers", "三节点集群"),
            ),
            ("orderfleet topics create --warehouse chengdu", Text("a new warehouse", "新增一个仓库")),
            ("orderfleet topics create --dry-run", Text("only say what would be done", "只显示将要执行的操作")),
            (
                "orderfleet topics create --apply-settings",
                Text("also reset retention and size limits to ours", "同时把保留时间和大小限制改为标准值"),
            ),
        ],
        ALL_EXITS,
    ),
)
def create(
    warehouse: Warehouses = None,
    partitions: Annotated[
        int | None,
        typer.Option(min=1, help=say("Of each new topic; by default the setting.", "新主题的分区数；默认取配置。")),
    ] = None,
    replication: Annotated[
        int | None,
        typer.Option(
            min=1, help=say("Copies of each new topic; by default the setting.", "新主题的副本数；默认取配置。")
        ),
    ] = None,
    apply_settings: Annotated[
        bool,
        typer.Option(
            "--apply-settings", help=say("Also change existing topics' settings.", "同时修改已有主题的设置。")
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("Change nothing.", "不做任何修改。"))] = False,
    as_json: AsJson = False,
) -> None:
    """Those that are missing."""
    from workers.admin.topics import make_topics

    known = settings()
    wanted = _wanted(known, warehouse, partitions, replication)
    made = _asked(known, lambda admin: make_topics(admin, wanted, apply_settings=apply_settings, dry_run=dry_run))
    if as_json:
        for state, outcome in made:
            print_json({"name": state.name, "outcome": outcome, "differs": _differs(state)})
    else:
        _tell_made(made, applied=apply_settings)


def _tell_made(made: list[tuple[TopicState, TopicOutcome]], *, applied: bool) -> None:
    words = {
        "created": Text("created", "已创建"),
        "would create": Text("would be created", "将创建"),
        "changed": Text("settings changed", "已修改设置"),
        "would change": Text("settings would be changed", "将修改设置"),
    }
    for state, outcome in made:
        if outcome in words:
            console().print(f"{state.name}  {say(*words[outcome])}", markup=False)
    there = sum(not state.missing for state, _ in made)
    console().print(
        say(f"{len(made)} topics needed, {there} were there", f"共需 {len(made)} 个主题，原有 {there} 个"),
        markup=False,
    )
    for state, _ in made:
        _note_differences(state, applied)


def _differs(state: TopicState) -> dict[str, Any]:
    return {name: {"is": each.found, "wanted": each.wanted} for name, each in state.differences.items()}


def _note_differences(state: TopicState, applied: bool) -> None:
    for name, (found, wanted) in state.differences.items():
        if name == "partitions":
            note(
                Text(
                    f"{state.name} has {found} partitions, {wanted} are wanted; left as it is: another "
                    "number would move orders to other partitions, out of their order",
                    f"{state.name} 有 {found} 个分区，期望 {wanted} 个；保持不变：改变分区数会使订单换到别的分区而乱序",
                )
            )
        elif not applied:
            now = found or say("not set", "未设置")
            note(
                Text(
                    f"{state.name}: {name} is {now}, {wanted} is wanted; --apply-settings changes it",
                    f"{state.name}：{name} 为 {now}，期望 {wanted}；可用 --apply-settings 修改",
                )
            )


# -- list ----------------------------------------------------------------------------------------------------------


@app.command(
    "list",
    help=say(
        "List the topics that the fleet needs, what they carry and how much they hold. Exits 1 when one is missing.",
        "列出所需主题、内容类型和现存消息数。有缺少的主题时退出码为 1。",
    ),
    epilog=epilog(
        [
            ("orderfleet topics list", Text("all of them", "全部主题")),
            (
                "orderfleet topics list --json | jq -r 'select(.missing) | .name'",
                Text("those that are missing", "缺少的主题"),
            ),
        ],
        ALL_EXITS,
    ),
)
def list_topics(warehouse: Warehouses = None, as_json: AsJson = False) -> None:
    """As they are now."""
    known = settings()
    wanted = _wanted(known, warehouse)
    states = _asked(known, lambda admin: admin.states(wanted, count=True))
    if as_json:
        for state in states:
            print_json(_as_json(state))
    else:
        _print_states(states)
    missing = [state.name for state in states if state.missing]
    if missing:
        fail(
            Text(
                f"{len(missing)} topics are missing; make them with: orderfleet topics create",
                f"缺少 {len(missing)} 个主题；请执行：orderfleet topics create",
            )
        )


def _as_json(state: TopicState) -> dict[str, Any]:
    return {
        "name": state.name,
        "missing": state.missing,
        "carries": state.carries,
        "partitions": state.partitions,
        "replication": state.replication,
        "records": state.records,
        "retention_seconds": state.retention_seconds,
        "differs": _differs(state),
    }


def _print_states(states: list[TopicState]) -> None:
    table = a_table(
        Text("Topics", "主题"),
        [
            (Text("topic", "主题"), False),
            (Text("carries", "内容"), False),
            (Text("partitions", "分区"), True),
            (Text("copies", "副本"), True),
            (Text("records", "消息数"), True),
            (Text("kept", "保留"), False),
            (Text("remark", "备注"), False),
        ],
    )
    for state in states:
        seconds = state.retention_seconds
        kept = say("for ever", "永久") if seconds is None else say(f"{seconds // 86400} days", f"{seconds // 86400} 天")
        remark = say("missing", "缺少") if state.missing else ", ".join(state.differences)
        counts = ("", "", "") if state.missing else (state.partitions, state.replication, f"{state.records:,}")
        add_row(
            table, state.name, state.carries, *map(str, counts), kept, remark, style="red" if state.missing else None
        )
    print_table(table)


# -- shared --------------------------------------------------------------------------------------------------------


def _wanted(
    known: Settings, warehouses: list[str] | None, partitions: int | None = None, replication: int | None = None
) -> list[NewTopic]:
    from ops.cli.servers import fail_with
    from workers.admin.errors import InvalidRequest
    from workers.admin.topics import fleet_topics

    names = [a_slug(each, "--warehouse") for each in warehouses or ()]
    try:
        return fleet_topics(known, names, partitions, replication)
    except InvalidRequest as error:
        fail_with(error)


def _asked(known: Settings, question: Callable[[TopicAdmin], T]) -> T:
    from ops.cli.servers import fail_kafka_away, fail_with
    from workers.admin.topics import KafkaRefused, TopicAdmin
    from workers.runtime.errors import TransientError

    try:
        return question(TopicAdmin(known.cluster))
    except TransientError as error:
        fail_kafka_away(known, error)
    except KafkaRefused as error:
        fail_with(error)

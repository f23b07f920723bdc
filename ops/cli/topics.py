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

    from workers.admin.topics import TopicAdmin, TopicState
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
    known = settings()
    wanted = _wanted(known, warehouse, partitions or known.partitions, replication or known.replication)
    states = _asked(known, lambda admin: admin.states(wanted))
    missing = {state.name for state in states if state.missing}
    different = [state for state in states if state.differs]
    if not dry_run:
        _asked(known, lambda admin: admin.create([topic for topic in wanted if topic.topic in missing]))
        if apply_settings:
            _asked(known, lambda admin: admin.apply(different))
    _tell_outcome(states, dry_run=dry_run, applied=apply_settings, as_json=as_json)


def _tell_outcome(states: list[TopicState], *, dry_run: bool, applied: bool, as_json: bool) -> None:
    if as_json:
        for state in states:
            print_json({"name": state.name, "outcome": _outcome(state, dry_run, applied), "differs": _differs(state)})
        return
    words = {
        "created": Text("created", "已创建"),
        "would create": Text("would be created", "将创建"),
        "changed": Text("settings changed", "已修改设置"),
        "would change": Text("settings would be changed", "将修改设置"),
    }
    for state in states:
        outcome = _outcome(state, dry_run, applied)
        if outcome in words:
            console().print(f"{state.name}  {say(*words[outcome])}", markup=False)
    there = sum(not state.missing for state in states)
    console().print(
        say(f"{len(states)} topics needed, {there} were there", f"共需 {len(states)} 个主题，原有 {there} 个"),
        markup=False,
    )
    for state in states:
        _note_differences(state, applied)


def _outcome(state: TopicState, dry_run: bool, applied: bool) -> str:
    if state.missing:
        return "would create" if dry_run else "created"
    if state.differs and applied:
        return "would change" if dry_run else "changed"
    return "exists"


def _differs(state: TopicState) -> dict[str, Any]:
    found: dict[str, Any] = {name: {"is": now, "wanted": wanted} for name, (now, wanted) in state.differs.items()}
    if not state.missing and state.partitions != state.wanted_partitions:
        found["partitions"] = {"is": state.partitions, "wanted": state.wanted_partitions}
    return found


def _note_differences(state: TopicState, applied: bool) -> None:
    for name, each in _differs(state).items():
        if name == "partitions":
            note(
                Text(
                    f"{state.name} has {each['is']} partitions, {each['wanted']} are wanted; left as it is: another "
                    "number would move orders to other partitions, out of their order",
                    f"{state.name} 有 {each['is']} 个分区，期望 {each['wanted']} 个；保持不变："
                    "改变分区数会使订单换到别的分区而乱序",
                )
            )
        elif not applied:
            now = each["is"] or say("not set", "未设置")
            note(
                Text(
                    f"{state.name}: {name} is {now}, {each['wanted']} is wanted; --apply-settings changes it",
                    f"{state.name}：{name} 为 {now}，期望 {each['wanted']}；可用 --apply-settings 修改",
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
    wanted = _wanted(known, warehouse, known.partitions, known.replication)
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
        "retention_seconds": _retention_seconds(state),
        "differs": _differs(state),
    }


def _retention_seconds(state: TopicState) -> int | None:
    """As the fleet wants it; None = for ever."""
    from schemas.topics import FOREVER
    from workers.admin.topics import family_of

    retention = family_of(state.name).retention
    return None if retention == FOREVER else int(retention.total_seconds())


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
        seconds = _retention_seconds(state)
        kept = say("for ever", "永久") if seconds is None else say(f"{seconds // 86400} days", f"{seconds // 86400} 天")
        remark = say("missing", "缺少") if state.missing else ", ".join(_differs(state))
        counts = ("", "", "") if state.missing else (state.partitions, state.replication, f"{state.records:,}")
        add_row(
            table, state.name, state.carries, *map(str, counts), kept, remark, style="red" if state.missing else None
        )
    print_table(table)


# -- shared --------------------------------------------------------------------------------------------------------


def _wanted(known: Settings, warehouses: list[str] | None, partitions: int, replication: int) -> list[NewTopic]:
    from channel_adapters.registry import CHANNELS
    from workers.runtime.kafka.topics import wanted_topics

    names = [a_slug(each, "--warehouse") for each in warehouses] if warehouses else _warehouses_of(known)
    return wanted_topics(
        channels=tuple(CHANNELS),
        warehouses=tuple(dict.fromkeys(names)),
        partitions=partitions,
        replication=replication,
    )


def _warehouses_of(known: Settings) -> list[str]:
    """Those of the active ruleset."""

    from channel_adapters.registry import CHANNELS
    from ops.cli.output import language
    from workers.rules.problems import RulesetErrors
    from workers.rules.provider import RuleFiles

    try:
        rules = RuleFiles(known.rules_file, known.catalogue_file, channels=tuple(CHANNELS))
    except RulesetErrors as error:
        told = error.tell(language())
        fail(
            Text(
                f"cannot read the warehouses from the rules: {told}\nName them with --warehouse, or set "
                "ORDERFLEET_RULES_FILE and ORDERFLEET_CATALOGUE_FILE",
                f"无法从规则文件读取仓库：{told}\n请用 --warehouse 指定，或设置 ORDERFLEET_RULES_FILE 和 "
                "ORDERFLEET_CATALOGUE_FILE",
            ),
            ExitCode.USAGE,
        )
    return sorted(rules.current().ruleset.warehouses)


def _asked(known: Settings, question: Callable[[TopicAdmin], T]) -> T:
    from ops.cli.servers import fail_kafka_away
    from workers.admin.topics import Refused, TopicAdmin
    from workers.runtime.errors import TransientError

    try:
        return question(TopicAdmin(known.cluster))
    except TransientError as error:
        fail_kafka_away(known, error)
    except Refused as error:
        fail(
            Text(
                f"Kafka refused: {error}; check --replication against the number of brokers, and the user's rights",
                f"Kafka 拒绝了请求：{error}；请检查 --replication 是否超过节点数，以及用户权限",
            )
        )

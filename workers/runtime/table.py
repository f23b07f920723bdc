"""The table of stages as a graph: which stages run together, whether it hangs together, how it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from schemas.namespace import prefixed
from schemas.topics import Topic
from workers.runtime.stage import Chained, Every, Following, Stage

AnyStage = Stage[Any]
Table = Sequence[AnyStage]


def group_id(name: str) -> str:
    """What Kafka knows the consumer group of this name as: the name is that of its first stage."""
    return prefixed(f"orderfleet-{name}")


class BrokenTable(Exception):
    """The table of stages has loose ends. Its text lists all of them."""


@dataclass(frozen=True, slots=True)
class Group:
    """Stages that share one chunk: the first reads a topic (or a timer), the others are chained to it."""

    stages: tuple[AnyStage, ...]

    @property
    def name(self) -> str:
        """The first stage's name. `group_id` makes the consumer group's of it."""
        return self.stages[0].name

    @property
    def reads(self) -> Topic | Every | Following:
        """What starts the group."""
        head = self.stages[0].reads
        assert not isinstance(head, Chained)
        return head


def resolve(table: Table) -> tuple[AnyStage, ...]:
    """The table with hand-overs made explicit: a row that reads its hand-over topic is written to by the row above."""
    rows = list(table)
    for above, row in pairwise(range(len(rows))):
        reads = rows[row].reads
        if isinstance(reads, Topic) and reads.handover and reads not in rows[above].writes:
            rows[above] = replace(rows[above], writes=(reads, *rows[above].writes))
    return tuple(rows)


def durable(table: Table) -> tuple[AnyStage, ...]:
    """The same pipeline with a topic at every hand-over, so that every stage can run in a process of its own."""
    return resolve([replace(row, reads=row.reads.topic) if isinstance(row.reads, Chained) else row for row in table])


def groups(table: Table) -> tuple[Group, ...]:
    """The stages that run together, in the order of the table."""
    runs: list[list[AnyStage]] = []
    for row in resolve(table):
        if isinstance(row.reads, Chained) and runs:
            runs[-1].append(row)
        else:
            runs.append([row])
    return tuple(Group(tuple(run)) for run in runs)


def select(table: Table, names: Sequence[str]) -> tuple[Group, ...]:
    """The groups that hold the named stages; all when no name is given.

    Raises BrokenTable for an unknown name, and for a part of a chain without the rest of it.
    """
    every_group = groups(table)
    known = {row.name for row in table}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BrokenTable(f"no such stage: {', '.join(unknown)}; there are {', '.join(row.name for row in table)}")
    if not names:
        return every_group
    chosen = [group for group in every_group if any(row.name in names for row in group.stages)]
    for group in chosen:
        missing = [row.name for row in group.stages if row.name not in names]
        if missing and group.name not in names:
            raise BrokenTable(
                f"{', '.join(missing)} and {', '.join(n for n in names if n not in missing)} hand over in memory: "
                f"run them together (--stages {group.name}), or give them topics of their own with --durable"
            )
    return tuple(chosen)


def check(table: Table, *, entering: Sequence[Topic], leaving: Sequence[Topic]) -> None:
    """Refuse a table with loose ends. Raises BrokenTable that names each of them."""
    problems = list(_problems(resolve(table), entering, leaving))
    if problems:
        raise BrokenTable("; ".join(problems))


def _problems(table: Table, entering: Sequence[Topic], leaving: Sequence[Topic]) -> Iterator[str]:
    yield from _bad_rows(table)
    yield from _bad_chains(table)
    read = [topic for row in table for topic in _read_by(row)]
    written = [topic for row in table for topic in row.writes]
    for row in table:
        for topic in _read_by(row):
            if topic not in written and topic not in entering:
                yield f"{row.name} reads {topic}, which nothing writes and which is not listed as entering"
        for topic in row.writes:
            if topic not in read and topic not in leaving:
                yield f"{row.name} writes {topic}, which nothing reads and which is not listed as leaving"
    for topic in leaving:
        if topic not in written:
            yield f"{topic} is listed as leaving, and nothing writes it"


def _read_by(row: AnyStage) -> tuple[Topic, ...]:
    if isinstance(row.reads, Following):
        return row.reads.topics
    return (row.reads,) if isinstance(row.reads, Topic) else ()


def _bad_rows(table: Table) -> Iterator[str]:
    names = [row.name for row in table]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two stages are called {name}"
    for row in table:
        models = [topic.model for topic in row.writes]
        if len(set(models)) != len(models):
            yield f"{row.name} writes two topics of one model: events could not be told apart"


def _bad_chains(table: Table) -> Iterator[str]:
    if table and isinstance(table[0].reads, Chained):
        yield f"{table[0].name} is chained, and nothing stands above it"
    for above, row in pairwise(table):
        if isinstance(row.reads, Chained) and isinstance(above.reads, Every):
            yield f"{row.name} is chained to {above.name}, which works on a timer"
        if isinstance(row.reads, Chained) and isinstance(above.reads, Following):
            yield f"{row.name} is chained to {above.name}, which keeps its places itself"


def to_mermaid(table: Table) -> str:
    """The pipeline as a Mermaid flow chart: stages as boxes, topics as arrows' ends, chains as thick arrows.

    Dotted arrows: the stage keeps its places itself.
    """
    lines = ["flowchart LR"]
    for group in groups(table):
        lines.append(f"  subgraph {group.name}_group[ ]")
        lines.extend(f'    {row.name}["{row.name}"]' for row in group.stages)
        lines.extend(f"    {a.name} ==> {b.name}" for a, b in pairwise(group.stages))
        lines.append("  end")
    seen: set[str] = set()
    for row in resolve(table):
        arrow = "-.->" if isinstance(row.reads, Following) else "-->"
        for topic in _read_by(row):
            lines.extend(_topic_box(topic, seen))
            lines.append(f"  {_box(topic)} {arrow} {row.name}")
        if isinstance(row.reads, Every):
            lines.append(f'  {row.name}_timer(("{row.reads}")) --> {row.name}')
        for topic in row.writes:
            lines.extend(_topic_box(topic, seen))
            lines.append(f"  {row.name} --> {_box(topic)}")
    return "\n".join(lines) + "\n"


def _topic_box(topic: Topic, seen: set[str]) -> Iterator[str]:
    if topic.base not in seen:
        seen.add(topic.base)
        label = str(topic).replace("<", "&lt;").replace(">", "&gt;")
        yield f'  {_box(topic)}[/"{label}"/]'


def _box(topic: Topic) -> str:
    return topic.base.replace(".", "_").replace("-", "_")

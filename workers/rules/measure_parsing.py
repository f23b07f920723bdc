"""Reading conditions on numbers and times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from workers.rules import condition as c
from workers.rules.condition import Condition
from workers.rules.document import Node
from workers.rules.facts import Facts
from workers.rules.known import ConditionReader, Known

MOST: Final = 10**15


def read_bounds(node: Node) -> tuple[int, int] | None:
    """`5`, or `{at_least: 5}`, `{over: 4, at_most: 9}` and so on, as inclusive bounds."""
    if node.keys is None:
        number = node.integer(0, MOST)
        return number, number
    fields = node.mapping(("at_least", "over", "at_most", "under"))
    least, most = 0, MOST
    for name, child in fields.items():
        number = child.integer(0, MOST)
        if name in ("at_least", "over"):
            least = max(least, number + (name == "over"))
        else:
            most = min(most, number - (name == "under"))
    if not node.keys:
        node.problem("needs at_least, over, at_most or under", "需要写 at_least、over、at_most 或 under")
        return None
    if len(fields) < len(node.keys):
        return None
    if least > most:
        node.problem("can never hold: no number fits", "永远不会成立：没有满足条件的数")
        return None
    return least, most


def number_of(measure: Callable[[Facts], int]) -> ConditionReader:
    def read(node: Node, _: Known) -> Condition | None:
        bounds = read_bounds(node)
        return c.between(measure, *bounds) if bounds else None

    return read


def read_window(fields: Mapping[str, Node], node: Node) -> tuple[datetime | None, datetime | None] | None:
    """`from` and `to` of a window; at least one of them, in order."""
    start = fields["from"].moment() if "from" in fields else None
    end = fields["to"].moment() if "to" in fields else None
    if start is None and end is None:
        if node.keys is not None and not node.keys:
            node.problem("needs from, to, or both", "需要写 from、to 或两者")
        return None
    if start is not None and end is not None and end <= start:
        node.problem("ends before it starts", "结束时间早于开始时间")
        return None
    return start, end


def window_of(moment: Callable[[Facts], datetime | None]) -> ConditionReader:
    def read(node: Node, _: Known) -> Condition | None:
        window = read_window(node.mapping(("from", "to")), node)
        return c.in_window(moment, *window) if window else None

    return read


def _minute(node: Node) -> int | None:
    text = node.text()
    hours, _, minutes = text.partition(":")
    if len(text) == 5 and hours.isdecimal() and minutes.isdecimal() and int(hours) <= 24 and int(minutes) < 60:
        minute = int(hours) * 60 + int(minutes)
        if minute <= 1440:
            return minute
    if text:
        node.problem(f"should be a time of day such as 22:00, not {text}", f"应该是时刻，例如 22:00，而不是 {text}")
    return None


def time_of_day_of(moment: Callable[[Facts], datetime | None]) -> ConditionReader:
    def read(node: Node, known: Known) -> Condition | None:
        fields = node.mapping(("from", "to"), required=("from", "to"))
        minutes = [_minute(child) for name, child in sorted(fields.items())]
        if len(minutes) != 2 or minutes[0] is None or minutes[1] is None:
            return None
        if minutes[0] == minutes[1]:
            node.problem("starts and ends at the same time", "开始和结束时刻相同")
            return None
        return c.at_time_of_day(moment, minutes[0], minutes[1], known.utc_offset)

    return read

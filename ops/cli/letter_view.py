"""Dead letters, for people and for machines: without what was in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ops.cli.output import a_table, add_row, console, language, note, print_table, say
from schemas.dead_letter import DeadLetter
from schemas.record import changed
from schemas.text import Text, moment
from workers.admin.dead_letters import channel_of, failures_in_words


def as_json_document(letter: DeadLetter, retried: dict[str, float] | None) -> dict[str, Any]:
    """One letter for machines, without its payload."""
    at = (retried or {}).get(letter.letter_id)
    fields = asdict(changed(letter, failures=failures_in_words(letter)))
    del fields["payload_base64"]
    return {
        **fields,
        "channel": channel_of(letter),
        "retried_at": None if at is None else datetime.fromtimestamp(at, UTC),
    }


def print_letters(letters: Sequence[DeadLetter], retried: dict[str, float] | None) -> None:
    """A table. `retried`: when each was put back; None when that is not known."""
    table = a_table(
        Text("Dead letters", "死信"),
        [
            (Text("letter", "编号"), False),
            (Text("order", "订单"), False),
            (Text("reason", "原因"), False),
            (Text("what is wrong", "问题"), False),
            (Text("attempt", "次数"), True),
            (Text("message of", "消息时间"), False),
            (Text("tried again", "已重试"), False),
        ],
    )
    for each in letters:
        again = "?" if retried is None else say("yes", "是") if each.letter_id in retried else ""
        row = (each.letter_id, each.key, each.reason, problem_of(each), str(each.attempts), moment(each.at), again)
        add_row(table, *row)
    print_table(table)


def problem_of(letter: DeadLetter) -> str:
    """What the main attempt said; the others are in the JSON."""
    if not letter.failures:
        return ""
    first = letter.failures[0]
    return f"{first.where} {first.tell(language())}".strip()


def sum_up(shown: int, total: int) -> None:
    """How many of how many, where not all are shown."""
    if not total:
        console().print(say("no dead letters", "没有死信"))
    elif shown < total:
        note(
            Text(
                f"{shown} of {total} shown; --limit 0 shows all",
                f"共 {total} 条，显示 {shown} 条；--limit 0 显示全部",
            )
        )

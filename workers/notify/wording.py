"""The message that a recipient reads. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from schemas.codes import render
from schemas.codes.notice import runbook_of
from schemas.notice import NoticeSeverity
from schemas.text import Language, Text
from workers.notify.decide import Item, Telling
from workers.notify.recipients import Recipient

MOST_LINES: Final = 30
"""Matters that are told one by one; of more the message says how many."""

_TELLING: Final = {
    Telling.RAISED: Text("new", "新"),
    Telling.REMINDER: Text("still", "仍在"),
    Telling.CLEARED: Text("over", "已恢复"),
    Telling.DIGEST: Text("stands", "未结"),
}
_SEVERITY: Final = {
    NoticeSeverity.INFO: Text("info", "提示"),
    NoticeSeverity.WARNING: Text("warning", "警告"),
    NoticeSeverity.CRITICAL: Text("critical", "严重"),
}
_MOST_TITLE: Final = 120


def message(items: Sequence[Item], recipient: Recipient) -> tuple[str, str]:
    """Title and body, in the recipient's language and time zone. `items`: at least one."""
    language = recipient.language
    lines = [_line(item, recipient) for item in items[:MOST_LINES]]
    more = len(items) - len(lines)
    if more:
        lines.append(
            Text(f"... and {more} more: orderfleet notices list", f"……另有 {more} 项：orderfleet notices list").tell(
                language
            )
        )
    return _title(items, language), "\n\n".join(lines)


def _title(items: Sequence[Item], language: Language) -> str:
    first = items[0]
    if first.telling is Telling.DIGEST:
        return Text(
            f"[orderfleet] daily digest: {len(items)} matters stand", f"[orderfleet] 每日汇总：{len(items)} 项未结"
        ).tell(language)
    head = f"[orderfleet] {_SEVERITY[first.matter.severity].tell(language)} · {_TELLING[first.telling].tell(language)}"
    if len(items) > 1:
        return head + Text(f": {len(items)} matters", f"：{len(items)} 项").tell(language)
    return f"{head}: {render(first.matter.explanation, language)}"[:_MOST_TITLE]


def _line(item: Item, recipient: Recipient) -> str:
    language, matter = recipient.language, item.matter
    times = ""
    if matter.count > 1:
        times = Text(f" ({matter.count} times)", f"（{matter.count} 次）").tell(language)
    since = _moment(matter.since, recipient)
    head = f"[{_SEVERITY[matter.severity].tell(language)} · {_TELLING[item.telling].tell(language)}]"
    sentence = render(matter.explanation, language)
    line = f"{head} {sentence}{times}\n{matter.scope} · " + Text(f"since {since}", f"自 {since}").tell(language)
    if item.taken_by:
        line += Text(f" · looked after by {item.taken_by}", f" · 由 {item.taken_by} 处理中").tell(language)
    page = _page(item, recipient)
    return f"{line}\n" + Text(f"what to do: {page}", f"处理办法：{page}").tell(language) if page else line


def _page(item: Item, recipient: Recipient) -> str:
    """Where it says what to do; "" for what is over, and where there is no page."""
    name = runbook_of(item.matter.explanation)
    if not name or not recipient.runbooks or item.telling is Telling.CLEARED:
        return ""
    folder = recipient.runbooks.rstrip("/") + ("/zh" if recipient.language == "zh" else "")
    return f"{folder}/{name}.md"


def _moment(when: datetime, recipient: Recipient) -> str:
    return when.astimezone(ZoneInfo(recipient.zone)).isoformat(" ", "minutes")

"""Who is to be told of what now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from schemas.notice import NoticeSeverity
from schemas.record import changed, record
from workers.notify.matter import Matter
from workers.notify.recipients import Recipient

SETTLED_MS: Final = 2_000
"""A new matter that was not heard of for so long has stopped growing."""

CALM_MS: Final = 600_000
"""A matter that was over and began again before anybody was told so is told of again no sooner than this."""

_LONGEST: Final = 3  # times gather_seconds: then what goes on growing is told all the same
KEPT_MS: Final = 3_600_000
"""A matter that is over is remembered for so long: the topic may hand its notices out again."""

UNTOLD_MS: Final = 7 * 86_400_000
"""What could be told to nobody for so long is given up."""

_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 5_000, 900_000


class Telling(StrEnum):
    """What a message says of a matter."""

    RAISED = "raised"
    REMINDER = "reminder"
    CLEARED = "cleared"
    DIGEST = "digest"


@record
class Told:
    """What a recipient was told of a matter last."""

    since: datetime
    at_ms: int
    count: int
    severity: NoticeSeverity
    standing: bool  # False: that it is over
    pending: bool = False  # a message was begun, and may have arrived


@record
class Trouble:
    """That a recipient could not be reached. `why`: a word, without the address."""

    tries: int
    next_ms: int
    why: str


@record
class Care:
    """Who looks after a matter, of this time that it stands. `until_ms`: nobody is told of it before, unless it becomes
    worse than `severity`; 0: it is not snoozed. `taken_by` "": nobody looks after it.
    """

    since: datetime
    severity: NoticeSeverity
    taken_by: str = ""
    taken_ms: int = 0
    until_ms: int = 0
    snoozed_by: str = ""

    def holds_for(self, matter: Matter) -> bool:
        """Whether it is about this time, and not about an earlier one."""
        return self.since == matter.since

    def quiets(self, matter: Matter, now_ms: int) -> bool:
        """Whether the matter is not to be told of now."""
        return self.holds_for(matter) and now_ms < self.until_ms and matter.severity.rank <= self.severity.rank


@dataclass(frozen=True, slots=True)
class Item:
    """One matter in a message. `taken_by`: who looks after it, "" when nobody does."""

    telling: Telling
    matter: Matter
    taken_by: str = ""


NO_CARE: Final[Mapping[str, Care]] = MappingProxyType({})


def due(
    matters: Iterable[Matter],
    told: Mapping[str, Told],
    recipient: Recipient,
    gather_seconds: float,
    now_ms: int,
    care: Mapping[str, Care] = NO_CARE,
) -> list[Item]:
    """What this recipient is to be told now, the worst first. `told` and `care`: by the key of the matter."""
    quiet = in_quiet_hours(recipient, now_ms)
    items = []
    for matter in matters:
        if not concerns(recipient, matter) or matter.severity.rank < recipient.minimum.rank:
            continue
        if quiet and matter.severity is not NoticeSeverity.CRITICAL:
            continue
        telling = _telling(matter, told.get(matter.key), recipient, gather_seconds, now_ms)
        if telling is not None and not _is_quieted(telling, matter, care, now_ms):
            items.append(Item(telling, matter, taken_by(matter, care)))
    return sorted(items, key=_worst_first)


def _is_quieted(telling: Telling, matter: Matter, care: Mapping[str, Care], now_ms: int) -> bool:
    """That it is over is told all the same."""
    one = care.get(matter.key)
    return telling is not Telling.CLEARED and one is not None and one.quiets(matter, now_ms)


def taken_by(matter: Matter, care: Mapping[str, Care]) -> str:
    """Who looks after it; "" when nobody does."""
    one = care.get(matter.key)
    return one.taken_by if one is not None and one.holds_for(matter) else ""


def _telling(
    matter: Matter, told: Told | None, recipient: Recipient, gather_seconds: float, now_ms: int
) -> Telling | None:
    if not matter.standing:
        return Telling.CLEARED if told is not None and told.standing else None
    if told is None or told.pending or not told.standing:
        if now_ms - matter.heard_ms >= UNTOLD_MS:
            return None
        return Telling.RAISED if _has_gathered(matter, gather_seconds, now_ms) else None
    if matter.has_lapsed(now_ms):
        return None
    if matter.severity.rank > told.severity.rank:
        return Telling.RAISED
    began_again = matter.since != told.since
    is_news = matter.lapse_seconds == 0 or matter.count != told.count or began_again
    pause_ms = recipient.remind_seconds * 1000
    if began_again:  # an all-clear in between may have been sent by a process that died before it noted that
        pause_ms = min(pause_ms, CALM_MS)
    return Telling.REMINDER if is_news and now_ms - told.at_ms >= pause_ms else None


def _has_gathered(matter: Matter, gather_seconds: float, now_ms: int) -> bool:
    waited, gather = now_ms - matter.noted_ms, gather_seconds * 1000
    has_settled = now_ms - matter.heard_ms >= min(SETTLED_MS, gather)
    return waited >= gather and (has_settled or waited >= _LONGEST * gather)


def concerns(recipient: Recipient, matter: Matter) -> bool:
    """Whether the matter is one of the recipient's scopes."""
    return any(fnmatchcase(matter.scope, scope) for scope in recipient.scopes)


def in_quiet_hours(recipient: Recipient, now_ms: int) -> bool:
    """Whether the recipient is to be left in peace now. The hours may go over midnight."""
    quiet = recipient.quiet
    if quiet is None:
        return False
    clock = _local(recipient, now_ms).time()
    if quiet.start <= quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end


def digest_due(recipient: Recipient, last_day: str, now_ms: int) -> str:
    """The day, as ISO date, whose digest is to be sent now; "" for none. `last_day`: of the last one, "" for none."""
    if recipient.digest is None:
        return ""
    local = _local(recipient, now_ms)
    day = local.date().isoformat()
    return day if local.time() >= recipient.digest and day > last_day else ""


def digest(
    matters: Iterable[Matter], recipient: Recipient, now_ms: int, care: Mapping[str, Care] = NO_CARE
) -> list[Item]:
    """All that stands and concerns the recipient, however small, the worst first."""
    standing = (one for one in matters if one.standing and not one.has_lapsed(now_ms) and concerns(recipient, one))
    return sorted((Item(Telling.DIGEST, one, taken_by(one, care)) for one in standing), key=_worst_first)


def begun(item: Item, now_ms: int) -> Told:
    """What is noted before the message is sent: if the process dies now, an all-clear must follow all the same."""
    return changed(after(item, now_ms), pending=True)


def after(item: Item, now_ms: int) -> Told:
    """What the recipient knows of the matter, once the message is sent."""
    matter = item.matter
    return Told(
        since=matter.since,
        at_ms=now_ms,
        count=matter.count,
        severity=matter.severity,
        standing=item.telling is not Telling.CLEARED,
    )


def troubled(before: Trouble | None, why: str, now_ms: int) -> Trouble:
    """When to try again: twice as long after each failure, a quarter of an hour at the most."""
    tries = 1 if before is None else before.tries + 1
    pause = min(_FIRST_PAUSE_MS * 2 ** min(tries - 1, 20), _LONGEST_PAUSE_MS)
    return Trouble(tries=tries, next_ms=now_ms + pause, why=why)


def is_done_with(matter: Matter, told: Mapping[str, Told], now_ms: int) -> bool:
    """Whether nothing is left to tell and no repeat can come. `told`: by recipient, of those that there are."""
    if now_ms - matter.heard_ms >= UNTOLD_MS and (not matter.standing or matter.has_lapsed(now_ms)):
        return True
    if not matter.standing:
        return now_ms - matter.heard_ms >= KEPT_MS and not any(one.standing for one in told.values())
    return False


def _local(recipient: Recipient, now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(recipient.zone))


def _worst_first(item: Item) -> tuple[int, str]:
    return -item.matter.severity.rank, item.matter.key

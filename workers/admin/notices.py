"""What people are told of: what stands, since when, who was told; and a test message."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from redis.asyncio import Redis

from schemas.codes import Explanation, NoticeCode
from schemas.codes.notice import runbook_of
from schemas.notice import FLEET, NoticeSeverity
from schemas.record import changed, record
from schemas.text import Text
from workers.admin.errors import InvalidRequest, NotFound, Rejected
from workers.notify.decide import Care, Item, Telling
from workers.notify.matter import Matter
from workers.notify.recipients import BrokenRecipients, Recipients, load_recipients
from workers.notify.sending import NotSent, Send, send
from workers.notify.store import NoticeStore, Standing
from workers.notify.wording import message
from workers.runtime.settings import Settings

LONGEST_SNOOZE: Final = 30 * 86_400

NOT_SENT: Final = {
    "address-unusable": Text("its address is none that apprise knows", "其地址不是 apprise 支持的地址"),
    "refused": Text("whoever delivers it did not take it, or is away", "投递方拒收或无法连接"),
    "too-slow": Text("whoever delivers it did not answer in time", "投递方未在时限内应答"),
}


@record
class MatterRow:
    """A matter. `told`: recipient -> when they were told last. `over_at`: None while it stands."""

    key: str
    explanation: Explanation
    severity: NoticeSeverity
    scope: str
    since: datetime
    count: int
    told: dict[str, datetime]
    over_at: datetime | None = None
    taken_by: str = ""
    taken_at: datetime | None = None
    snoozed_until: datetime | None = None
    runbook: str = ""  # the name of a page in ops/monitoring/runbooks/, "" when there is none


@record
class Unreached:
    """A recipient that could not be reached at the last try."""

    recipient: str
    tries: int
    why: str
    again_at: datetime


@record
class MessageRow:
    """A message to a recipient, or a try. `keys`: of the first twenty of its matters; `why` "": it was sent."""

    at: datetime
    recipient: str
    telling: str
    matters: int
    keys: list[str]
    why: str


async def standing_matters(redis: Redis, now_ms: int) -> tuple[list[MatterRow], list[Unreached]]:
    """What stands, the worst and the oldest first; and whom notices do not reach. Raises TransientError."""
    kept = await NoticeStore(redis).standing()
    matters = [_row(one, kept, now_ms) for one in kept.matters.values() if _stands(one, now_ms)]
    unreached = [
        Unreached(recipient=name, tries=one.tries, why=one.why, again_at=_moment(one.next_ms))
        for name, one in sorted(kept.trouble.items())
    ]
    return sorted(matters, key=lambda one: (-one.severity.rank, one.since, one.key)), unreached


async def past_matters(redis: Redis, now_ms: int) -> list[MatterRow]:
    """What is over, the last first: the last thousand. Raises TransientError."""
    store = NoticeStore(redis)
    kept, forgotten = await store.standing(), await store.past()
    over = [_row(one, kept, now_ms) for one in kept.matters.values() if not _stands(one, now_ms)]
    over += [_row(one, None, now_ms) for one in forgotten]
    return sorted(over, key=lambda one: (one.over_at or one.since, one.key), reverse=True)


async def sent_messages(redis: Redis) -> list[MessageRow]:
    """The last messages and tries, the newest first. Raises TransientError."""
    return [
        MessageRow(
            at=_moment(one.at_ms),
            recipient=one.recipient,
            telling=one.telling,
            matters=one.matters,
            keys=list(one.keys),
            why=one.why,
        )
        for one in await NoticeStore(redis).sent()
    ]


async def take_matter(redis: Redis, key: str, who: str, now_ms: int) -> None:
    """Have everybody know that this person looks after it while it stands. Raises NotFound, TransientError."""
    matter, care = await _standing(redis, key, now_ms)
    await NoticeStore(redis).keep_care(key, changed(care, since=matter.since, taken_by=who, taken_ms=now_ms))


async def snooze_matter(redis: Redis, key: str, who: str, seconds: float, now_ms: int) -> datetime:
    """Have nobody told of it for so long, unless it becomes worse. When that ends; 0 seconds: it has ended.

    Raises InvalidRequest, NotFound, TransientError.
    """
    if not 0 <= seconds <= LONGEST_SNOOZE:
        raise InvalidRequest(
            Text(
                f"a matter is snoozed for at most {LONGEST_SNOOZE // 86_400} days",
                f"暂停提醒最长 {LONGEST_SNOOZE // 86_400} 天",
            ),
            "bad-seconds",
        )
    matter, care = await _standing(redis, key, now_ms)
    until = now_ms + int(seconds * 1000)
    snoozed = changed(care, since=matter.since, severity=matter.severity, until_ms=until, snoozed_by=who)
    await NoticeStore(redis).keep_care(key, snoozed)
    return _moment(until)


async def retry_recipient(redis: Redis, recipient: str) -> bool:
    """Have it tried again at once. Whether there was any trouble with it. Raises TransientError."""
    return await NoticeStore(redis).retry_now(recipient)


async def find_matter(redis: Redis, key: str, now_ms: int) -> MatterRow:
    """One that stands. Raises NotFound, TransientError."""
    kept = await NoticeStore(redis).standing()
    matter = kept.matters.get(key)
    if matter is None or not _stands(matter, now_ms):
        raise NotFound(
            Text(f"no matter {key} stands", f"没有未结事项 {key}"),
            "unknown-matter",
            Text("see: orderfleet notices list", "请看：orderfleet notices list"),
        )
    return _row(matter, kept, now_ms)


async def _standing(redis: Redis, key: str, now_ms: int) -> tuple[MatterRow, Care]:
    row = await find_matter(redis, key, now_ms)
    care = (await NoticeStore(redis).standing()).care.get(key)
    if care is None or care.since != row.since:
        care = Care(since=row.since, severity=row.severity)
    return row, care


def _stands(matter: Matter, now_ms: int) -> bool:
    return matter.standing and not matter.has_lapsed(now_ms)


def _row(matter: Matter, kept: Standing | None, now_ms: int) -> MatterRow:
    told = {} if kept is None else kept.told
    care = None if kept is None else kept.care.get(matter.key)
    if care is not None and not care.holds_for(matter):
        care = None
    return MatterRow(
        key=matter.key,
        explanation=matter.explanation,
        severity=matter.severity,
        scope=matter.scope,
        since=matter.since,
        count=matter.count,
        told={name: _moment(of[matter.key].at_ms) for name, of in sorted(told.items()) if matter.key in of},
        over_at=None if _stands(matter, now_ms) else matter.last,
        taken_by=care.taken_by if care is not None else "",
        taken_at=_moment(care.taken_ms) if care is not None and care.taken_by else None,
        snoozed_until=_moment(care.until_ms) if care is not None and care.until_ms > now_ms else None,
        runbook=runbook_of(matter.explanation),
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def recipients(settings: Settings) -> Recipients:
    """Who is told. Raises InvalidRequest when the file cannot be used, or none is set."""
    if settings.notices_file is None:
        raise InvalidRequest(
            Text(
                "nobody is told of anything: set ORDERFLEET_NOTICES_FILE (ops/docs/notices.md)",
                "没有配置收件人：请设置 ORDERFLEET_NOTICES_FILE（见 ops/docs/notices.md）",
            )
        )
    try:
        return load_recipients(settings.notices_file, settings.notices_urls)
    except BrokenRecipients as error:
        raise InvalidRequest(error.text) from None


async def send_test(settings: Settings, name: str, now_ms: int, send: Send = send) -> None:
    """Send one message to this recipient now, whatever the hour. Raises InvalidRequest, Rejected."""
    found = recipients(settings).recipients
    if name not in found:
        known = ", ".join(sorted(found))
        raise InvalidRequest(Text(f"no recipient {name}; there are: {known}", f"没有收件人 {name}，可用：{known}"))
    now = _moment(now_ms)
    matter = Matter(
        key="test",
        explanation=NoticeCode.NOTICE_TEST(),
        severity=NoticeSeverity.INFO,
        scope=FLEET,
        standing=True,
        since=now,
        last=now,
        count=1,
        lapse_seconds=0,
        noted_ms=now_ms,
        heard_ms=now_ms,
        offset=0,
    )
    try:
        await send(found[name].url, *message([Item(Telling.RAISED, matter)], found[name]))
    except NotSent as error:
        why = NOT_SENT.get(str(error), Text(str(error), str(error)))
        raise Rejected(Text(f"{name} was not reached: {why.en}", f"未能送达 {name}：{why.zh}")) from None

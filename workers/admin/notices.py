"""What people are told of: what stands, since when, who was told; and a test message."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from redis.asyncio import Redis

from schemas.codes import Explanation, NoticeCode
from schemas.notice import FLEET, NoticeSeverity
from schemas.record import record
from schemas.text import Text
from workers.admin.errors import InvalidRequest, Rejected
from workers.notify.decide import Item, Telling, Told
from workers.notify.matter import Matter
from workers.notify.recipients import BrokenRecipients, Recipients, load_recipients
from workers.notify.sending import NotSent, Send, send
from workers.notify.store import NoticeStore
from workers.notify.wording import message
from workers.runtime.settings import Settings

NOT_SENT: Final = {
    "address-unusable": Text("its address is none that apprise knows", "其地址不是 apprise 支持的地址"),
    "refused": Text("whoever delivers it did not take it, or is away", "投递方拒收或无法连接"),
    "too-slow": Text("whoever delivers it did not answer in time", "投递方未在时限内应答"),
}


@record
class StandingMatter:
    """A matter that is not over. `told`: recipient -> when they were told last."""

    key: str
    explanation: Explanation
    severity: NoticeSeverity
    scope: str
    since: datetime
    count: int
    told: dict[str, datetime]


@record
class Unreached:
    """A recipient that could not be reached at the last try."""

    recipient: str
    tries: int
    why: str
    again_at: datetime


async def standing_matters(redis: Redis, now_ms: int) -> tuple[list[StandingMatter], list[Unreached]]:
    """What stands, the worst and the oldest first; and whom notices do not reach. Raises TransientError."""
    kept = await NoticeStore(redis).standing()
    matters = [_row(one, kept.told) for one in kept.matters.values() if one.standing and not one.has_lapsed(now_ms)]
    unreached = [
        Unreached(recipient=name, tries=one.tries, why=one.why, again_at=_moment(one.next_ms))
        for name, one in sorted(kept.trouble.items())
    ]
    return sorted(matters, key=lambda one: (-one.severity.rank, one.since)), unreached


def _row(matter: Matter, told: dict[str, dict[str, Told]]) -> StandingMatter:
    return StandingMatter(
        key=matter.key,
        explanation=matter.explanation,
        severity=matter.severity,
        scope=matter.scope,
        since=matter.since,
        count=matter.count,
        told={name: _moment(of[matter.key].at_ms) for name, of in sorted(told.items()) if matter.key in of},
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

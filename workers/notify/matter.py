"""A matter: what the notices of one key come to. Pure."""

from __future__ import annotations

from datetime import datetime

from schemas.codes import Explanation
from schemas.notice import Notice, NoticeSeverity
from schemas.record import changed, record


@record
class Matter:
    """What is known of one matter. Times in ms are this machine's, when its notices were read."""

    key: str
    explanation: Explanation
    severity: NoticeSeverity
    scope: str
    standing: bool  # raised, and not cleared since
    since: datetime  # when it was raised, this time
    last: datetime  # the time of the newest notice
    count: int
    lapse_seconds: int
    noted_ms: int  # when this time's first notice was read
    heard_ms: int  # when the last was
    offset: int  # of the last notice in its partition

    def has_lapsed(self, now_ms: int) -> bool:
        """Whether it has not been heard of for so long that it is over without a word."""
        return self.lapse_seconds > 0 and now_ms >= self.heard_ms + self.lapse_seconds * 1000


def folded(before: Matter | None, notice: Notice, offset: int, now_ms: int) -> Matter | None:
    """The matter with one more notice. The same notice again, or an older one after a newer one, changes nothing.

    None: there is nothing to know. A notice that it is over is none about a matter that nobody knows.
    """
    if before is None:
        return _begun(notice, offset, now_ms) if notice.raised else None
    if offset <= before.offset and notice.at <= before.last:
        return before
    if notice.at < before.last and notice.raised != before.standing:
        return changed(before, offset=max(offset, before.offset))
    if not notice.raised:
        return changed(before, standing=False, last=max(before.last, notice.at), offset=offset, heard_ms=now_ms)
    if not before.standing or before.has_lapsed(now_ms):
        return _begun(notice, offset, now_ms)
    return changed(
        before,
        explanation=notice.explanation,
        severity=notice.severity,
        scope=notice.scope,
        last=max(before.last, notice.at),
        count=before.count + notice.count,
        lapse_seconds=notice.lapse_seconds,
        heard_ms=now_ms,
        offset=offset,
    )


def _begun(notice: Notice, offset: int, now_ms: int) -> Matter:
    return Matter(
        key=notice.key,
        explanation=notice.explanation,
        severity=notice.severity,
        scope=notice.scope,
        standing=True,
        since=notice.at,
        last=notice.at,
        count=max(1, notice.count),
        lapse_seconds=notice.lapse_seconds,
        noted_ms=now_ms,
        heard_ms=now_ms,
        offset=offset,
    )

"""Any order of notices, repeats, failures, crashes, time: everybody knows what is so, and nobody is told too often."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.notice import Notice, NoticeSeverity
from tests.workers.notify.builders import NOON, a_notice, a_recipient
from workers.notify.decide import (
    CALM_MS,
    Care,
    Telling,
    Told,
    after,
    begun,
    digest,
    digest_due,
    due,
    in_quiet_hours,
    is_done_with,
)
from workers.notify.matter import Matter, folded

GATHER = 10.0
REMIND = 3600.0
KEYS = st.sampled_from(["a", "b"])


class Notices(RuleBasedStateMachine):
    """One recipient, two matters. `mailbox`: all that was sent, by key."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0
        self.log: list[Notice] = []
        self.matters: dict[str, Matter] = {}
        self.told: dict[str, Told] = {}
        self.mailbox: dict[str, list[tuple[int, Telling]]] = {"a": [], "b": []}
        self.crashes = 0
        self.recipient = a_recipient(remind_seconds=REMIND)
        self.care: dict[str, Care] = {}

    @property
    def now_ms(self) -> int:
        return int(NOON.timestamp() * 1000) + self.seconds * 1000

    @rule(key=KEYS, raised=st.booleans())
    def hear(self, key: str, raised: bool) -> None:
        self.log.append(a_notice(key, raised=raised, at=NOON + timedelta(seconds=self.seconds)))
        self._take(len(self.log) - 1)

    @rule(back=st.integers(1, 5))
    def hear_again(self, back: int) -> None:
        before = dict(self.matters)
        for offset in range(max(0, len(self.log) - back), len(self.log)):
            self._take(offset)
        kept = {key: one for key, one in self.matters.items() if key in before}
        assert kept == before, "a repeat changes nothing"

    def _take(self, offset: int) -> None:
        notice = self.log[offset]
        matter = folded(self.matters.get(notice.key), notice, offset, self.now_ms)
        if matter is not None:
            self.matters[notice.key] = matter

    @rule(seconds=st.sampled_from([1, 5, 11, 60, 1800, 3601]))
    def wait(self, seconds: int) -> None:
        self.seconds += seconds

    @rule(arrives=st.booleans(), dies=st.booleans())
    def tick(self, arrives: bool, dies: bool) -> None:
        for item in due(self.matters.values(), self.told, self.recipient, GATHER, self.now_ms, self.care):
            if item.telling is Telling.RAISED:
                self.told[item.matter.key] = begun(item, self.now_ms)
            if not arrives:
                continue
            self.mailbox[item.matter.key].append((self.seconds, item.telling))
            if dies:
                self.crashes += 1
            else:
                self.told[item.matter.key] = after(item, self.now_ms)
        for key, matter in list(self.matters.items()):
            mine = {"ops": self.told[key]} if key in self.told else {}
            if is_done_with(matter, mine, self.now_ms):
                del self.matters[key]
                self.told.pop(key, None)

    @invariant()
    def a_mail_too_many_only_after_a_crash(self) -> None:
        for mails in self.mailbox.values():
            pairs = pairwise(mails)
            again = [now for before, now in pairs if now[1] == before[1] and now[1] is not Telling.REMINDER]
            assert len(again) <= self.crashes

    @invariant()
    def reminders_keep_their_distance(self) -> None:
        for mails in self.mailbox.values():
            for before, now in pairwise(mails):
                if now[1] is Telling.REMINDER and self.crashes == 0:
                    assert now[0] - before[0] >= CALM_MS / 1000

    def teardown(self) -> None:
        """In the end the mail server is there: everybody knows what is so."""
        self.seconds += CALM_MS // 1000
        self.tick(True, False)
        for key in ("a", "b"):
            newest = [one for one in self.log if one.key == key][-1:]
            last = self.mailbox[key][-1:]
            if newest and newest[0].raised:
                assert last
                assert last[0][1] in (Telling.RAISED, Telling.REMINDER)
            elif last:
                assert last[0][1] is Telling.CLEARED


TestNotices = Notices.TestCase
TestNotices.settings = settings(max_examples=300, stateful_step_count=25, deadline=None)


class CalmNotices(Notices):
    """The same for somebody with quiet hours and a digest, while people snooze matters and they become worse."""

    def __init__(self) -> None:
        super().__init__()
        self.recipient = a_recipient(remind_seconds=REMIND, quiet={"start": "12:30", "end": "14:00"}, digest="13:00")
        self.last_day = ""
        self.digests: list[tuple[str, list[str]]] = []
        self.snoozed: dict[str, list[tuple[int, int]]] = {"a": [], "b": []}

    @rule(key=KEYS, seconds=st.sampled_from([30, 1800, 7200]))
    def snooze(self, key: str, seconds: int) -> None:
        matter = self.matters.get(key)
        if matter is not None and matter.standing:
            until = self.now_ms + seconds * 1000
            self.care[key] = Care(since=matter.since, severity=matter.severity, until_ms=until)
            self.snoozed[key].append((self.seconds, self.seconds + seconds))

    @rule(key=KEYS)
    def becomes_worse(self, key: str) -> None:
        at = NOON + timedelta(seconds=self.seconds)
        self.log.append(a_notice(key, severity=NoticeSeverity.CRITICAL, at=at))
        self._take(len(self.log) - 1)

    @rule()
    def digests_are_sent(self) -> None:
        day = digest_due(self.recipient, self.last_day, self.now_ms)
        if day:
            self.last_day = day
            items = digest(self.matters.values(), self.recipient, self.now_ms, self.care)
            self.digests.append((day, [item.matter.key for item in items]))
            standing = {key for key, one in self.matters.items() if one.standing}
            assert {item.matter.key for item in items} == standing

    @rule(arrives=st.booleans())
    def tick_and_look(self, arrives: bool) -> None:
        quiet, now_ms = in_quiet_hours(self.recipient, self.now_ms), self.now_ms
        items = due(self.matters.values(), self.told, self.recipient, GATHER, now_ms, self.care)
        for item in items:
            critical = item.matter.severity is NoticeSeverity.CRITICAL
            assert critical or not quiet, "who has quiet hours is left in peace"
            care = self.care.get(item.matter.key)
            if care is not None and care.quiets(item.matter, now_ms):
                assert item.telling is Telling.CLEARED, "who snoozed it hears only that it is over"
        self.tick(arrives, False)

    @invariant()
    def one_digest_a_day(self) -> None:
        days = [day for day, _ in self.digests]
        assert days == sorted(set(days))

    def teardown(self) -> None:
        """The quiet hours are over, and nobody snoozes any more."""
        self.care.clear()
        self.seconds += 24 * 3600
        while in_quiet_hours(self.recipient, self.now_ms):
            self.seconds += 1800
        super().teardown()


TestCalmNotices = CalmNotices.TestCase
TestCalmNotices.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)

"""Any order of notices, repeats, failures, crashes, time: everybody knows what is so, and nobody is told too often."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.notice import Notice
from tests.workers.notify.builders import NOON, a_notice, a_recipient
from workers.notify.decide import CALM_MS, Telling, Told, after, begun, due, is_done_with
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
        for item in due(self.matters.values(), self.told, self.recipient, GATHER, self.now_ms):
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

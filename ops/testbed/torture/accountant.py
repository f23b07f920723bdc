"""Reads all topics while the rounds run: keeps the books, replays the stock events, and times recoveries."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from confluent_kafka import KafkaException, Message

from ops.testbed.oracle.accounts import Account, Books, Expected, Verdict, judge
from ops.testbed.oracle.history import History
from ops.testbed.oracle.parcels import Content
from ops.testbed.oracle.tail import TopicTail, enter
from ops.testbed.torture.odd_records import is_odd
from ops.testbed.torture.replay import Replay
from schemas.inventory import InventoryEvent
from schemas.record import reader
from schemas.topics import INVENTORY_EVENTS, ORDERS_QUARANTINED, ORDERS_ROUTED, WMS_EVENTS
from workers.runtime.wire import DEDUPE_HEADER

_INVENTORY = reader(InventoryEvent)


@dataclass(slots=True)
class Outage:
    """Something the fleet needs was away. Times are unix seconds.

    `returned`: when it, and whatever else was away meanwhile, was back. `recovered`: from
    then to the first order that reached a warehouse's topic; None while none did.
    """

    what: str
    began: float
    returned: float
    recovered: float | None = None


class Accountant:
    """Reads in a thread of its own."""

    def __init__(self, tail: TopicTail, silent: Collection[str] = ()) -> None:
        """`silent`: warehouses of which no answer is to be waited for."""
        self.books = Books()
        self.replay = Replay()
        self.history = History()
        self.odd: set[str] = set()  # letters that are due: places of records that nobody can read
        self.odd_letters: set[str] = set()
        self.outages: list[Outage] = []
        self.touched: set[str] = set()  # orders of which anything was heard since `begin`
        self.torn: Counter[str] = Counter()  # instructions that came again and said something else
        self.read_at = time.monotonic()  # when the last record came
        self._tail = tail
        self._unsettled: set[str] = set()  # orders of which a warehouse may have yet to say what became of them
        self._silent = frozenset(silent)
        self._said: dict[bytes, int] = {}
        self._broken: Exception | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="accountant", daemon=True)

    def _run(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001  # told to whoever waits for the books: see `check`
            self._broken = error

    def check(self) -> None:
        """Raises RuntimeError when the accountant has stopped reading."""
        if self._broken is not None:
            raise RuntimeError("the books could not be kept") from self._broken

    def _read(self) -> None:
        while not self._over.is_set():
            messages = self._tail.read(0.1)
            if messages:
                with self._lock:
                    self._take(messages, time.time())
                self.read_at = time.monotonic()

    def _take(self, messages: Iterable[Message], now: float) -> None:
        for message in messages:
            topic = message.topic() or ""
            if is_odd(message.key()) and topic != INVENTORY_EVENTS.name:
                if topic == ORDERS_QUARANTINED.name:
                    self.odd_letters.add((dict(message.headers() or ()).get(DEDUPE_HEADER) or b"").decode())
                continue
            enter(self.books, message)
            self.history.add(message)
            if topic == INVENTORY_EVENTS.name:
                self.replay.add(_INVENTORY(message.value() or b""))
                continue
            uid = (message.key() or b"").decode()
            self.touched.add(uid)
            if topic == WMS_EVENTS.name:
                self._unsettled.add(uid)
            elif topic.startswith(f"{ORDERS_ROUTED.name}."):
                self._unsettled.add(uid)
                self._compare(message)
                self._recover(message.timestamp()[1] / 1000, now)

    def _compare(self, message: Message) -> None:
        """A repeated instruction must say the same, or a warehouse that drops repeats keeps a wrong one."""
        dedupe = dict(message.headers() or ()).get(DEDUPE_HEADER) or b""
        if self._said.setdefault(dedupe, hash(message.value())) != hash(message.value()):
            self.torn[dedupe.decode()] += 1

    def _recover(self, sent: float, now: float) -> None:
        for outage in self.outages:
            if outage.recovered is None and sent >= outage.began:
                outage.recovered = max(0.0, now - outage.returned)

    def returned(self, what: str, began: float) -> None:
        """Something that was away since `began` is back now. Whoever waits for an order waited for this, too."""
        with self._lock:
            now = time.time()
            self.outages.append(Outage(what, began, now))
            for outage in self.outages:
                if outage.recovered is None:
                    outage.returned = now

    @property
    def positions(self) -> dict[tuple[str, int], int]:
        """The next offset to read in each partition where anything stands."""
        return self._tail.positions

    def unread(self) -> str:
        """What stands in the topics and is not in the books yet, in words; "" when they are complete.

        It may be a while after a broker died until its partitions can be read again.
        """
        try:
            ends = self._tail.ends()
        except (KafkaException, TimeoutError) as error:
            return f"the broker does not say where its topics end: {error}"
        positions = self._tail.positions
        behind = {place: end - positions.get(place, 0) for place, end in ends.items()}
        return ", ".join(f"{count} of {topic}/{number}" for (topic, number), count in behind.items() if count > 0)

    def resting(self, truth: Sequence[Expected]) -> bool:
        """Whether all these orders are where their stories allow them to end."""
        with self._lock:
            return all(self._place(expected.uid) in expected.places for expected in truth)

    def _place(self, uid: str) -> str:
        account: Account | None = self.books.accounts.get(uid)
        return account.place() if account is not None else "unseen"

    def judge(self, truth: list[Expected]) -> Verdict:
        """Every order that was ever fed against where it is."""
        with self._lock:
            return judge(self.books, truth)

    def places(self, truth: Iterable[Expected]) -> dict[str, str]:
        """Where each of these orders is."""
        with self._lock:
            return {expected.uid: self._place(expected.uid) for expected in truth}

    def seen(self, uid: str) -> tuple[str, Content | None]:
        """What somebody sees who looks at this order now: its newest revision, and its lines."""
        with self._lock:
            account = self.books.accounts.get(uid)
            return (account.planned, account.content) if account is not None else ("", None)

    def against_decisions(self) -> list[str]:
        """Orders that are where a person's decision forbids, and decisions that nobody was told of."""
        with self._lock:
            found = {uid: account for uid, account in self.books.accounts.items() if account.decisions.effective}
            illegal = [f"{uid}: {why}" for uid, one in found.items() if (why := one.decisions.illegal(one.place()))]
            return illegal + [f"{uid}: a decision was never told" for uid, one in found.items() if one.decisions.gaps]

    def undecided(self, made: Collection[str]) -> list[str]:
        """Decisions that were answered by nobody, or in two ways."""
        with self._lock:
            return sorted({*made} - self.books.decided.keys()) + sorted(self.books.torn_answers)

    def as_decided(self, truth: Iterable[Expected]) -> list[Expected]:
        """With the units that people made of them, where they corrected orders. Not those that had left by then."""
        with self._lock:
            told = []
            for expected in truth:
                account: Account | None = self.books.accounts.get(expected.uid)
                if account is None or not account.decisions.corrected:
                    told.append(expected)
                elif account.place() != "shipped":
                    told.append(replace(expected, quantities=account.to_ship))
            return told

    def planned(self, uids: Iterable[str]) -> dict[str, str]:
        """The newest revision of each of these orders that was decided."""
        with self._lock:
            return {uid: self.books.accounts[uid].planned for uid in uids}

    def begin(self) -> None:
        """A round begins: what was touched before is of no interest."""
        with self._lock:
            self.touched.clear()
            self.history.clear()

    def unanswered(self) -> list[str]:
        """Instructions of which a warehouse that answers has not said what became of them, as `order at warehouse`."""
        with self._lock:
            waiting = {uid: self._waiting_at(uid) for uid in self._unsettled}
            self._unsettled = {uid for uid, where in waiting.items() if where}
            return [f"{uid} at {warehouse}" for uid, where in sorted(waiting.items()) for warehouse in where]

    def _waiting_at(self, uid: str) -> list[str]:
        told = self.books.accounts[uid].routed
        return [where for where, parcel in told.items() if parcel.waiting and where not in self._silent]

    def write_history(self, file: Path, findings: Iterable[str]) -> None:
        """What the topics said in this round of each order of which a finding speaks."""
        with self._lock:
            if uids := self.history.named_in(findings):
                self.history.write(file, uids)

    def misjudged(self) -> list[str]:
        """Messages of warehouses that cannot be right and were believed, or that were right and were not."""
        with self._lock:
            return sorted(self.books.impossible ^ self.books.set_aside)

    def shipped(self, uids: Iterable[str]) -> dict[str, Counter[str]]:
        """Units that have left for each of these orders, by SKU."""
        with self._lock:
            return {uid: self.books.accounts[uid].shipped for uid in uids if uid in self.books.accounts}

    def told(self, uids: Iterable[str]) -> dict[str, Counter[str]]:
        """Units that warehouses are told to ship for each of these orders, by SKU."""
        with self._lock:
            return {uid: self.books.accounts[uid].told for uid in uids if uid in self.books.accounts}

    def __enter__(self) -> Accountant:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._tail.close()

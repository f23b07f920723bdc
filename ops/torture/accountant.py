"""Reads all topics while the rounds run: keeps the books, replays the stock events, and times recoveries."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from confluent_kafka import KafkaException, Message

from ops.demo.accounts import Account, Books, Expected, Verdict, judge
from ops.demo.parcels import Parcel
from ops.demo.tail import TopicTail, enter
from ops.torture.replay import Replay
from schemas.inventory import InventoryEvent
from schemas.record import reader
from schemas.topics import INVENTORY_EVENTS, ORDERS_ROUTED
from workers.runtime.wire import DEDUPE_HEADER

_INVENTORY = reader(InventoryEvent)
_ROUTED: Final = f"{ORDERS_ROUTED.name}."


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

    def __init__(self, tail: TopicTail) -> None:
        self.books = Books()
        self.replay = Replay()
        self.outages: list[Outage] = []
        self.torn: Counter[str] = Counter()  # instructions that came again and said something else
        self.read_at = time.monotonic()  # when the last record came
        self._tail = tail
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
            enter(self.books, message)
            if topic == INVENTORY_EVENTS.name:
                self.replay.add(_INVENTORY(message.value() or b""))
            elif topic.startswith(_ROUTED):
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
        return dict(self._tail.positions)

    def has_read_all(self) -> bool:
        """Whether nothing stands in the topics that is not in the books. False while a broker does not say.

        It may be a while after a broker died until its partitions can be read again.
        """
        try:
            ends = self._tail.ends()
        except (KafkaException, TimeoutError):
            return False
        return all(self._tail.positions.get(place, 0) >= end for place, end in ends.items())

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

    def unanswered(self, truth: Iterable[Expected], warehouses: Collection[str]) -> list[str]:
        """`order in warehouse`, where one of these warehouses has yet to say what became of it."""
        with self._lock:
            return [
                f"{uid} in {warehouse}"
                for uid, parcels in self._parcels(truth)
                for warehouse, parcel in parcels.items()
                if warehouse in warehouses and parcel.waiting
            ]

    def shipped(self, truth: Iterable[Expected]) -> dict[str, dict[str, int]]:
        """Units of these orders that warehouses said have left, by order and SKU."""
        with self._lock:
            left: dict[str, dict[str, int]] = {}
            for uid, parcels in self._parcels(truth):
                units = left[uid] = Counter()
                for parcel in parcels.values():
                    units.update(parcel.shipped)
            return left

    def _parcels(self, truth: Iterable[Expected]) -> Iterator[tuple[str, dict[str, Parcel]]]:
        for expected in truth:
            account = self.books.accounts.get(expected.uid)
            if account is not None:
                yield expected.uid, account.routed

    def __enter__(self) -> Accountant:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._tail.close()

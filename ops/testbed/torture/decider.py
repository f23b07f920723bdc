"""Somebody who decides about orders while a round runs: what they see is what the topics said up to then."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from confluent_kafka import KafkaError, Message

from ops.testbed.oracle.parcels import Content
from ops.testbed.torture.plan import Choice
from schemas.decision import AddedGift, Correction, Decision, DecisionKind, LineCorrection, ReceiverCorrection
from schemas.topics import ORDERS_DECISIONS
from workers.runtime.kafka.librdkafka import Writer
from workers.runtime.wire import Encoder

_GIVE_UP_SECONDS: Final = 180.0
_MOVED: Final = ReceiverCorrection(
    province="上海", city="上海市", district="示例区", street="示例路 9 号", name="示例", phone="00000000000"
)

Look = Callable[[str], tuple[str, Content | None]]
"""Of an order uid: its newest revision that was planned, "" when none was, and its lines."""


class Decider:
    """One for a whole run. `ends`: offsets past its own records; `made`: ids of all decisions that were written."""

    def __init__(self, address: str, look: Look, warehouses: Sequence[str], skus: Sequence[str]) -> None:
        self.ends: dict[tuple[str, int], int] = {}
        self.failures: list[str] = []
        self.made: set[str] = set()
        self._look, self._warehouses, self._skus = look, warehouses, skus
        self._encode = Encoder([ORDERS_DECISIONS])
        self._writer = Writer(
            {
                "bootstrap.servers": address,
                "linger.ms": 2,
                "socket.timeout.ms": 3000,
                "request.timeout.ms": 3000,
                "reconnect.backoff.ms": 20,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._left = 0
        self._thread: threading.Thread | None = None

    @property
    def done(self) -> bool:
        """Whether everything of the last `decide` is confirmed."""
        return self._left == 0

    def decide(self, choices: Sequence[Choice]) -> None:
        """Begin to decide, without waiting."""
        self._left = sum(1 if choice.again is None else 2 for choice in choices)
        self._thread = threading.Thread(target=self._run, args=(choices,), name="decider", daemon=True)
        self._thread.start()

    def _run(self, choices: Sequence[Choice]) -> None:
        began = time.monotonic()
        todo: list[tuple[float, int, Choice | Decision]] = [
            (choice.at, number, choice) for number, choice in enumerate(choices)
        ]
        heapq.heapify(todo)
        while todo:
            at, number, what = heapq.heappop(todo)
            while (early := at - (time.monotonic() - began)) > 0:
                self._writer.poll(min(early, 0.05))
            decision = what if isinstance(what, Decision) else self._decision(what)
            if isinstance(what, Choice) and what.again is not None:
                heapq.heappush(todo, (what.again, number, decision))
            self._writer.send(*self._encode(decision), self._confirmed)
        if left := self._writer.flush(_GIVE_UP_SECONDS):
            self.failures.append(f"{left} decisions were not confirmed within {_GIVE_UP_SECONDS:g} s")
            self._left = 0

    def _decision(self, choice: Choice) -> Decision:
        """What somebody decides who looks at the order at this moment."""
        seen, content = self._look(choice.uid)
        rng = Random(choice.decision_id)  # noqa: S311  # repeatable on purpose
        given: dict[str, Any] = {}
        if choice.kind is DecisionKind.RELEASE and rng.random() < 0.4:
            given["warehouse_id"] = rng.choice(self._warehouses)
        if choice.kind is DecisionKind.CORRECT:
            given["correction"] = self._correction(rng, content)
        self.made.add(choice.decision_id)
        return Decision(
            decision_id=choice.decision_id,
            order_uid=choice.uid,
            kind=choice.kind,
            who="torture",
            why="drawn",
            at=datetime.now(UTC),
            seen=seen,
            **given,
        )

    def _correction(self, rng: Random, content: Content | None) -> Correction:
        """Another SKU, fewer units or none of a line, one unit too many, another receiver, a gift."""
        lines = sorted(content.lines) if content is not None else []
        line_id, _, units = rng.choice(lines) if lines else ("1", "", 1)
        match rng.randrange(5):
            case 0:
                return Correction(lines=(LineCorrection(line_id=line_id, sku=rng.choice(self._skus)),))
            case 1:
                return Correction(lines=(LineCorrection(line_id=line_id, quantity=max(0, units - 1)),))
            case 2:
                return Correction(lines=(LineCorrection(line_id=line_id, quantity=units + 1),))
            case 3:
                return Correction(receiver=_MOVED)
            case _:
                return Correction(gifts=(AddedGift(sku=rng.choice(self._skus), quantity=1),))

    def _confirmed(self, error: KafkaError | None, message: Message) -> None:
        self._left -= 1
        if error is not None:
            self.failures.append(f"{(message.key() or b'').decode()}: {error.str()}")
            return
        place = message.topic() or "", message.partition() or 0
        self.ends[place] = max(self.ends.get(place, 0), (message.offset() or 0) + 1)

    def close(self) -> None:
        """Wait for the thread, which ends when all is confirmed or given up."""
        if self._thread is not None:
            self._thread.join()

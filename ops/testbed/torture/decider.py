"""Somebody who decides about orders while a round runs: what they see is what the topics said up to then."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any, Final

from ops.testbed.oracle.parcels import Content
from ops.testbed.torture.confirmed_writer import ConfirmedWriter
from ops.testbed.torture.plan import Choice
from schemas.decision import AddedGift, Correction, Decision, DecisionKind, LineCorrection, ReceiverCorrection
from schemas.topics import ORDERS_DECISIONS
from workers.runtime.wire import Encoder

_MOVED: Final = ReceiverCorrection(
    province="上海", city="上海市", district="示例区", street="示例路 9 号", name="示例", phone="00000000000"
)
_REASONS: Final = ("gift-missing", "sku-unknown", "risk-review", "gray-rollout", "refund-requested", "change-too-late")
"""Why an order may wait: settled whether it does or not, as by somebody who looks at what was a moment ago."""

Look = Callable[[str], tuple[str, Content | None]]
"""Of an order uid: its newest revision that was planned, "" when none was, and its lines."""


class Decider(ConfirmedWriter):
    """One for a whole run. `made`: ids of all decisions that were written."""

    called = "decider"
    writes = "decisions"

    def __init__(self, address: str, look: Look, warehouses: Sequence[str], skus: Sequence[str]) -> None:
        super().__init__(address)
        self.made: set[str] = set()
        self._look, self._warehouses, self._skus = look, warehouses, skus
        self._encode = Encoder([ORDERS_DECISIONS])

    def decide(self, choices: Sequence[Choice]) -> None:
        """Begin to decide, without waiting."""
        self._begin(sum(1 if choice.again is None else 2 for choice in choices), partial(self._decide_in_turn, choices))

    def _decide_in_turn(self, choices: Sequence[Choice]) -> None:
        began = time.monotonic()
        todo: list[tuple[float, int, Choice | Decision]] = [
            (choice.at, number, choice) for number, choice in enumerate(choices)
        ]
        heapq.heapify(todo)
        while todo:
            at, number, what = heapq.heappop(todo)
            self._wait_until(began + at)
            decision = what if isinstance(what, Decision) else self._decision(what)
            if isinstance(what, Choice) and what.again is not None:
                heapq.heappush(todo, (what.again, number, decision))
            self._writer.send(*self._encode(decision), self._confirmed)

    def _decision(self, choice: Choice) -> Decision:
        """What somebody decides who looks at the order at this moment."""
        seen, content = self._look(choice.uid)
        rng = Random(choice.decision_id)  # noqa: S311  # repeatable on purpose
        given: dict[str, Any] = {}
        if choice.kind is DecisionKind.RELEASE and rng.random() < 0.4:
            given["warehouse_id"] = rng.choice(self._warehouses)
        if choice.kind is DecisionKind.CORRECT:
            given["correction"] = self._correction(rng, content)
        if choice.kind is DecisionKind.SETTLE_FLAG:
            given["codes"] = (rng.choice(_REASONS),)
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

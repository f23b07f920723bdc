"""What Kafka has of decisions: what stands for each order, and which plans came too late to know of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import ValidationError

from schemas.decision import Decided, Decision, DecisionRefusal, ReceiverCorrection
from schemas.record import decode, encode
from schemas.revision import is_same_state, tries_of
from workers.decisions.standing import NOTHING, Standing, fold


class Answers(NamedTuple):
    """What became of the decisions about one order, by their ids, and when the last was answered, ms since 1970."""

    by_id: dict[str, str]
    at_ms: int


class DecisionTrails:
    """Takes in `orders.decisions` before `orders.decided`."""

    def __init__(self) -> None:
        self.unreadable = 0
        self._receivers: dict[str, ReceiverCorrection] = {}  # by decision id
        self._answers: dict[str, Answers] = {}  # by order uid
        self._effective: dict[str, dict[int, Decided]] = {}  # by order uid and number

    def decision(self, value: bytes) -> None:
        """A record of `orders.decisions`: only a receiver is not in the answer, too."""
        try:
            decision = decode(Decision, value)
        except ValidationError:
            return  # it was set aside, and answered by nobody
        if decision.correction is not None and decision.correction.receiver is not None:
            self._receivers[decision.decision_id] = decision.correction.receiver

    def decided(self, value: bytes, at_ms: int) -> None:
        """A record of `orders.decided`; of a repeat the first."""
        try:
            decided = decode(Decided, value)
        except ValidationError:
            self.unreadable += 1
            return
        if decided.code is DecisionRefusal.TOO_MANY_DECISIONS and not decided.revision:
            return  # nothing was written down of it
        known = self._answers.get(decided.order_uid, Answers({}, 0))
        if decided.decision_id in known.by_id:
            return
        by_id = {**known.by_id, decided.decision_id: value.decode()}
        self._answers[decided.order_uid] = Answers(by_id, max(known.at_ms, at_ms))
        if decided.issued:
            self._effective.setdefault(decided.order_uid, {})[decided.number] = decided

    def answers(self) -> Iterator[tuple[str, Answers]]:
        """By order uid."""
        yield from self._answers.items()

    def is_void(self, order_uid: str, revision: str, decided: int) -> bool:
        """Whether the reserve stage never claimed this plan: it is newer than a decision of which it knows nothing.

        A state that came once more, received later, is no plan that is claimed: it only makes the order be seen.
        """
        for one in self._effective.get(order_uid, {}).values():
            again = is_same_state(revision, one.revision) and not tries_of(revision)
            if one.number > decided and revision > one.revision and not again:
                return True
        return False

    def pointer_fields(self, order_uid: str) -> dict[str, str]:
        """What the order's pointer says of decisions; nothing where nobody decided anything."""
        effective = self._effective.get(order_uid)
        if not effective:
            return {}
        standing: Standing = NOTHING
        for _, one in sorted(effective.items()):
            standing = fold(standing, one, self._receivers.get(one.decision_id))
        return {
            "standing": encode(standing).decode(),
            "decided": str(standing.number),
            "issued": standing.issued,
        }

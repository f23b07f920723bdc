"""The one place where a deed is checked and written down, whoever asks, from wherever. Decision 27."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID, uuid4

from schemas.text import Text
from workers.admin.desk.access import RULES, Actor, Deed, check, check_shop
from workers.admin.desk.audit import MOST_WHY, Audit, Outcome
from workers.admin.errors import InvalidRequest, OperatorError
from workers.runtime import metrics

_FAILURES: Final = (Exception, KeyboardInterrupt)


class Deeds:
    """Lets deeds happen. What it cannot write down does not happen: it raises TransientError then."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    @contextmanager
    def doing(
        self, actor: Actor, deed: Deed, *, subject: str = "", shop: str | None = None, why: str = ""
    ) -> Iterator[UUID]:
        """Around a deed about `subject`. Raises NotAllowed when the actor may not, or may not see this channel:shop.

        Gives the id of the deed. What it raises is written down, too: an OperatorError as refused, with its code; all
        else as failed, after which nobody can say whether it happened.
        """
        told = _Told(self._audit, actor, deed, subject, why)
        try:
            check(actor, deed)
            if shop is not None:
                check_shop(actor, shop)
            if RULES[deed].changes:
                told.add(Outcome.BEGUN)
            yield told.deed_id
        except OperatorError as error:
            told.add(Outcome.REFUSED, error.code)
            raise
        except _FAILURES as error:
            told.add(Outcome.FAILED, type(error).__name__)
            raise
        told.add(Outcome.DONE)


class _Told:
    """What is written down of one deed."""

    def __init__(self, audit: Audit, actor: Actor, deed: Deed, subject: str, why: str) -> None:
        self.deed_id = uuid4()
        self._audit, self._actor, self._deed, self._subject, self._why = audit, actor, deed, subject, why

    def add(self, outcome: Outcome, code: str = "") -> None:
        if outcome is not Outcome.BEGUN:
            metrics.DESK_DEEDS.labels(self._deed, outcome).inc()
        self._audit.add(
            self._actor, self._deed, outcome, deed_id=self.deed_id, subject=self._subject, why=self._why, code=code
        )


def checked_why(why: str) -> str:
    """The reason for what changes something. Raises InvalidRequest when there is none."""
    why = why.strip()
    if not 1 <= len(why) <= MOST_WHY:
        raise InvalidRequest(
            Text(f"say why, in 1 to {MOST_WHY} characters", f"请说明原因（1 到 {MOST_WHY} 个字符）"), "why-missing"
        )
    return why

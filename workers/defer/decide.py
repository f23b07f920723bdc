"""When a deferred order is looked at again, and what is put back then. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from schemas.plan import DeferredOrder, ReturnedOrder, TaggedOrder
from schemas.record import changed
from schemas.revision import MOST_OWN_TRIES, is_same_state, retry_of, tries_of

FIRST_PAUSE_MS: Final = 60_000
LONGEST_PAUSE_MS: Final = 86_400_000


def due_ms(deferred: DeferredOrder, decided_ms: int) -> int | None:
    """When to look at the order again, ms since 1970; None: only the platform can tell.

    An order that was put back and deferred once more waits a minute at least, then twice as long each time, up to a
    day: a rule that defers until a time that is past must not make it run in circles.
    """
    tried = tries_of(deferred.planned.order.revision)
    if deferred.not_before is None or tried >= MOST_OWN_TRIES:
        return None
    asked = int(deferred.not_before.timestamp() * 1000)
    return max(asked, decided_ms + _pause_ms(tried)) if tried else asked


def _pause_ms(tried: int) -> int:
    return min(FIRST_PAUSE_MS << min(tried - 1, 20), LONGEST_PAUSE_MS)


def is_overtaken(revision: str, newest: str) -> bool:
    """Whether the order has moved on since it was deferred: the platform said something newer, or it was put back."""
    tried_again = is_same_state(newest, revision) and tries_of(newest) > tries_of(revision)
    return newest > revision or tried_again


def returned(deferred: DeferredOrder, at_ms: int) -> ReturnedOrder:
    """The order as it is put back, to be decided as of `at_ms`: without the tags that rules had added."""
    planned = deferred.planned
    order = changed(planned.order, revision=retry_of(planned.order.revision))
    tagged = TaggedOrder(order=order, tags=deferred.tags, flags=planned.flags)
    return ReturnedOrder(tagged=tagged, at=datetime.fromtimestamp(at_ms / 1000, UTC))

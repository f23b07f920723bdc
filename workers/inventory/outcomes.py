"""What the scripts of the ledger answer."""

from __future__ import annotations

from enum import StrEnum


class ReserveOutcome(StrEnum):
    """What `reserve.lua` answers."""

    RESERVED = "RESERVED"
    ALREADY = "ALREADY"
    STALE = "STALE"
    INSUFFICIENT = "INSUFFICIENT"
    NOTHING_HELD = "NOTHING_HELD"
    SHIPPED = "SHIPPED"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class ReleaseOutcome(StrEnum):
    """What `release.lua` answers."""

    RELEASED = "RELEASED"
    NOTHING_HELD = "NOTHING_HELD"
    KEPT = "KEPT"
    WAITING = "WAITING"
    STALE = "STALE"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class AllocateOutcome(StrEnum):
    """What `allocate.lua` answers."""

    ALLOCATED = "ALLOCATED"
    ALREADY = "ALREADY"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class ShipOutcome(StrEnum):
    """What `ship.lua` answers."""

    SHIPPED = "SHIPPED"
    PARTLY = "PARTLY"
    REPEAT = "REPEAT"
    AFTER_RELEASE = "AFTER_RELEASE"
    MORE_THAN_TOLD = "MORE_THAN_TOLD"
    NOTHING_KNOWN = "NOTHING_KNOWN"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class ShortOutcome(StrEnum):
    """What `short.lua` answers."""

    NOTED = "NOTED"
    REPEAT = "REPEAT"
    STALE = "STALE"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class WithdrawOutcome(StrEnum):
    """What `withdraw.lua` answers."""

    RELEASED = "RELEASED"
    KEPT = "KEPT"
    GIVEN_UP = "GIVEN_UP"
    STALE = "STALE"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


class TransferOutcome(StrEnum):
    """What `transfer.lua` answers."""

    DONE = "DONE"
    ALREADY = "ALREADY"
    INSUFFICIENT = "INSUFFICIENT"
    REFUSED = "REFUSED"


class FenceOutcome(StrEnum):
    """What `fence.lua` answers."""

    FENCED = "FENCED"
    STALE = "STALE"


class ClaimOutcome(StrEnum):
    """What `claim.lua` answers."""

    CLAIMED = "CLAIMED"
    REPEAT = "REPEAT"
    STALE = "STALE"


class SettleOutcome(StrEnum):
    """What `settle.lua` answers."""

    SETTLED = "SETTLED"
    LOST = "LOST"


class RecordReturnOutcome(StrEnum):
    """What `record_return.lua` answers."""

    HEARD = "HEARD"
    STALE = "STALE"


class StashReturnOutcome(StrEnum):
    """What `stash_return.lua` answers."""

    REMEMBERED = "REMEMBERED"
    REPEAT = "REPEAT"
    FULL = "FULL"
    UNKNOWN = "UNKNOWN"


class DropReturnOutcome(StrEnum):
    """What `drop_return.lua` answers."""

    FORGOTTEN = "FORGOTTEN"
    NOTHING = "NOTHING"


class ExpireOutcome(StrEnum):
    """What `expire.lua` answers."""

    EXPIRED = "EXPIRED"
    CHANGED = "CHANGED"
    GONE = "GONE"
    NOT_DUE = "NOT_DUE"


class MarkExpiredOutcome(StrEnum):
    """What `mark_expired.lua` answers."""

    LAPSED = "LAPSED"
    MOVED_ON = "MOVED_ON"


class CountOutcome(StrEnum):
    """What `count.lua` answers."""

    COUNTED = "COUNTED"
    UNCHANGED = "UNCHANGED"


class LeaseOutcome(StrEnum):
    """What `lease.lua` answers."""

    MINE = "MINE"
    TAKEN = "TAKEN"


class TrimOutcome(StrEnum):
    """What `trim.lua` answers."""

    TRIMMED = "TRIMMED"
    TAKEN = "TAKEN"


StepOutcome = (
    ReserveOutcome | ReleaseOutcome | FenceOutcome | AllocateOutcome | ShipOutcome | ShortOutcome | WithdrawOutcome
)

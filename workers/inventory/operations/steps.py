"""The steps: operations on what one order has in one warehouse, which are all asked and answered alike."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, Protocol

from workers.inventory.operations import allocate, fence, release, reserve, ship, short, withdraw
from workers.inventory.operations.allocate import Allocate
from workers.inventory.operations.fence import Fence
from workers.inventory.operations.release import Release
from workers.inventory.operations.reserve import Reserve
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.parsing import corrupt_ledger
from workers.inventory.operations.ship import Ship
from workers.inventory.operations.short import Short
from workers.inventory.operations.withdraw import Withdraw
from workers.inventory.records import Answer, CorruptLedger
from workers.runtime.redis.scripts import ScriptCall

Step = Reserve | Release | Fence | Allocate | Ship | Short | Withdraw


class _Calling(Protocol):
    def __call__(self, step: Any, context: CallContext, also: Collection[str], /) -> ScriptCall: ...


class _Parsing(Protocol):
    def __call__(self, reply: Any, /) -> Answer: ...


_CALLS: Final[dict[type, _Calling]] = {
    Reserve: reserve.call,
    Release: release.call,
    Fence: fence.call,
    Allocate: allocate.call,
    Ship: ship.call,
    Short: short.call,
    Withdraw: withdraw.call,
}
_PARSERS: Final[dict[type, _Parsing]] = {
    Release: release.parse,
    Fence: fence.parse,
    Allocate: allocate.parse,
    Ship: ship.parse,
    Short: short.parse,
    Withdraw: withdraw.parse,
}


def call(step: Step, context: CallContext, also: Collection[str] = ()) -> ScriptCall:
    """The call of any step. `also`: SKUs the reservation turned out to have."""
    return _CALLS[type(step)](step, context, also)


def parse(step: Step, reply: Any, also: Collection[str] = ()) -> Answer | CorruptLedger:
    """The answer to any step."""
    if isinstance(reply, Exception):
        return corrupt_ledger(reply)
    if type(step) is Reserve:
        return reserve.parse(step, reply, also)
    return _PARSERS[type(step)](reply)

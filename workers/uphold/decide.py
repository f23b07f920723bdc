"""An order as people have corrected it, and what else stands of their decisions. Pure."""

from __future__ import annotations

from typing import Final

from schemas.decision import Upheld
from schemas.order import Order
from schemas.plan import ReturnedOrder, UpheldOrder
from schemas.record import changed
from workers.decisions.standing import NOTHING, corrected, standing_of, upheld_of

_NOBODY_DECIDED: Final = Upheld()


def uphold(order: Order, kept: bytes | None) -> UpheldOrder:
    """The order as its platform describes it, under what people decided."""
    standing = standing_of(kept)
    if standing is None:
        return UpheldOrder(order=order)
    fixed, overtaken = corrected(order, standing)
    return UpheldOrder(order=fixed, upheld=upheld_of(standing, overtaken=overtaken))


def uphold_returned(returned: ReturnedOrder, kept: bytes | None) -> UpheldOrder:
    """An order that comes back to be decided anew: as of its own time, without the warehouses that gave it back."""
    before = returned.tagged.upheld or _NOBODY_DECIDED
    fixed, overtaken = corrected(returned.tagged.order, standing_of(kept) or NOTHING)
    upheld = upheld_of(standing_of(kept) or NOTHING, overtaken=overtaken)
    upheld = changed(upheld, gave_up=before.gave_up, returns=before.returns, at=returned.at)
    return UpheldOrder(order=fixed, upheld=upheld)

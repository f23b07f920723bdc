"""What one warehouse was told of one order, and what it answered: the books' view of `wms.events`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, PickLine, WmsEvent, WmsEventKind
from schemas.order import Line, Order
from schemas.record import encode


class Content(NamedTuple):
    """What to ship: lines as (line id, SKU, units), and a hash of all else that the picker is told."""

    lines: frozenset[tuple[str, str, int]]
    manner: int


class Told(NamedTuple):
    """One instruction."""

    revision: str
    kind: InstructionKind
    content: Content
    parcel: int  # its number among the `parcels` that the order was split into
    parcels: int

    @property
    def units(self) -> int:
        """To pick."""
        return sum(units for _, _, units in self.content.lines)


_NOTHING = Told("", InstructionKind.CANCEL, Content(frozenset(), 0), 0, 0)


def content_of(lines: Iterable[Line | PickLine], said: Order | FulfillmentInstruction) -> Content:
    """Of an order that is planned, or of an instruction: the same when the one says what the other wants."""
    named = frozenset((line.line_id, line.sku, line.quantity) for line in lines)
    return Content(named, hash((encode(said.ship_to), said.buyer_remark, said.seller_memo)))


@dataclass(slots=True)
class Parcel:
    """The newest instruction counts, unless it is a change that was refused. Messages may come in any order."""

    told: tuple[Told, ...] = ()  # ascending
    gave_back: str = ""  # newest revision that the warehouse gave back
    refused: tuple[str, ...] = ()  # changes and cancellations that came too late
    shipped: dict[str, int] = field(default_factory=dict)

    def tell(self, told: FulfillmentInstruction) -> None:
        """The warehouse is told."""
        content = content_of((*told.purchased, *told.gifts), told)
        said = Told(told.revision, told.kind, content, told.parcel, told.parcels)
        self.told = tuple(sorted((*self.told, said), key=lambda each: (each.revision, each.kind)))

    def hear(self, event: WmsEvent) -> None:
        """The warehouse answers."""
        revision, _, kind = event.instruction_id.removeprefix(f"{event.order_uid}@").split("/")
        if event.kind is WmsEventKind.SHIPPED:
            for sku, units in event.quantities.items():
                self.shipped[sku] = self.shipped.get(sku, 0) + units
        elif event.kind is WmsEventKind.REJECTED and kind != InstructionKind.FULFIL:
            self.refused = (*self.refused, revision)
        elif event.kind in (WmsEventKind.SHORT, WmsEventKind.CANCELLED, WmsEventKind.REJECTED):
            self.gave_back = max(self.gave_back, revision)

    @property
    def newest(self) -> Told:
        """The instruction that stands."""
        stands = self._followed
        return stands[-1] if stands else _NOTHING

    @property
    def _followed(self) -> list[Told]:
        """All but the changes that came too late."""
        return [
            each for each in self.told if each.kind is not InstructionKind.CHANGE or each.revision not in self.refused
        ]

    @property
    def live(self) -> bool:
        """Told to ship, not told to stop, and not given back."""
        newest = self.newest
        return newest.kind is not InstructionKind.CANCEL and self.gave_back < newest.revision

    @property
    def left(self) -> bool:
        """All that was to be shipped has left."""
        units = next((each.units for each in reversed(self._followed) if each.kind is not InstructionKind.CANCEL), 0)
        standing = self.newest.units or units
        return bool(standing) and sum(self.shipped.values()) >= standing

    @property
    def waiting(self) -> bool:
        """The warehouse has not yet said what became of it."""
        if self.live:
            return not self.left
        newest = self.newest
        return self.gave_back < newest.revision and not (newest.revision in self.refused and self._is_over)

    @property
    def _is_over(self) -> bool:
        """What was told before a cancellation has left, or was given back, too."""
        told = next((each for each in reversed(self._followed) if each.kind is not InstructionKind.CANCEL), _NOTHING)
        return self.left or self.gave_back >= told.revision

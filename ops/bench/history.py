"""A history for the stock ledger: orders that were planned, told of, and mostly shipped, as the topics keep it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from schemas.fulfillment import InstructionKind
from schemas.inventory import InventoryEvent, InventoryEventKind, StockChange
from schemas.order import Line
from schemas.plan import Candidate, PlannedOrder
from schemas.record import changed, decode
from workers.reserve.result import Instruction, Result, events_of

EXAMPLE: Final = Path(__file__).parents[2] / "schemas" / "examples" / "orders.planned" / "reserve.json"
ON_HAND: Final = 10_000_000
_KINDS: Final = InventoryEventKind
_SHIPPED: Final = 0.9  # of the orders; the others are with the warehouse
_ORDERS_APART: Final = timedelta(milliseconds=20)


class _Step(NamedTuple):
    """What happens to an order's stock: the kind, the state after it, and the counters that move per unit."""

    kind: InventoryEventKind
    state: str
    moves: dict[str, int]


_STEPS: Final = (
    _Step(_KINDS.COMMITTED, "committed", {"committed": 1}),
    _Step(_KINDS.ALLOCATED, "allocated", {"committed": -1, "allocated": 1}),
    _Step(_KINDS.SHIPPED, "shipped", {"allocated": -1, "on_hand": -1}),
)


class History:
    """Makes it piece by piece; always the same for the same seed and beginning."""

    def __init__(self, warehouses: Sequence[str], skus: int, began: datetime, seed: int = 1) -> None:
        self._warehouses = tuple(warehouses)
        self._skus = [f"SKU-{number:05d}" for number in range(skus)]
        self._at = began
        self._random = Random(seed)  # noqa: S311  # repeatable on purpose
        self._sequences = dict.fromkeys(warehouses, 0)
        self._example = decode(PlannedOrder, EXAMPLE.read_bytes())
        self._orders = 0

    def counts(self) -> Iterator[InventoryEvent]:
        """The first count of every warehouse."""
        for warehouse in self._warehouses:
            changes = tuple(StockChange(sku=sku, on_hand=ON_HAND) for sku in self._skus)
            told = {"changes": changes, "counted": tuple(self._skus), "counted_at": self._at}
            yield self._event(warehouse, _KINDS.COUNTED, **told)

    def order(self) -> Iterator[Any]:
        """The next order: its plan, its instruction, and its two or three changes of stock."""
        self._orders += 1
        self._at += _ORDERS_APART
        warehouse = self._random.choice(self._warehouses)
        planned = self._planned(warehouse)
        yield planned
        yield from events_of(planned, Result(told=(Instruction(warehouse_id=warehouse, kind=InstructionKind.FULFIL),)))
        units = {line.sku: line.quantity for line in planned.order.lines}
        for step in _STEPS[: 3 if self._random.random() < _SHIPPED else 2]:
            yield self._change(warehouse, planned, step, units)

    def _planned(self, warehouse: str) -> PlannedOrder:
        number, given = f"{self._orders:019d}", self._example
        skus = self._random.sample(self._skus, self._random.choice((1, 1, 2)))
        lines = tuple(self._line(str(place), sku) for place, sku in enumerate(skus))
        revision = f"{int(self._at.timestamp() * 1000):015d}.3000.{self._orders:012x}"
        uid = f"taobao:bench:{number}"
        order = changed(given.order, uid=uid, platform_order_id=number, revision=revision, lines=lines)
        plan = changed(given.plan, candidates=(Candidate(warehouse_id=warehouse, rule="bench"),))
        return changed(given, order=order, plan=plan)

    def _line(self, line_id: str, sku: str) -> Line:
        example = self._example.order.lines[0]
        return changed(example, line_id=line_id, sku=sku, quantity=self._random.randint(1, 3), bound_to=())

    def _change(self, warehouse: str, planned: PlannedOrder, step: _Step, units: dict[str, int]) -> InventoryEvent:
        uid, left = planned.order.uid, step.kind is _KINDS.SHIPPED
        moves = [{name: sign * count for name, sign in step.moves.items()} for count in units.values()]
        return self._event(
            warehouse,
            step.kind,
            changes=tuple(StockChange(sku=sku, **move) for sku, move in zip(units, moves, strict=True)),
            order_uid=uid,
            revision=planned.order.revision,
            state=step.state,
            lines={} if left else units,
            shipped=units if left else {},
            fence=1001,
            message_id=f"wms-{uid[-19:]}" if left else "",
            moved_at=self._at if left else None,
        )

    def _event(self, warehouse: str, kind: InventoryEventKind, **told: Any) -> InventoryEvent:
        self._sequences[warehouse] = number = self._sequences[warehouse] + 1
        name, at = f"{warehouse}/{number}", self._at.astimezone(UTC)
        return InventoryEvent(event_id=name, sequence=number, warehouse_id=warehouse, kind=kind, at=at, **told)

"""The proof that counters equal the sum of the reservations and transfers. Pure: it is given what was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from workers.inventory import findings
from workers.inventory.records import LIVE, Reservation, ReservationState, StockLevel
from workers.inventory.report import Finding

_STATES = frozenset(ReservationState)


class WarehouseAudit:
    """Sums up one warehouse's reservations as they are read, then compares."""

    def __init__(self, warehouse_id: str) -> None:
        self.reservations = 0
        self.holders: set[str] = set()  # orders that hold units here and were not told to give them up
        self._warehouse_id = warehouse_id
        self._sums: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._holds: dict[str, int] = {}
        self._findings: list[Finding] = []

    def add(self, reservation: Reservation) -> None:
        """Count one reservation. Tombstones hold nothing."""
        self.reservations += 1
        if reservation.state in LIVE:
            self._add_up(reservation.state, reservation.quantities)
            if reservation.stop != "release":
                self.holders.add(reservation.order_uid)
        elif reservation.state and reservation.state not in _STATES:
            self._findings.append(findings.unknown_state(self._warehouse_id, reservation.order_uid))
        if reservation.state == ReservationState.HELD and reservation.deadline_ms:
            self._holds[reservation.order_uid] = reservation.deadline_ms

    def add_transfer(self, quantities: Mapping[str, int]) -> None:
        """Count the units that one transfer has set aside."""
        self._add_up("transfer", quantities)

    def corrupt(self, key: str) -> None:
        """Note a key that could not be read."""
        self._findings.append(findings.corrupt(self._warehouse_id, key))

    def compare(self, levels: Iterable[StockLevel], deadlines: Mapping[str, int]) -> tuple[Finding, ...]:
        """All findings: the counters and the deadline list against what was added."""
        seen = set()
        for level in levels:
            seen.add(level.sku)
            self._compare_sku(level)
        for sku in sorted(self._sums.keys() - seen):
            self._compare_sku(StockLevel(warehouse_id=self._warehouse_id, sku=sku))
        self._compare_deadlines(deadlines)
        return tuple(self._findings)

    def _add_up(self, counter: str, quantities: Mapping[str, int]) -> None:
        for sku, units in quantities.items():
            sums = self._sums[sku]
            sums[counter] = sums.get(counter, 0) + units

    def _compare_sku(self, level: StockLevel) -> None:
        sums = self._sums.get(level.sku, {})
        for counter in ("held", "committed", "allocated", "transfer"):
            counted, summed = getattr(level, counter), sums.get(counter, 0)
            if counted != summed:
                self._findings.append(findings.counter_drift(self._warehouse_id, level.sku, counter, counted, summed))
        if level.oversold:
            self._findings.append(findings.negative_available(self._warehouse_id, level.sku, level.oversold))

    def _compare_deadlines(self, deadlines: Mapping[str, int]) -> None:
        unlisted = sorted(uid for uid, deadline in self._holds.items() if deadlines.get(uid) != deadline)
        self._findings += [findings.hold_without_deadline(self._warehouse_id, uid) for uid in unlisted]
        empty = sorted(deadlines.keys() - self._holds.keys())
        self._findings += [findings.deadline_without_hold(self._warehouse_id, uid) for uid in empty]

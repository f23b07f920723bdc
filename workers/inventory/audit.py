"""The proof that counters equal the sum of the reservations. Pure: it is given what was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from schemas.text import Text
from workers.inventory.records import (
    LIVE,
    Finding,
    FindingKind,
    Reservation,
    ReservationState,
    StockLevel,
)

_STATES = frozenset(ReservationState)


class WarehouseAudit:
    """Sums up one warehouse's reservations as they are read, then compares."""

    def __init__(self, warehouse_id: str) -> None:
        self.reservations = 0
        self._warehouse_id = warehouse_id
        self._sums: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._holds: dict[str, int] = {}
        self._findings: list[Finding] = []

    def add(self, reservation: Reservation) -> None:
        """Count one reservation. Tombstones hold nothing."""
        self.reservations += 1
        if reservation.state in LIVE:
            for sku, units in reservation.quantities.items():
                sums = self._sums[sku]
                sums[reservation.state] = sums.get(reservation.state, 0) + units
        elif reservation.state and reservation.state not in _STATES:
            self._find(
                FindingKind.UNKNOWN_STATE,
                Text(
                    en=f"the reservation of order {reservation.order_uid} in {self._warehouse_id} has an unknown state",
                    zh=f"订单 {reservation.order_uid} 在仓库 {self._warehouse_id} 的占用状态无法识别",
                ),
                order_uid=reservation.order_uid,
            )
        if reservation.state == ReservationState.HELD and reservation.deadline_ms:
            self._holds[reservation.order_uid] = reservation.deadline_ms

    def corrupt(self, key: str) -> None:
        """Note a key that could not be read."""
        self._find(
            FindingKind.CORRUPT,
            Text(en=f"{key} is not what the ledger left there", zh=f"{key} 的内容不是账本写入的"),
        )

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

    def _compare_sku(self, level: StockLevel) -> None:
        sums = self._sums.get(level.sku, {})
        counters = {"held": level.held, "committed": level.committed, "allocated": level.allocated}
        for name, counted in counters.items():
            summed = sums.get(name, 0)
            if counted != summed:
                where = f"{level.sku} in {level.warehouse_id}"
                self._find(
                    FindingKind.COUNTER_DRIFT,
                    Text(
                        en=f"{where}: {name} is {counted}, its reservations add up to {summed}",
                        zh=f"仓库 {level.warehouse_id} 的 {level.sku}：{name} 为 {counted}，占用记录合计 {summed}",
                    ),
                    sku=level.sku,
                )
        if level.available_to_promise < 0:
            missing = -level.available_to_promise
            self._find(
                FindingKind.NEGATIVE_AVAILABLE,
                Text(
                    en=f"{level.sku} in {level.warehouse_id}: {missing} more promised than a count found",
                    zh=f"仓库 {level.warehouse_id} 的 {level.sku}：承诺数量比盘点数量多 {missing}",
                ),
                sku=level.sku,
            )

    def _compare_deadlines(self, deadlines: Mapping[str, int]) -> None:
        for uid in sorted(uid for uid, deadline in self._holds.items() if deadlines.get(uid) != deadline):
            self._find(
                FindingKind.HOLD_WITHOUT_DEADLINE,
                Text(
                    en=f"the hold of order {uid} in {self._warehouse_id} is not on the deadline list",
                    zh=f"订单 {uid} 在仓库 {self._warehouse_id} 的预占不在到期列表中",
                ),
                order_uid=uid,
            )
        for uid in sorted(deadlines.keys() - self._holds.keys()):
            self._find(
                FindingKind.DEADLINE_WITHOUT_HOLD,
                Text(
                    en=f"the deadline list of {self._warehouse_id} names order {uid}, which holds nothing there",
                    zh=f"仓库 {self._warehouse_id} 的到期列表中有订单 {uid}，但它没有预占",
                ),
                order_uid=uid,
            )

    def _find(self, kind: FindingKind, message: Text, *, sku: str = "", order_uid: str = "") -> None:
        self._findings.append(
            Finding(kind=kind, warehouse_id=self._warehouse_id, message=message, sku=sku, order_uid=order_uid)
        )

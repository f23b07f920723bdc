"""The proof that Redis holds what the inventory events say, to the field. Pure: pages and the replay are given to it.

A page and the replay must stand at the same event: then every difference is a real one, however busy the warehouse is.
"""

from __future__ import annotations

from collections.abc import Mapping

from workers.inventory import findings
from workers.inventory.keys import reservation_key, stock_key, transfer_key
from workers.inventory.records import ReservationState, StockLevel
from workers.inventory.report import Finding
from workers.inventory.snapshot import Fields, Page
from workers.rebuild.replay import COUNTERS, Record, TransferRecord, WarehouseReplay

_STATES = frozenset(ReservationState)
_SUMMED = ("held", "committed", "allocated", "transfer")
_CLOCK_MS = 60_000
"""A record that is forgotten about now may be gone in Redis and not yet here, or the other way round."""


class ReplayAudit:
    """Compares the pages of one warehouse with its replay."""

    def __init__(self, replay: WarehouseReplay, now_ms: int) -> None:
        self.findings: list[Finding] = []
        self.skus = 0
        self.reservations = 0
        self._replay = replay
        self._now_ms = now_ms
        self._warehouse_id = replay.warehouse_id

    def stock(self, page: Page) -> None:
        """Counters against the sum of the records, and against the changes that the events told of."""
        for sku, fields in page.fields.items():
            figures = None if fields is None else _figures(fields)
            if figures is None:
                self.findings.append(findings.corrupt(self._warehouse_id, stock_key(self._warehouse_id, sku)))
            elif figures or sku in self._replay.stock:
                self.skus += 1
                self._compare_sku(sku, figures)

    def records(self, page: Page) -> None:
        """Reservations and the deadline list."""
        for order_uid, fields in page.fields.items():
            key = reservation_key(self._warehouse_id, order_uid)
            self.reservations += bool(fields)
            if self._differs(key, fields, self._replay.records.get(order_uid), order_uid):
                continue
            assert fields is not None
            self._compare_deadline(order_uid, fields, page.deadlines.get(order_uid))
            if fields and fields.get("state") not in _STATES and fields.get("state"):
                self.findings.append(findings.unknown_state(self._warehouse_id, order_uid))

    def transfers(self, page: Page) -> None:
        """Transfers in this warehouse."""
        for transfer_id, fields in page.fields.items():
            key = transfer_key(self._warehouse_id, transfer_id)
            self._differs(key, fields, self._replay.transfers.get(transfer_id), "")

    def _compare_sku(self, sku: str, figures: Mapping[str, int]) -> None:
        told, sums = self._replay.stock.get(sku, {}), self._replay.sums.get(sku, {})
        for name in (*COUNTERS, "counted_at"):
            counted, summed = figures.get(name, 0), sums.get(name, 0)
            if name in _SUMMED and counted != summed:
                self.findings.append(findings.counter_drift(self._warehouse_id, sku, name, counted, summed))
            if counted != told.get(name, 0) and (name not in _SUMMED or told.get(name, 0) != summed):
                self.findings.append(findings.replay_drift(self._warehouse_id, sku, name, counted, told.get(name, 0)))
        level = StockLevel(
            warehouse_id=self._warehouse_id, sku=sku, **{name: figures.get(name, 0) for name in COUNTERS}
        )
        if level.oversold:
            self.findings.append(findings.negative_available(self._warehouse_id, sku, level.oversold))

    def _differs(self, key: str, fields: Fields | None, told: Record | TransferRecord | None, order_uid: str) -> bool:
        if fields is None:
            self.findings.append(findings.corrupt(self._warehouse_id, key))
            return True
        expected = told.fields() if told is not None else {}
        if fields == expected or (not fields and told is not None and self._may_be_forgotten(told)):
            return False
        self.findings.append(findings.record_drift(key, self._warehouse_id, order_uid, fields, expected))
        return bool(fields) != bool(expected)

    def _may_be_forgotten(self, told: Record | TransferRecord) -> bool:
        return self._replay.is_forgotten(told, self._now_ms + _CLOCK_MS)

    def _compare_deadline(self, order_uid: str, fields: Fields, listed: int | None) -> None:
        deadline = fields.get("deadline", "0")
        is_hold = fields.get("state") == "held" and deadline != "0"
        if is_hold and str(listed) != deadline:
            self.findings.append(findings.hold_without_deadline(self._warehouse_id, order_uid))
        elif not is_hold and listed is not None:
            self.findings.append(findings.deadline_without_hold(self._warehouse_id, order_uid))


def event_findings(replay: WarehouseReplay) -> list[Finding]:
    """What is wrong with the events themselves."""
    lost = [findings.lost_event(replay.warehouse_id, *gap) for gap in replay.lost]
    return lost + [findings.event_conflict(replay.warehouse_id, number) for number in replay.conflicts]


def _figures(fields: Fields) -> dict[str, int] | None:
    """The hash of a SKU in numbers; None when it holds something else."""
    try:
        return {name: int(fields[name]) for name in (*COUNTERS, "counted_at") if name in fields}
    except ValueError:
        return None

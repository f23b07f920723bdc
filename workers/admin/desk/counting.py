"""Counting stock at the desk: a file is compared, and written after a look at that; safety stock; transfers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from schemas.ids import SLUG
from schemas.record import record
from schemas.text import Text
from workers.admin.desk.access import Actor, Deed
from workers.admin.desk.asking import ask_ledger
from workers.admin.desk.deeds import Deeds, checked_why
from workers.admin.desk.foresight import ActiveRules
from workers.admin.errors import InvalidRequest, Rejected
from workers.admin.stock import compare, set_counts, write_snapshot
from workers.admin.transfers import MOST_UNITS, checked_transfer_id
from workers.inventory.operations.transfer import Transfer, TransferAction, TransferOutcome
from workers.inventory.records import Count
from workers.inventory.stocktake.counts import CountFile, Known, RowProblem, read_count_file
from workers.inventory.stocktake.differences import Change, as_it_came
from workers.runtime.settings import Settings

MOST_BYTES: Final = 8 << 20
"""Of one file."""


@record
class Counts:
    """What a file of counts says: what it changes, or all that is wrong with it."""

    changes: list[Change]  # each row, also those that change nothing
    problems: list[RowProblem]
    untouched: dict[str, int]  # warehouse -> SKUs that the file does not speak of: they stay
    ignored: list[str]  # columns that were not read
    examples: int  # rows of the template that were left out


class CountingDesk:
    """Reads files of counts and writes the ledger. Raises NotAllowed, ServerAway, TransientError."""

    def __init__(self, settings: Settings, deeds: Deeds, rules: ActiveRules) -> None:
        self._settings, self._deeds, self._rules = settings, deeds, rules

    def preview(self, actor: Actor, body: bytes, name: str) -> Counts:
        """What the file would change. Nothing is written. Raises InvalidRequest, Rejected without rules."""
        with self._deeds.doing(actor, Deed.STOCK_SHOW, subject=f"file {name}"):
            file = self._read(body, name)
            if file.problems:
                return _counts(file, [], {})
            changes, untouched = ask_ledger(self._settings, lambda ledger: compare(ledger, file.rows))
            return _counts(file, changes, untouched)

    def write(self, actor: Actor, body: bytes, name: str, why: str) -> Counts:
        """Write the counts, all or none, and tell how each SKU stands then. Written again, they are the same.

        Raises InvalidRequest, Rejected.
        """
        with self._deeds.doing(actor, Deed.STOCK_COUNT, subject=f"file {name}", why=why):
            checked_why(why)
            file = self._read(body, name)
            if file.problems:
                raise Rejected(
                    Text(
                        f"{len(file.problems)} rows of the file are wrong: nothing was written",
                        f"文件中有 {len(file.problems)} 处错误：没有写入任何数据",
                    ),
                    "rows-wrong",
                )
            changes, untouched = ask_ledger(self._settings, lambda ledger: compare(ledger, file.rows))
            after = ask_ledger(self._settings, lambda ledger: write_snapshot(ledger, file.rows))
            return _counts(file, [as_it_came(change, after) for change in changes], untouched)

    def set_safety(self, actor: Actor, warehouse_id: str, sku: str, units: int, why: str) -> int:
        """Keep so many units back. What may be sold then; below zero, more is promised. Raises InvalidRequest."""
        subject = f"{warehouse_id}/{sku}"
        with self._deeds.doing(actor, Deed.STOCK_COUNT, subject=subject, why=f"safety {units}: {why}"):
            checked_why(why)
            if not SLUG.fullmatch(warehouse_id) or not 0 <= units <= MOST_UNITS:
                raise InvalidRequest(Text(f"units are 0 to {MOST_UNITS}", f"件数为 0 到 {MOST_UNITS}"), "bad-units")
            counts = {warehouse_id: {sku: Count(safety=units)}}
            [(_, _, available)] = ask_ledger(self._settings, lambda ledger: set_counts(ledger, counts))
            return available

    def step(
        self,
        actor: Actor,
        action: TransferAction,
        warehouse_id: str,
        transfer_id: str,
        quantities: Mapping[str, int],
        why: str,
    ) -> None:
        """One step of a transfer, where it happens; each happens once. Raises InvalidRequest, Rejected."""
        subject = f"{transfer_id} {warehouse_id}"
        with self._deeds.doing(actor, Deed.TRANSFERS_STEP, subject=subject, why=f"{action}: {why}"):
            checked_why(why)
            checked_transfer_id(transfer_id)
            if not SLUG.fullmatch(warehouse_id):
                raise InvalidRequest(Text("name a warehouse", "请填写仓库"), "bad-warehouse")
            if not quantities or not all(sku and 0 < units <= MOST_UNITS for sku, units in quantities.items()):
                raise InvalidRequest(Text(f"units are 1 to {MOST_UNITS}", f"件数为 1 到 {MOST_UNITS}"), "bad-units")
            step = Transfer(warehouse_id, transfer_id, action, int(time.time() * 1000), dict(quantities))
            [(outcome, available)] = ask_ledger(self._settings, lambda ledger: ledger.stock.transfer([step]))
            if outcome is TransferOutcome.INSUFFICIENT:
                raise Rejected(_too_few(warehouse_id, available), "insufficient")
            if outcome is TransferOutcome.REFUSED:
                raise Rejected(_OUT_OF_TURN[action], "out-of-turn")

    def _read(self, body: bytes, name: str) -> CountFile:
        if len(body) > MOST_BYTES:
            raise InvalidRequest(
                Text(f"a file has at most {MOST_BYTES >> 20} MiB", f"文件最大 {MOST_BYTES >> 20} MiB"), "too-large"
            )
        book = self._rules.current()
        titles = {one.warehouse_id: one.title for one in book.ruleset.warehouses.values()}
        return read_count_file(body, name, datetime.now(UTC), known=Known(titles, book.catalogue.skus))


_OUT_OF_TURN: Final = {
    TransferAction.RESERVE: Text("this transfer was sent or cancelled already", "该调拨已发出或已取消"),
    TransferAction.SEND: Text("reserve exactly these units first", "请先按相同数量预留"),
    TransferAction.CANCEL: Text("it was sent already: receive it where it went", "已发出：请在调入仓收货"),
    TransferAction.RECEIVE: Text(
        "it was received already, with other units, or this warehouse gave it", "该调拨已按其他数量收货，或本仓为调出仓"
    ),
}


def _too_few(warehouse_id: str, available: Mapping[str, int]) -> Text:
    there = "、".join(f"{sku}: {units}" for sku, units in sorted(available.items()))
    return Text(
        f"{warehouse_id} has too few that may be moved: {there.replace('、', ', ')}",
        f"{warehouse_id} 可调拨不足：{there}",
    )


def _counts(file: CountFile, changes: list[Change], untouched: Mapping[str, int]) -> Counts:
    return Counts(
        changes=changes,
        problems=list(file.problems),
        untouched=dict(untouched),
        ignored=list(file.ignored),
        examples=file.examples,
    )

"""Moving units between warehouses: what orders asked for, and what a step of it may name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import ValidationError

from schemas.plan import TransferRequest
from schemas.record import decode, record
from schemas.text import Text
from schemas.topics import TRANSFERS_REQUESTED
from workers.admin.errors import InvalidRequest
from workers.admin.scan import Found, Topics

MOST_UNITS: Final = 10_000_000
"""Of one SKU, in one step."""

_LONGEST_ID: Final = 300


class Requested(NamedTuple):
    """A transfer that an order asked for, and the record in which it did first."""

    found: Found
    request: TransferRequest


def requested_transfers(topics: Topics, since: datetime | None = None) -> list[Requested]:
    """Those asked for, oldest first; a repeat is left out. Raises TransientError."""
    requests: dict[str, Requested] = {}
    for found in topics.matching(lambda _key: True, TRANSFERS_REQUESTED.name, since):
        try:
            request = decode(TransferRequest, found.value)
        except ValidationError:
            continue
        requests.setdefault(request.transfer_id, Requested(found, request))
    return sorted(requests.values(), key=lambda each: each.found.at)


def checked_transfer_id(value: str) -> str:
    """The id of a transfer as the ledger takes it. Raises InvalidRequest."""
    if not value.strip() or len(value) > _LONGEST_ID or not value.isprintable():
        raise InvalidRequest(Text("a transfer id is 1 to 300 printable characters", "调拨编号为 1 到 300 个可打印字符"))
    return value


@record
class TransferSum:
    """What orders asked to be moved on one route, of one SKU."""

    from_warehouse: str | None  # None: no warehouse had them all
    to_warehouse: str
    sku: str
    units: int
    transfers: int  # how many orders asked
    first_at: datetime


def summed(requests: Sequence[Requested]) -> list[TransferSum]:
    """For each SKU and route, most units first."""
    rows: dict[tuple[str, str, str], TransferSum] = {}
    for found, request in requests:
        for sku, units in request.quantities.items():
            route = (request.from_warehouse or "", request.to_warehouse, sku)
            before = rows.get(route)
            rows[route] = TransferSum(
                from_warehouse=request.from_warehouse,
                to_warehouse=request.to_warehouse,
                sku=sku,
                units=units + (before.units if before else 0),
                transfers=1 + (before.transfers if before else 0),
                first_at=min(found.at, before.first_at) if before else found.at,
            )
    return sorted(rows.values(), key=lambda row: (-row.units, row.sku, row.to_warehouse, row.from_warehouse or ""))

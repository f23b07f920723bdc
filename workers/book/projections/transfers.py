"""What is asked to be moved between warehouses: transfers.requested. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.plan import TransferRequest
from workers.book.aspects import TRANSFER
from workers.book.facts import Fact, Place, happened, identity, json
from workers.book.order_aspects import TRANSFER_WANTED


def requested(said: TransferRequest, place: Place) -> Sequence[Fact]:
    """Of transfers.requested."""
    row = (
        said.transfer_id,
        said.order_uid,
        said.revision,
        said.to_warehouse,
        said.from_warehouse,
        json(said.quantities),
        place.at,
    )
    return [
        (TRANSFER, row),
        (TRANSFER_WANTED, (*identity(said.order_uid), said.revision, place.offset, place.at)),
        happened(said.order_uid, "transfer", said.revision, place.at, sorted(said.quantities), said.to_warehouse),
    ]

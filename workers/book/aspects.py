"""All that the book writes: the sheets, and the aspects of those that are not of an order as a whole. Pure.

To add a topic: an aspect whose columns nobody else writes, in a sheet of `SHEETS`.
"""

from __future__ import annotations

from typing import Final

from workers.book.aspect import JSONB, Aspect, Sheet, extreme
from workers.book.order_aspects import ORDERS

# -- an order in a warehouse ---------------------------------------------------------------------------------------

INSTRUCTION: Final = extreme(
    "instruction",
    {
        "revision": "text",
        "instruction_offset": "int8",
        "instruction_id": "text",
        "kind": "text",
        "parcel": "int4",
        "parcels": "int4",
        "units": "int8",
        "ship_by": "timestamptz",
        "routed_at": "timestamptz",
    },
    ("instruction_offset",),
    ">",
)
WMS: Final = extreme(
    "wms",
    {
        "wms_at": "timestamptz",
        "wms_message": "text",
        "wms_kind": "text",
        "wms_instruction": "text",
        "wms_reason": "text",
    },
    ("wms_at", "wms_message", "wms_kind", "wms_instruction", "wms_reason"),
    ">",
)
"""What the warehouse did last, by its own clock."""

LEFT: Final = extreme("left", {"shipped_at": "timestamptz"}, ("shipped_at",), ">")
STOCK: Final = extreme(
    "stock",
    {"stock_sequence": "int8", "stock_state": "text", "hold_until": "timestamptz"},
    ("stock_sequence",),
    ">",
)
WAREHOUSE: Final = extreme("warehouse", {"began_sequence": "int8", "began_at": "timestamptz"}, ("began_sequence",), ">")

# -- decisions -----------------------------------------------------------------------------------------------------

_DECISION: Final = {"order_uid": "text", "kind": "text", "who": "text", "at": "timestamptz"}

ASKED: Final = extreme(
    "asked",
    {**_DECISION, "asked_offset": "int8", "seen": "text", "warehouse_id": "text", "codes": "text[]"},
    ("asked_offset",),
    "<",
    filled=tuple(_DECISION),
)
"""The same id is the same decision: the first counts."""

DECIDED: Final = extreme(
    "decided",
    {
        **_DECISION,
        "decided_offset": "int8",
        "decided_at": "timestamptz",
        "refusal": "text",
        "refused_where": "text",
        "revision": "text",
        "issued": "text",
        "number": "int4",
    },
    ("decided_offset",),
    "<",
)

# -- what is told once ---------------------------------------------------------------------------------------------

TRANSFER: Final = extreme(
    "transfer",
    {
        "order_uid": "text",
        "revision": "text",
        "to_warehouse": "text",
        "from_warehouse": "text",
        "quantities": JSONB,
        "requested_at": "timestamptz",
    },
    ("requested_at",),
    "<",
)
TIMELINE: Final = extreme("timeline", {"at": "timestamptz", "codes": "text[]"}, ("at", "codes"), "<")
LETTER: Final = extreme(
    "letter",
    {
        "letter_offset": "int8",
        "quarantined_at": "timestamptz",
        "stage": "text",
        "reason": "text",
        "order_uid": "text",
        "topic": "text",
        "partition": "int4",
        "record_offset": "int8",
        "at": "timestamptz",
        "attempts": "int4",
        "failures": JSONB,
    },
    ("letter_offset",),
    ">",
)


def _sheet(table: str, key: tuple[str, ...], *aspects: Aspect) -> Sheet:
    return Sheet(table, key, dict.fromkeys(key, "text"), aspects)


SHEETS: Final[tuple[Sheet, ...]] = (
    ORDERS,
    _sheet("shipments", ("order_uid", "warehouse_id"), INSTRUCTION, WMS, LEFT, STOCK),
    _sheet("warehouses", ("warehouse_id",), WAREHOUSE),
    _sheet("decisions", ("decision_id",), ASKED),
    _sheet("decisions", ("decision_id",), DECIDED),
    _sheet("transfers", ("transfer_id",), TRANSFER),
    _sheet("timeline", ("order_uid", "kind", "ref", "warehouse_id"), TIMELINE),
    _sheet("dead_letters", ("letter_id",), LETTER),
)
"""In the order in which they are written: a table's rows are always locked in the same one."""

"""Read one answer of a WMS with suspicion: it comes from another company's system. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, NoReturn

from schemas.codes import Explanation, LetterProblem
from schemas.dead_letter import Failure
from schemas.fulfillment import InstructionKind, WmsEvent
from schemas.plan import PlannedOrder
from schemas.record import decode
from workers.inventory.records import InstructionStatus, SupersededReturn
from workers.runtime.errors import PermanentError

MAX_MESSAGE_ID: Final = 128
MAX_SKUS: Final = 500
MAX_SKU_LENGTH: Final = 128
MAX_UNITS: Final = 1_000_000
MAX_CLOCK_LEAD: Final = timedelta(hours=24)
"""How far a WMS's clock may be ahead of Kafka's. Further, and every later count of its stock would look old."""

_REVISION = re.compile(r"[0-9A-Za-z.+-]{1,64}")
_KINDS = frozenset(kind.value for kind in InstructionKind)
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)


class Answered(NamedTuple):
    """An answer, and the instruction that it answers."""

    event: WmsEvent
    revision: str
    instruction: InstructionKind

    @property
    def at_ms(self) -> int:
        """When it happened, ms since 1970."""
        return int(self.event.at.timestamp() * 1000)


def read(event: WmsEvent, timestamp_ms: int = 0) -> Answered:
    """The answer, checked. `timestamp_ms`: the record's own time, 0 = not known.

    Raises PermanentError: bad-message-id, bad-instruction-id, bad-quantities, bad-time.
    """
    _check_message_id(event)
    _check_quantities(event.quantities)
    _check_time(event.at, timestamp_ms)
    revision, kind = _instruction(event)
    return Answered(event, revision, kind)


def read_again(overtaken: SupersededReturn) -> Answered:
    """What was remembered of a warehouse; it was checked when it came."""
    event = decode(WmsEvent, overtaken.event)
    return Answered(event, *_instruction(event))


def _check_message_id(event: WmsEvent) -> None:
    if not 1 <= len(event.message_id) <= MAX_MESSAGE_ID:
        refuse(
            "bad-message-id",
            "message_id",
            LetterProblem.MESSAGE_ID_LENGTH(most=MAX_MESSAGE_ID),
        )


def _check_quantities(quantities: dict[str, int]) -> None:
    if len(quantities) > MAX_SKUS:
        refuse("bad-quantities", "quantities", LetterProblem.SKUS_OVER(most=MAX_SKUS))
    for number, (sku, units) in enumerate(quantities.items(), start=1):
        where = f"quantities, entry {number}"
        if not 1 <= len(sku) <= MAX_SKU_LENGTH or not sku.isprintable():
            refuse("bad-quantities", where, LetterProblem.SKU_UNUSABLE())
        if not 0 <= units <= MAX_UNITS:
            refuse("bad-quantities", where, LetterProblem.UNITS_UNUSABLE(most=MAX_UNITS))
    if quantities and not any(quantities.values()):
        refuse("bad-quantities", "quantities", LetterProblem.ALL_UNITS_ZERO())


def _check_time(at: datetime, timestamp_ms: int) -> None:
    if at.tzinfo is None:
        refuse("bad-time", "at", LetterProblem.WITHOUT_TIME_ZONE())
    if at < _OLDEST:
        refuse("bad-time", "at", LetterProblem.BEFORE_2000())
    if timestamp_ms and at > datetime.fromtimestamp(timestamp_ms / 1000, UTC) + MAX_CLOCK_LEAD:
        refuse("bad-time", "at", LetterProblem.A_DAY_AHEAD())


def _instruction(event: WmsEvent) -> tuple[str, InstructionKind]:
    """`<order uid>@<revision>/<warehouse>/<kind>`; a uid may hold any of these signs itself."""
    start, end = f"{event.order_uid}@", f"/{event.warehouse_id}/"
    named = event.instruction_id
    revision, found, kind = named[len(start) :].rpartition(end)
    if not named.startswith(start) or not found or kind not in _KINDS or not _REVISION.fullmatch(revision):
        refuse(
            "bad-instruction-id",
            "instruction_id",
            LetterProblem.NOT_OUR_INSTRUCTION(),
        )
    return revision, InstructionKind(kind)


def check_known(event: WmsEvent, warehouses: Collection[str], unknown: Collection[tuple[str, str]]) -> None:
    """`unknown`: pairs of warehouse and SKU never counted. Raises PermanentError: unknown-warehouse, unknown-sku."""
    if event.warehouse_id not in warehouses:
        refuse(
            "unknown-warehouse",
            "warehouse_id",
            LetterProblem.WAREHOUSE_NEVER_COUNTED(),
        )
    for number, sku in enumerate(event.quantities, start=1):
        if (event.warehouse_id, sku) in unknown:
            refuse(
                "unknown-sku",
                f"quantities, entry {number}",
                LetterProblem.SKU_NEVER_COUNTED(),
            )


def known_order(standing: InstructionStatus | None) -> InstructionStatus:
    """Raises PermanentError unknown-order."""
    if standing is None:
        refuse(
            "unknown-order",
            "order_uid",
            LetterProblem.ORDER_NEVER_GIVEN(),
        )
    return standing


def check_told(answered: Answered, standing: InstructionStatus) -> None:
    """Raises PermanentError: never-told, for an instruction that was never sent; more-than-told, for goods or a
    shortage beyond what any instruction asked for.
    """
    event = answered.event
    instruction = answered.revision, answered.instruction.value
    may_be_said = standing.at_work and answered.revision == standing.revision  # by a pointer made again from Kafka
    if standing.sent is not None and instruction not in standing.sent and not may_be_said:
        refuse(
            "never-told",
            "instruction_id",
            LetterProblem.INSTRUCTION_NEVER_SENT(),
        )
    most = standing.most
    if most is not None and any(units > most.get(sku, 0) for sku, units in event.quantities.items()):
        refuse_more_than_told()


def refuse_more_than_told() -> NoReturn:
    """Raises PermanentError more-than-told."""
    refuse(
        "more-than-told",
        "quantities",
        LetterProblem.UNITS_BEYOND_INSTRUCTION(),
    )


def still_there(planned: PlannedOrder | None) -> PlannedOrder:
    """Raises PermanentError planned-order-gone."""
    if planned is None:
        refuse(
            "planned-order-gone",
            "order_uid",
            LetterProblem.PLAN_GONE(),
        )
    return planned


def refuse(reason: str, where: str, explanation: Explanation) -> NoReturn:
    """Raise a PermanentError about one field of the answer."""
    raise PermanentError(reason, [Failure(attempt="wms event", where=where, explanation=explanation)])

"""Read one answer of a WMS with suspicion: it comes from another company's system. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, NoReturn

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
            f"must have 1 to {MAX_MESSAGE_ID} characters; give every message an id of its own, and repeats the same",
            f"必须为 1 到 {MAX_MESSAGE_ID} 个字符；每条消息用各自的编号，重发时编号不变",
        )


def _check_quantities(quantities: dict[str, int]) -> None:
    if len(quantities) > MAX_SKUS:
        refuse("bad-quantities", "quantities", f"names more than {MAX_SKUS} SKUs", f"SKU 数超过 {MAX_SKUS}")
    for number, (sku, units) in enumerate(quantities.items(), start=1):
        where = f"quantities, entry {number}"
        if not 1 <= len(sku) <= MAX_SKU_LENGTH or not sku.isprintable():
            refuse("bad-quantities", where, "the SKU is empty, too long or not printable", "SKU 为空、过长或不可打印")
        if not 0 <= units <= MAX_UNITS:
            refuse("bad-quantities", where, f"units must be 0 to {MAX_UNITS}", f"数量必须在 0 到 {MAX_UNITS} 之间")
    if quantities and not any(quantities.values()):
        refuse("bad-quantities", "quantities", "all are 0; leave the field empty to mean all", "全部为 0；留空表示全部")


def _check_time(at: datetime, timestamp_ms: int) -> None:
    if at.tzinfo is None:
        refuse("bad-time", "at", "has no time zone; write 2026-11-11T12:00:00+08:00", "缺少时区；请写 +08:00 或 Z")
    if at < _OLDEST:
        refuse("bad-time", "at", "lies before the year 2000", "早于 2000 年")
    if timestamp_ms and at > datetime.fromtimestamp(timestamp_ms / 1000, UTC) + MAX_CLOCK_LEAD:
        refuse("bad-time", "at", "lies more than a day ahead; set the clock of the WMS", "超前一天以上；请校准时钟")


def _instruction(event: WmsEvent) -> tuple[str, InstructionKind]:
    """`<order uid>@<revision>/<warehouse>/<kind>`; a uid may hold any of these signs itself."""
    start, end = f"{event.order_uid}@", f"/{event.warehouse_id}/"
    named = event.instruction_id
    revision, found, kind = named[len(start) :].rpartition(end)
    if not named.startswith(start) or not found or kind not in _KINDS or not _REVISION.fullmatch(revision):
        refuse(
            "bad-instruction-id",
            "instruction_id",
            "must be the one that was sent to this warehouse for this order; give it back unchanged",
            "必须原样返回发给该仓库、该订单的指令编号",
        )
    return revision, InstructionKind(kind)


def check_known(event: WmsEvent, warehouses: Collection[str], unknown: Collection[tuple[str, str]]) -> None:
    """`unknown`: pairs of warehouse and SKU never counted. Raises PermanentError: unknown-warehouse, unknown-sku."""
    if event.warehouse_id not in warehouses:
        refuse(
            "unknown-warehouse",
            "warehouse_id",
            "no stock was ever counted in a warehouse of this id; check the id, or count its stock first",
            "该仓库编号从未录入过库存；请核对编号，或先录入库存",
        )
    for number, sku in enumerate(event.quantities, start=1):
        if (event.warehouse_id, sku) in unknown:
            refuse(
                "unknown-sku",
                f"quantities, entry {number}",
                "this SKU was never counted in this warehouse; check the SKU, or count it first, then retry the letter",
                "该 SKU 在此仓库从未录入过库存；请核对 SKU，或先录入库存再重试",
            )


def known_order(standing: InstructionStatus | None) -> InstructionStatus:
    """Raises PermanentError unknown-order."""
    if standing is None:
        refuse(
            "unknown-order",
            "order_uid",
            "no order of this id was ever given to a warehouse; give back the id that the instruction carries",
            "从未有此编号的订单下发到仓库；请原样返回指令中的订单编号",
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
            "no such instruction was sent to this warehouse; give back the id of one that was. No stock moved: if "
            "goods did leave, count the stock",
            "从未向该仓库下发过此指令；请原样返回已下发指令的编号。库存未变动：如确有货物发出，请盘点库存",
        )
    most = standing.most
    if most is not None and any(units > most.get(sku, 0) for sku, units in event.quantities.items()):
        refuse_more_than_told()


def refuse_more_than_told() -> NoReturn:
    """Raises PermanentError more-than-told."""
    refuse(
        "more-than-told",
        "quantities",
        "together with what was told before, these are more units than this warehouse was told to ship, or the same "
        "parcel under another message id. No stock moved: if they did leave, count the stock",
        "连同此前上报的数量，已超过下发给该仓库的数量，或同一包裹以另一消息编号重复上报。库存未变动：如确已发出，请盘点库存",
    )


def still_there(planned: PlannedOrder | None) -> PlannedOrder:
    """Raises PermanentError planned-order-gone."""
    if planned is None:
        refuse(
            "planned-order-gone",
            "order_uid",
            "the warehouse gave the order back, and its plan is no longer kept; poll the order from its shop again",
            "仓库退回了订单，但其计划已超过保留期；请从店铺重新拉取该订单",
        )
    return planned


def refuse(reason: str, where: str, problem: str, problem_zh: str) -> NoReturn:
    """Raise a PermanentError about one field of the answer."""
    raise PermanentError(reason, [Failure(attempt="wms event", where=where, problem=problem, problem_zh=problem_zh)])

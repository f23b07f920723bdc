"""How each thing that an audit can find is put into words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.text import Text
from workers.inventory.report import Finding, FindingKind


def counter_drift(warehouse_id: str, sku: str, counter: str, counted: int, summed: int) -> Finding:
    """A counter is not the sum of the reservations, or transfers, that it must be the sum of."""
    what, what_zh = ("transfers", "调拨记录") if counter == "transfer" else ("reservations", "占用记录")
    return Finding(
        kind=FindingKind.COUNTER_DRIFT,
        warehouse_id=warehouse_id,
        sku=sku,
        message=Text(
            en=f"{sku} in {warehouse_id}: {counter} is {counted}, its {what} add up to {summed}",
            zh=f"仓库 {warehouse_id} 的 {sku}：{counter} 为 {counted}，{what_zh}合计 {summed}",
        ),
    )


def replay_drift(warehouse_id: str, sku: str, field: str, counted: int, told: int) -> Finding:
    """A counter is not what the events say."""
    return Finding(
        kind=FindingKind.REPLAY_DRIFT,
        warehouse_id=warehouse_id,
        sku=sku,
        message=Text(
            en=f"{sku} in {warehouse_id}: {field} is {counted}, the inventory events come to {told}",
            zh=f"仓库 {warehouse_id} 的 {sku}：{field} 为 {counted}，库存事件累计为 {told}",
        ),
    )


def negative_available(warehouse_id: str, sku: str, missing: int) -> Finding:
    """More is promised than is there."""
    return Finding(
        kind=FindingKind.NEGATIVE_AVAILABLE,
        warehouse_id=warehouse_id,
        sku=sku,
        message=Text(
            en=f"{sku} in {warehouse_id}: {missing} more promised than a count found",
            zh=f"仓库 {warehouse_id} 的 {sku}：承诺数量比盘点数量多 {missing}",
        ),
    )


def unknown_state(warehouse_id: str, order_uid: str) -> Finding:
    """A reservation is in no state that we know."""
    return Finding(
        kind=FindingKind.UNKNOWN_STATE,
        warehouse_id=warehouse_id,
        order_uid=order_uid,
        message=Text(
            en=f"the reservation of order {order_uid} in {warehouse_id} has an unknown state",
            zh=f"订单 {order_uid} 在仓库 {warehouse_id} 的占用状态无法识别",
        ),
    )


def hold_without_deadline(warehouse_id: str, order_uid: str) -> Finding:
    """The sweeper will not find a hold."""
    return Finding(
        kind=FindingKind.HOLD_WITHOUT_DEADLINE,
        warehouse_id=warehouse_id,
        order_uid=order_uid,
        message=Text(
            en=f"the hold of order {order_uid} in {warehouse_id} is not on the deadline list",
            zh=f"订单 {order_uid} 在仓库 {warehouse_id} 的预占不在到期列表中",
        ),
    )


def deadline_without_hold(warehouse_id: str, order_uid: str) -> Finding:
    """The sweeper will look for a hold that is not there."""
    return Finding(
        kind=FindingKind.DEADLINE_WITHOUT_HOLD,
        warehouse_id=warehouse_id,
        order_uid=order_uid,
        message=Text(
            en=f"the deadline list of {warehouse_id} names order {order_uid}, which holds nothing there",
            zh=f"仓库 {warehouse_id} 的到期列表中有订单 {order_uid}，但它没有预占",
        ),
    )


def corrupt(warehouse_id: str, key: str) -> Finding:
    """A key could not be read."""
    message = Text(en=f"{key} is not what the ledger left there", zh=f"{key} 的内容不是账本写入的")
    return Finding(kind=FindingKind.CORRUPT, warehouse_id=warehouse_id, message=message)


def record_drift(
    key: str, warehouse_id: str, order_uid: str, found: Mapping[str, str], told: Mapping[str, str]
) -> Finding:
    """A reservation or a transfer is not what the events say."""
    if not found:
        what = Text("is gone; its events say that it must be there", "已不存在，但库存事件表明它应当存在")
    elif not told:
        what = Text("is told of by no inventory event", "没有任何库存事件提到它")
    else:
        fields = ", ".join(sorted(name for name in found.keys() | told.keys() if found.get(name) != told.get(name)))
        what = Text(f"differs from its events in: {fields}", f"与库存事件不一致的字段：{fields}")
    return Finding(
        kind=FindingKind.RECORD_DRIFT,
        warehouse_id=warehouse_id,
        order_uid=order_uid,
        message=Text(en=f"{key} {what.en}", zh=f"{key} {what.zh}"),
    )


def held_twice(order_uid: str, warehouses: Iterable[str]) -> Finding:
    """An order holds stock where its pointer does not say that it does."""
    named = sorted(warehouses)
    return Finding(
        kind=FindingKind.HELD_TWICE,
        warehouse_id=named[0],
        order_uid=order_uid,
        message=Text(
            en=f"order {order_uid} holds stock in {' and '.join(named)}, and nobody decided to split it",
            zh=f"订单 {order_uid} 同时占用仓库 {'、'.join(named)} 的库存，但没有拆单决定",
        ),
    )


def lost_event(warehouse_id: str, first: int, last: int) -> Finding:
    """Events that were numbered and never came."""
    which = f"{warehouse_id}/{first}" + (f" to {warehouse_id}/{last}" if last > first else "")
    return Finding(
        kind=FindingKind.LOST_EVENT,
        warehouse_id=warehouse_id,
        message=Text(
            en=f"{last - first + 1} inventory events are neither in Kafka nor in the outbox: {which}",
            zh=f"有 {last - first + 1} 条库存事件既不在 Kafka 也不在发件箱中：{which}",
        ),
    )


def event_conflict(warehouse_id: str, number: int) -> Finding:
    """One number, two stories."""
    return Finding(
        kind=FindingKind.EVENT_CONFLICT,
        warehouse_id=warehouse_id,
        message=Text(
            en=f"two different inventory events have the number {warehouse_id}/{number}",
            zh=f"编号 {warehouse_id}/{number} 对应两条不同的库存事件",
        ),
    )


def redis_behind(warehouse_id: str, in_redis: int, in_kafka: int) -> Finding:
    """Redis has forgotten what it had told Kafka."""
    return Finding(
        kind=FindingKind.REDIS_BEHIND,
        warehouse_id=warehouse_id,
        message=Text(
            en=f"Redis is at event {in_redis} of {warehouse_id}, Kafka has them up to {in_kafka}: Redis lost writes",
            zh=f"仓库 {warehouse_id} 在 Redis 中的事件号为 {in_redis}，而 Kafka 已到 {in_kafka}：Redis 丢失了写入",
        ),
    )


def unreadable_events(count: int) -> Finding:
    """Records on the topic that are no events."""
    return Finding(
        kind=FindingKind.UNREADABLE_EVENT,
        warehouse_id="",
        message=Text(
            en=f"{count} records on inventory.events are no inventory events",
            zh=f"inventory.events 中有 {count} 条记录不是库存事件",
        ),
    )

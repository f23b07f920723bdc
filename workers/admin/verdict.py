"""Where an order is and what it waits for, in one sentence: judged from everything that is written about it. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from schemas.codes import HoldCode
from schemas.fulfillment import WmsEventKind
from schemas.plan import Disposition, PlannedOrder
from schemas.revision import Newest
from schemas.text import Text, moment
from workers.admin.evidence import Evidence, Read, warehouses_of
from workers.inventory.records import OrderSnapshot, OrderState, ReservationState

_DECIDED: Final = {
    Disposition.REVIEW: Text("it waits in orders.review: a person must decide", "订单在 orders.review 等待人工审核"),
    Disposition.DEFER: Text("it waits in orders.deferred: it is not due yet", "订单在 orders.deferred 等待，尚未到期"),
    Disposition.RELEASE: Text("it is cancelled, and holds no stock", "订单已取消，没有占用库存"),
    Disposition.IGNORE: Text("there is nothing left for us to ship", "没有需要我们发货的内容"),
    Disposition.RESERVE: Text(
        "it is planned, and its stock is not reserved yet: a worker with the stage reserve must run; look at the lag "
        "of orders.planned",
        "已有计划但尚未占用库存：需要运行包含 reserve 环节的工作进程；请查看 orders.planned 的积压",
    ),
}
_WMS: Final = {
    WmsEventKind.ACCEPTED: Text("{w} accepted it", "{w} 已接单"),
    WmsEventKind.PICKED: Text("{w} picked it", "{w} 已拣货"),
    WmsEventKind.SHORT: Text("{w} could not pick all of it", "{w} 拣货缺货"),
    WmsEventKind.REJECTED: Text("{w} rejected it", "{w} 拒单"),
    WmsEventKind.SHIPPED: Text("{w} shipped it", "{w} 已发货"),
    WmsEventKind.CANCELLED: Text("{w} cancelled it", "{w} 已取消"),
}


def verdict(evidence: Evidence) -> Text:
    """One sentence; further ones when a newer word about the order is still on its way."""
    sentences = [_standing(evidence), *_newer(evidence), *_warehouse_said(evidence)]
    return Text("; ".join(each.en for each in sentences), "；".join(each.zh for each in sentences))


def _standing(evidence: Evidence) -> Text:
    ledger, plan = evidence.ledger, evidence.plan
    if ledger is not None and ledger.state is not None and ledger.state is not OrderState.NOTHING:
        if plan is not None and plan.value.plan.disposition is Disposition.REVIEW and ledger.state in _KEEPS:
            return _kept_for_a_person(plan.value, ledger)
        return _in_ledger(ledger, ledger.state)
    if plan is not None:
        return _by_plan(plan, ledger)
    if evidence.letters:
        return Text(
            "it could not be processed and was set aside whole in orders.quarantined",
            "无法处理，已完整存入 orders.quarantined",
        )
    return Text(
        "it came in and is not planned yet: a worker with the stage normalize must run, and the channel must not be "
        "paused; look at the lag of its raw topic",
        "已收到但尚未生成计划：需要运行包含 normalize 环节的工作进程，且渠道未被暂停；请查看原始主题的积压",
    )


_KEEPS: Final = (OrderState.HELD, OrderState.COMMITTED)


def _kept_for_a_person(planned: PlannedOrder, ledger: OrderSnapshot) -> Text:
    """It has stock, and no warehouse ships it before a person has decided."""
    where = ", ".join(warehouses_of(ledger)) or "?"
    if HoldCode.WMS_ADDRESS in planned.plan.hold_codes:
        return Text(
            f"the warehouse rejected its address: it waits in orders.review, its stock stays reserved in {where}, and "
            "a person must correct the address (orderfleet review correct) or cancel it",
            f"仓库因收货地址拒单：订单在 orders.review 等待，库存仍占用在 {where}；"
            "请更正地址（orderfleet review correct）或取消订单",
        )
    return Text(
        f"it waits in orders.review: a person must decide; its stock stays reserved in {where} meanwhile",
        f"订单在 orders.review 等待人工审核；期间库存仍占用在 {where}",
    )


def _by_plan(plan: Read[PlannedOrder], ledger: OrderSnapshot | None) -> Text:
    decided = plan.value.plan.disposition
    if decided is Disposition.RESERVE and ledger is None:
        return Text(
            "it is planned to take stock; whether it has any is not known while Redis does not answer",
            "计划占用库存；Redis 没有应答，无法得知是否已占用",
        )
    due = plan.value.plan.not_before
    if decided is Disposition.DEFER and due is not None:
        when = moment(due)
        return Text(
            f"it waits in orders.deferred until {when}, and is decided anew then by itself",
            f"订单在 orders.deferred 等待到 {when}，届时自动重新决策",
        )
    return _DECIDED[decided]


def _in_ledger(ledger: OrderSnapshot, state: OrderState) -> Text:
    where = ", ".join(warehouses_of(ledger)) or "?"
    told = set(ledger.routed) & set(warehouses_of(ledger))
    match state:
        case OrderState.HELD:
            return _held(ledger, where)
        case OrderState.COMMITTED if told:
            return Text(
                f"its stock is reserved in {where}, and the warehouse was told to ship it",
                f"库存已占用在 {where}，并已通知仓库发货",
            )
        case OrderState.COMMITTED:
            return Text(
                f"its stock is reserved in {where}; the warehouse was not told to ship it yet",
                f"库存已占用在 {where}，尚未通知仓库发货",
            )
        case OrderState.BACKORDERED:
            return Text("no warehouse has enough: it waits for stock", "各仓库存不足，待货中")
        case OrderState.AWAITING_TRANSFER:
            return Text("it waits for a transfer between warehouses", "等待仓间调拨")
        case OrderState.STOPPING:
            return Text(
                f"it is given up, and its stock stays reserved in {where} until the warehouse answers that it does not "
                "ship it",
                f"订单已放弃；库存仍占用在 {where}，直到仓库应答不发货",
            )
        case OrderState.EXPIRED:
            return Text(
                "the payment did not come in time, and its stock was given back", "逾期未付款，占用的库存已释放"
            )
        case OrderState.SHIPPED:
            return Text("all of it has left", "已全部发出")
        case OrderState.PARTLY_SHIPPED:
            return Text(
                "a part of it has left, and no warehouse was told to ship the rest: it waits in orders.review, and a "
                "person must decide",
                "部分已发出，其余未通知任何仓库发货：在 orders.review 等待人工处理",
            )
    return Text("its stock was given back", "占用的库存已释放")


def _held(ledger: OrderSnapshot, where: str) -> Text:
    ends = [r.deadline_ms for r in ledger.reservations if r.state == ReservationState.HELD and r.deadline_ms]
    until = f" until {moment(datetime.fromtimestamp(min(ends) / 1000, UTC))}" if ends else ""
    until_zh = f"，保留到 {moment(datetime.fromtimestamp(min(ends) / 1000, UTC))}" if ends else ""
    return Text(
        f"its stock is held in {where}{until}, and it waits for payment", f"库存已预占在 {where}{until_zh}，等待付款"
    )


def _is_news(revision: str, ledger: OrderSnapshot) -> bool:
    return Newest(ledger.revision).after(revision).revision != ledger.revision


def _newer(evidence: Evidence) -> list[Text]:
    """What is written and did not take effect yet."""
    found: list[Text] = []
    ledger, plan = evidence.ledger, evidence.plan
    if ledger is not None and ledger.revision and not ledger.settled:
        found.append(
            Text(
                "a worker is busy with it, or was killed while it was: the next one finishes it",
                "有工作进程正在处理，或在处理中被终止：下一个工作进程会完成",
            )
        )
    if ledger is not None and plan is not None and ledger.revision and _is_news(plan.value.order.revision, ledger):
        found.append(
            Text(
                "a newer revision is planned and did not reach the stock yet",
                "更新的版本已有计划，但尚未作用到库存",
            )
        )
    if evidence.letters and plan is not None and evidence.letters[-1].found.at > plan.found.at:
        found.append(
            Text(
                "a later message about it could not be processed: see the dead letter below",
                "之后又有一条消息无法处理：见下方死信",
            )
        )
    return found


def _warehouse_said(evidence: Evidence) -> list[Text]:
    if not evidence.wms:
        return []
    last = evidence.wms[-1].value
    words = _WMS[last.kind]
    return [Text(words.en.format(w=last.warehouse_id), words.zh.format(w=last.warehouse_id))]

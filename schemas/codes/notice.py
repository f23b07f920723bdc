"""What people are told of by mail and chat: see ops/docs/notices.md."""
# ruff: noqa: E501  # a table: one code a line

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.codes.explanation import Code, Explanation

# fmt: off


class NoticeCode(Code):
    """What a notice is about."""

    NOTICE_TEST = "notice-test", "this is a test: notices reach you", "这是一条测试消息：通知可以送达"
    DEAD_LETTERS_NEW = "dead-letters-new", "messages are set aside in {stage} for {reason}; look at them with: orderfleet dead-letters list", "{stage} 阶段有消息因 {reason} 被搁置；请用 orderfleet dead-letters list 查看"
    PAID_BACKORDERS = "paid-backorders", "paid orders wait for stock of {sku}; see: orderfleet backorders list --sku {sku}", "已付款订单在等 {sku} 到货；请看 orderfleet backorders list --sku {sku}"

    # -- seen by the stage watch
    REVIEW_WAITING = "review-waiting", "{orders} orders of {place} wait for a person for longer than {limit}, the oldest since {since}; see: orderfleet review list", "店铺 {place} 有 {orders} 个订单等待人工审核超过 {limit}，最早自 {since}；请看 orderfleet review list"
    SHIP_BY_NEAR = "ship-by-near", "{orders} orders of {place} must ship within {limit}, the first by {since}, and have not", "店铺 {place} 有 {orders} 个订单须在 {limit} 内发货而尚未发出，最早的截止时间为 {since}"
    SHIP_BY_PASSED = "ship-by-passed", "{orders} orders of {place} should have shipped, the oldest by {since}, and have not", "店铺 {place} 有 {orders} 个订单已超过承诺发货时间仍未发出，最早应在 {since} 前发货"
    BACKORDERS_WAITING = "backorders-waiting", "{orders} paid orders of {place} wait for stock for longer than {limit}, the oldest since {since}; see: orderfleet backorders list", "店铺 {place} 有 {orders} 个已付款订单待货超过 {limit}，最早自 {since}；请看 orderfleet backorders list"
    WAREHOUSE_SILENT = "warehouse-silent", "warehouse {place} has not answered {orders} instructions for longer than {limit}, the oldest of {since}: is its WMS reading and answering?", "仓库 {place} 有 {orders} 条指令超过 {limit} 未应答，最早的发于 {since}：请检查其 WMS 是否在读取并应答"
    SHOP_DRIFT = "shop-drift", "{orders} messages of {place} could not be read within the last hour: the platform may have changed its format; see: orderfleet dead-letters list", "最近一小时内 {place} 有 {orders} 条消息无法解读：平台可能改了报文格式；请看 orderfleet dead-letters list"
    SHOP_BEHIND = "shop-behind", "{place} has been read up to {since} only, longer ago than {limit}: its newer orders are not in the hub", "店铺 {place} 只读到 {since}，已超过 {limit}：更新的订单尚未进入中枢"
    PUSHES_LATE = "pushes-late", "no push of {place} came since {since}, longer ago than {limit}, and polling finds new orders: is its webhook still registered?", "自 {since} 起（超过 {limit}）未收到店铺 {place} 的推送，而轮询仍拉到新订单：请检查其推送是否仍有效"
    BOOK_BEHIND = "book-behind", "nothing was written to the order book since {since}, and {orders} records wait for it; see: orderfleet book status", "订单台账自 {since} 起没有写入，有 {orders} 条记录等待；请看 orderfleet book status"
    BOOK_AWAY = "book-away", "the order book cannot be asked since {since}: whether orders are late is not known", "自 {since} 起无法查询订单台账：订单是否延误目前未知"
    REDIS_MEMORY = "redis-memory", "Redis uses {percent} % of its memory ({limit} % is the limit): it refuses work when it is full", "Redis 已使用 {percent}% 的内存（告警线 {limit}%）：写满后将拒绝写入"
    REDIS_DISK = "redis-disk", "Redis could not write its file the last time ({what}): is its disk full?", "Redis 最近一次写盘失败（{what}）：磁盘是否已满？"
    REDIS_FILE_LARGE = "redis-file-large", "the file of Redis is {megabytes} MB ({limit} MB is the limit)", "Redis 的持久化文件已达 {megabytes} MB（告警线 {limit} MB）"

    # -- seen by others
    AUDIT_FINDINGS = "audit-findings", "the stock audit found {count} times {kind}; see: orderfleet stock audit", "库存核对发现 {count} 处 {kind}；请运行 orderfleet stock audit"
    AUDIT_AWAY = "audit-away", "the stock could not be audited since {since}", "自 {since} 起无法核对库存"
    ALERT = "alert", "{alert}: {summary}", "告警 {alert}：{summary}"


_RUNBOOKS: Final[Mapping[str, str]] = MappingProxyType({
    NoticeCode.DEAD_LETTERS_NEW: "OrdersDeadLettersHigh",
    NoticeCode.PAID_BACKORDERS: "backorders-waiting",
    NoticeCode.REVIEW_WAITING: "review-waiting",
    NoticeCode.SHIP_BY_NEAR: "ship-by",
    NoticeCode.SHIP_BY_PASSED: "ship-by",
    NoticeCode.BACKORDERS_WAITING: "backorders-waiting",
    NoticeCode.WAREHOUSE_SILENT: "warehouse-silent",
    NoticeCode.SHOP_DRIFT: "shop-drift",
    NoticeCode.SHOP_BEHIND: "OrdersShopBehind",
    NoticeCode.PUSHES_LATE: "pushes-late",
    NoticeCode.BOOK_BEHIND: "OrdersBookBehind",
    NoticeCode.BOOK_AWAY: "OrdersBookBehind",
    NoticeCode.REDIS_MEMORY: "redis-full",
    NoticeCode.REDIS_DISK: "redis-full",
    NoticeCode.REDIS_FILE_LARGE: "redis-full",
    NoticeCode.AUDIT_FINDINGS: "stock-audit",
    NoticeCode.AUDIT_AWAY: "stock-audit",
})
# fmt: on
_ALERT: Final = re.compile(r"Orders[A-Za-z]{1,60}")


def runbook_of(told: Explanation) -> str:
    """The name of the page in ops/monitoring/runbooks/ that says what to do; "" when there is none."""
    if told.code == NoticeCode.ALERT:
        named = str(told.args.get("alert", ""))
        return named if _ALERT.fullmatch(named) else ""
    return _RUNBOOKS.get(told.code, "")

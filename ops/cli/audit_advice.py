"""What each finding of a stock audit means, and what to do about it."""

from __future__ import annotations

from typing import Final

from schemas.text import Text
from workers.inventory.records import FindingKind

ADVICE: Final[dict[FindingKind, Text]] = {
    FindingKind.COUNTER_DRIFT: Text(
        "a counter was changed without its reservations, which no script of the ledger does. Stop what else writes to "
        "this Redis (or find out whether it lost writes in a failover) before selling on",
        "计数与占用记录不一致，账本自身的脚本不会造成这种情况。"
        "请先停止其他写入该 Redis 的程序（或确认主从切换是否丢失写入），再继续销售",
    ),
    FindingKind.NEGATIVE_AVAILABLE: Text(
        "a count found less than is already promised to orders. Count again; if it is true, bring stock in or cancel "
        "the newest orders of this SKU",
        "盘点数量少于已承诺给订单的数量。请复盘；若属实，请补货或取消该 SKU 最新的订单",
    ),
    FindingKind.UNKNOWN_STATE: Text(
        "a reservation is in a state that this version does not know: was a newer version running? Use that one again",
        "占用记录的状态本版本不认识：是否运行过更新的版本？请恢复使用该版本",
    ),
    FindingKind.HOLD_WITHOUT_DEADLINE: Text(
        "the sweeper would never give back the stock of this unpaid order. Once the order is paid or cancelled on its "
        "platform all is well again; if it is neither, cancel it there",
        "清扫程序不会释放该未付款订单的预占。订单在平台付款或取消后即恢复正常；若长期未变，请在平台取消该订单",
    ),
    FindingKind.DEADLINE_WITHOUT_HOLD: Text(
        "the deadline list names an order that holds nothing: no stock is lost, and the sweeper drops the entry when "
        "it is due. If it stays, something else writes to this Redis",
        "到期列表中有一个没有预占的订单：库存无损失，到期后清扫程序会删除它。若一直存在，说明有其他程序写入该 Redis",
    ),
    FindingKind.CORRUPT: Text(
        "a key of the ledger holds what no script wrote. Stop what else writes to this Redis, then restore the key",
        "账本的某个键被其他程序写入。请停止该程序，并恢复该键",
    ),
}

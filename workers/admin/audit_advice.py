"""What each finding of a stock audit means, and what to do about it."""

from __future__ import annotations

from typing import Final

from schemas.text import Text
from workers.inventory.report import FindingKind

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
        "超时释放环节不会释放该未付款订单的预占。订单在平台付款或取消后即恢复正常；若长期未变，请在平台取消该订单",
    ),
    FindingKind.DEADLINE_WITHOUT_HOLD: Text(
        "the deadline list names an order that holds nothing: no stock is lost, and the sweeper drops the entry when "
        "it is due. If it stays, something else writes to this Redis",
        "到期列表中有一个没有预占的订单：库存无损失，到期后由超时释放删除。若一直存在，说明有其他程序写入该 Redis",
    ),
    FindingKind.CORRUPT: Text(
        "a key of the ledger holds what no script wrote. Stop what else writes to this Redis, then restore the key",
        "账本的某个键被其他程序写入。请停止该程序，并恢复该键",
    ),
    FindingKind.HELD_TWICE: Text(
        "one order takes units from two warehouses. Look with orderfleet explain ORDER which of them was told to ship; "
        "the order's next revision gives the other one's units back. Tell us: no way is known in which this happens",
        "同一订单占用了两个仓库的库存。请用 orderfleet explain 订单号 查看哪个仓库收到了发货指令；"
        "该订单的下一次变更会释放另一个仓库的占用。请反馈给我们：目前没有已知的途径会造成这种情况",
    ),
    FindingKind.REPLAY_DRIFT: Text(
        "a counter in Redis was changed and no event tells of it, or the other way round: something else writes to "
        "this Redis, or it lost writes. Stop selling the SKU, then see ops/monitoring/runbooks/stock-audit.md",
        "Redis 中的计数与库存事件不一致：有其他程序写入该 Redis，或它丢失了写入。"
        "请停止销售该 SKU，并参阅 ops/monitoring/runbooks/stock-audit.md",
    ),
    FindingKind.RECORD_DRIFT: Text(
        "a reservation was deleted or changed and no event tells of it. Redis must run with maxmemory-policy "
        "noeviction; orderfleet stock rebuild --dry-run lists all differences, --replace repairs them",
        "占用记录被删除或修改，却没有对应的事件。Redis 必须使用 maxmemory-policy noeviction；"
        "orderfleet stock rebuild --dry-run 列出全部差异，--replace 可修复",
    ),
    FindingKind.LOST_EVENT: Text(
        "events were made and never came to Kafka, or Kafka dropped them: check that inventory.events has "
        "retention.ms=-1 (orderfleet topics list). No reader knows what they told: count the SKUs that differ",
        "事件已产生但没有到达 Kafka，或被 Kafka 删除：请检查 inventory.events 的 retention.ms 是否为 -1"
        "（orderfleet topics list）。所有读者都不知道其内容：请盘点有差异的 SKU",
    ),
    FindingKind.EVENT_CONFLICT: Text(
        "Redis gave a number away twice, so it had lost writes (a crash, a failover) and went on from an older state. "
        "Readers took only one of the two. See ops/monitoring/runbooks/stock-rebuild.md",
        "Redis 重复使用了一个事件号，说明它曾丢失写入（崩溃或主从切换）并从旧状态继续。"
        "读者只采用了其中一条。请参阅 ops/monitoring/runbooks/stock-rebuild.md",
    ),
    FindingKind.REDIS_BEHIND: Text(
        "Redis was emptied or lost its last writes. Stop the workers now, before new events take the numbers of lost "
        "ones, and run orderfleet stock rebuild --replace (ops/monitoring/runbooks/stock-rebuild.md)",
        "Redis 被清空或丢失了最近的写入。请立即停止各工作进程（以免新事件占用已丢失的编号），"
        "然后运行 orderfleet stock rebuild --replace（ops/monitoring/runbooks/stock-rebuild.md）",
    ),
    FindingKind.UNREADABLE_EVENT: Text(
        "something else writes to inventory.events; only the relay may. The records were left out",
        "有其他程序写入 inventory.events；只有 relay 可以写入。这些记录已被忽略",
    ),
}

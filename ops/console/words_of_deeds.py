"""What deeds and their outcomes are called. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.text import Text
from workers.admin.desk.access import Deed
from workers.admin.desk.audit import Outcome

_NAMES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "orders.find": Text("search orders", "查询订单"),
        "orders.show": Text("look at an order", "查看订单"),
        "orders.take-over": Text("take an order over", "接手订单"),
        "orders.raw": Text("look at a platform's message", "查看平台原文"),
        "orders.reveal": Text("reveal personal data", "查看收货人信息"),
        "picking.list": Text("make a pick list", "生成拣货单"),
        "picking.print": Text("print a pick list", "打印拣货单"),
        "review.list": Text("list review", "查看待审核"),
        "orders.release": Text("release", "放行"),
        "orders.redecide": Text("decide anew", "重新决策"),
        "orders.hold": Text("hold", "暂停"),
        "orders.cancel": Text("cancel", "取消发货"),
        "orders.correct": Text("correct", "更正"),
        "orders.split": Text("split", "拆分"),
        "orders.settle-flag": Text("settle a flag", "处理标记"),
        "orders.note": Text("note", "备注"),
        "orders.undo": Text("undo", "撤回"),
        "bulk.preview": Text("preview of many", "批量预览"),
        "bulk.start": Text("decide about many", "批量操作"),
        "bulk.show": Text("look at a bulk job", "查看批量结果"),
        "bulk.stop": Text("stop a bulk job", "停止批量操作"),
        "stock.show": Text("look at stock", "查看库存"),
        "stock.count": Text("count stock", "盘点库存"),
        "backorders.list": Text("list backorders", "查看待货"),
        "transfers.list": Text("list transfers", "查看调拨"),
        "transfers.step": Text("step of a transfer", "执行调拨"),
        "dead-letters.list": Text("list what was set aside", "查看搁置消息"),
        "dead-letters.show": Text("look at what was set aside", "查看一条搁置消息"),
        "dead-letters.read": Text("read what was set aside (masked)", "查看搁置消息内容（已脱敏）"),
        "dead-letters.retry": Text("hand back what was set aside", "重试搁置消息"),
        "notices.list": Text("list notices", "查看提醒"),
        "notices.sent": Text("look at messages sent", "查看已发送提醒"),
        "notices.take": Text("take a matter", "认领提醒"),
        "notices.snooze": Text("snooze a matter", "暂缓提醒"),
        "notices.retry": Text("send again", "重新发送提醒"),
        "figures.show": Text("look at figures", "查看数据"),
        "figures.export": Text("export figures", "导出数据"),
        "audit.list": Text("look at this list", "查看操作记录"),
        "users.add": Text("make a user", "创建用户"),
        "users.list": Text("list users", "查看用户"),
        "users.change": Text("change a user", "修改用户"),
        "users.sign-in": Text("sign in", "登录"),
        "tokens.create": Text("make a token", "创建令牌"),
        "tokens.list": Text("list tokens", "查看令牌"),
        "tokens.revoke": Text("revoke a token", "吊销令牌"),
    }
)
DEEDS: Final[Mapping[Deed, Text]] = MappingProxyType(
    {deed: _NAMES.get(deed.value, Text(deed.value, deed.value)) for deed in Deed}
)
OUTCOMES: Final[Mapping[Outcome, Text]] = MappingProxyType(
    {
        Outcome.BEGUN: Text("begun", "已开始"),
        Outcome.DONE: Text("done", "完成"),
        Outcome.REFUSED: Text("refused", "被拒绝"),
        Outcome.FAILED: Text("failed", "失败"),
    }
)

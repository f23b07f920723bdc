"""Decisions as buttons: what each is called, what it does, and what undoes it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.decision import DecisionKind
from schemas.text import Text


class Act(NamedTuple):
    """One kind of decision. `reasons`: those that are often given."""

    name: Text
    does: Text
    reverse: Text
    icon: str
    reasons: tuple[Text, ...]


ACTS: Final[Mapping[DecisionKind, Act]] = MappingProxyType(
    {
        DecisionKind.RELEASE: Act(
            Text("Release", "放行"),
            Text("It takes stock at once, and its warehouse is told to ship.", "立即占用库存，并通知仓库发货。"),
            Text("Undo: hold, as long as no warehouse has begun.", "可撤回：仓库开始作业前可“暂停”。"),
            "check",
            (Text("checked", "已核对"), Text("buyer agreed", "买家已确认"), Text("gift not needed", "无需赠品")),
        ),
        DecisionKind.HOLD: Act(
            Text("Hold", "暂停"),
            Text("It does not ship until it is released.", "放行之前不会发货。"),
            Text("Undo: release.", "可撤回：“放行”。"),
            "pause",
            (Text("asking the buyer", "正在联系买家"), Text("waiting for goods", "等待到货")),
        ),
        DecisionKind.REDECIDE: Act(
            Text("Decide anew", "重新决策"),
            Text("Decided anew by today's rules and catalogue.", "按当前规则和商品目录重新决策。"),
            Text("It may come back to review; there is nothing to undo.", "可能再次进入审核；无需撤回。"),
            "refresh",
            (Text("rules changed", "规则已更新"), Text("catalogue changed", "目录已更新")),
        ),
        DecisionKind.SPLIT: Act(
            Text("Allow parcels", "允许拆单"),
            Text("It may go in several parcels when no warehouse has all of it.", "单仓货不齐时，可分多个包裹发出。"),
            Text("Undo: decide anew, before it is shipped.", "可撤回：发货前“重新决策”。"),
            "call_split",
            (Text("buyer agreed", "买家已同意"),),
        ),
        DecisionKind.CANCEL: Act(
            Text("Cancel order", "取消发货"),
            Text("It does not ship at all, and its stock is given back.", "不再发货，并归还占用的库存。"),
            Text("Undo: release, as long as the buyer's order stands.", "可撤回：买家订单仍有效时可“放行”。"),
            "block",
            (Text("buyer asked for it", "买家要求取消"), Text("out of stock for good", "长期缺货")),
        ),
    }
)
"""Of one order and of many, in the order of the buttons."""

NOTE: Final = Act(
    Text("Note", "备注"),
    Text("Kept with the order, for whoever looks at it next.", "保存在订单上，供后续查看者参考。"),
    Text("A note is never taken back.", "备注不能撤回。"),
    "edit_note",
    (Text("buyer called", "买家来电"), Text("waiting for an answer", "等待回复")),
)
SETTLE: Final = Act(
    Text("Settle", "核销"),
    Text("This reason does not ask for a person any more.", "该原因不再需要人工处理。"),
    Text("Undo: decide anew.", "可撤回：“重新决策”。"),
    "done_all",
    (Text("checked", "已核对"), Text("agreed with the buyer", "已与买家确认")),
)
CORRECT: Final = Act(
    Text("Correct goods", "更正商品"),
    Text("What is picked instead, and how many; then it is decided anew.", "更改实际发出的商品或数量，然后重新决策。"),
    Text("Undo: correct it again.", "可撤回：再次更正。"),
    "edit",
    (Text("wrong SKU on the platform", "平台 SKU 填写有误"), Text("buyer agreed to another", "买家同意更换")),
)

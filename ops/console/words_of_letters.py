"""What is said of messages that were set aside: reasons, the stages that gave them up, what became of a retry. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.text import Text

REASONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "missing-field": Text("field missing", "缺少字段"),
        "bad-field": Text("field unusable", "字段无效"),
        "bad-money": Text("amount unusable", "金额无效"),
        "bad-time": Text("time unusable", "时间无效"),
        "bad-quantity": Text("quantity unusable", "数量无效"),
        "bad-currency": Text("currency unusable", "币种无效"),
        "unreadable": Text("unreadable", "无法读取"),
        "not-an-order": Text("no order", "不是订单"),
        "platform-error": Text("the platform's error", "平台返回错误"),
        "unknown-channel": Text("unknown channel", "渠道未知"),
        "bad-header": Text("header unusable", "消息头无效"),
        "too-long": Text("too long", "内容过长"),
        "key-mismatch": Text("wrong key", "订单号不一致"),
        "output-too-large": Text("output too large", "生成内容过大"),
        "refused-by-kafka": Text("refused by Kafka", "Kafka 拒收"),
        "unreadable-standing": Text("decisions unreadable", "人工决定无法读取"),
        "letter-failed": Text("position only", "仅知位置"),
        "bug": Text("mistake of ours", "程序缺陷"),
    }
)
STAGES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "normalize": Text("reading", "读取订单"),
        "tag": Text("marking", "标记"),
        "route": Text("placing", "分仓"),
        "reserve": Text("reserving", "占库存"),
        "fulfill": Text("warehouse's answer", "仓库回执"),
        "apply": Text("decision", "人工决定"),
        "intake": Text("fetching", "拉取"),
        "defer": Text("deferring", "延后"),
        "uphold": Text("decisions", "人工决定"),
    }
)
OUTCOMES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "put-back": Text("handed back", "已放回"),
        "put-back-before": Text("handed back before", "此前已放回"),
        "failed-too-often": Text("failed too often: hand it back by itself", "失败次数过多：请单独重试"),
        "impossible": Text("impossible", "无法放回"),
    }
)

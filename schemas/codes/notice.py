"""What people are told of by mail and chat: see ops/docs/notices.md."""
# ruff: noqa: E501  # a table: one code a line

from __future__ import annotations

from schemas.codes.explanation import Code

# fmt: off


class NoticeCode(Code):
    """What a notice is about."""

    NOTICE_TEST = "notice-test", "this is a test: notices reach you", "这是一条测试消息：通知可以送达"
    DEAD_LETTERS_NEW = "dead-letters-new", "messages are set aside in {stage} for {reason}; look at them with: orderfleet dead-letters list", "{stage} 阶段有消息因 {reason} 被搁置；请用 orderfleet dead-letters list 查看"
    PAID_BACKORDERS = "paid-backorders", "paid orders wait for stock of {sku}; see: orderfleet backorders list --sku {sku}", "已付款订单在等 {sku} 到货；请看 orderfleet backorders list --sku {sku}"

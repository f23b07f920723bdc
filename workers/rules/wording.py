"""The sentences of decision traces and flags. Stored in English; told in either language.

A sentence is a template with named gaps, so that the English one in an old message can be read back and told in
Chinese: nothing but English travels, and nobody has to know which sentence it was.
"""
# ruff: noqa: E501  # a table: one sentence a line

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from schemas.text import Language

_FILLING = "(?:(?!; ).)+?"  # sentences are joined by "; ", so nothing in a gap may hold it
_GAP = re.compile(r"\{(\w+)\}")


class Phrase:
    """One sentence in both languages."""

    __slots__ = ("_en", "_pattern", "_zh")

    def __init__(self, en: str, zh: str) -> None:
        self._en = en
        self._zh = zh
        literal = [
            re.escape(part) if index % 2 == 0 else f"(?P<{part}>{_FILLING})"
            for index, part in enumerate(_GAP.split(en))
        ]
        self._pattern = re.compile("".join(literal), re.DOTALL)

    def __call__(self, **gaps: object) -> str:
        """The English sentence."""
        return self._en.format(**gaps) if gaps else self._en

    def chinese_of(self, sentence: str) -> str | None:
        """The Chinese sentence for an English one made from this phrase; None when it is another's."""
        match = self._pattern.fullmatch(sentence)
        return self._zh.format(**match.groupdict()) if match else None


# fmt: off
# -- what tagging found
SKU_MISSING        = Phrase("{count} of its lines carry no SKU; add the SKU on the platform", "有 {count} 个商品行没有 SKU 编码，请在平台补上")
SKU_UNKNOWN        = Phrase("the catalogue does not know {skus}; add it there or correct the SKU on the platform", "商品目录中没有 {skus}，请补充目录或在平台更正 SKU")
RECEIVER_MISSING   = Phrase("the platform sent no receiver; ask for it again or look the order up on the platform", "平台没有给出收货人，请重新获取或到平台查看订单")
GIFT_MISSING       = Phrase("{main} comes with {due} of {gift}, and the order has {there}", "{main} 应赠 {gift} {due} 件，订单中只有 {there} 件")
GIFT_SURPLUS       = Phrase("the order has {there} of {gift}, and only {due} come with {main}", "订单中有 {gift} {there} 件，而 {main} 只应赠 {due} 件")
GIFT_WITHOUT_MAIN  = Phrase("the gift {gift} is there, and {main}, which it comes with, is not", "有赠品 {gift}，却没有对应的主商品 {main}")
GIFT_MAIN_GONE     = Phrase("the line that the gift {gift} belongs to is gone or was never there", "赠品 {gift} 所属的主商品行已取消或不存在")
PROMISED_GIFT      = Phrase("the platform promises {count} gifts in words, and no line carries them", "平台以文字承诺了 {count} 项赠品，但没有对应的商品行")
GIFT_ONLY          = Phrase("nothing but gifts is left to ship", "只剩赠品待发")
BUNDLE_PARTS       = Phrase("the catalogue does not know the bundle {sku}; it is made of {parts}", "商品目录中没有组合商品 {sku}，其组成为 {parts}")
TOTALS_CONTRADICT  = Phrase("the totals of the platform do not add up to its lines; look the order up there", "平台给出的合计与商品行金额不一致，请到平台核对该订单")
BALANCE_OPEN       = Phrase("the order was changed after it was paid, and the difference is open", "订单付款后被修改，差额尚未付清")
NO_LINES           = Phrase("the order has no lines", "订单没有商品行")

# -- what became of a rule
CANDIDATE          = Phrase("candidate {number}", "候选仓 {number}")
ALREADY            = Phrase("already candidate {number}", "已是候选仓 {number}")
ONLY_CANDIDATE     = Phrase("the only candidate", "唯一候选仓")
AGREES             = Phrase("agrees with force of {rule}", "与规则 {rule} 的强制一致")
OVERRULED_FORCE    = Phrase("overruled by force of {rule}", "被规则 {rule} 的强制覆盖")
OVERRULED_HOLD     = Phrase("overruled by hold of {rule}", "被规则 {rule} 的人工审核覆盖")
OVERRULED_DEFER    = Phrase("overruled by defer of {rule}", "被规则 {rule} 的延后覆盖")
OVERRULED_REVIEW   = Phrase("overruled by review: {codes}", "被人工审核覆盖：{codes}")
OVERRULED_PRESALE  = Phrase("overruled by the unpaid final part", "因尾款未付而不生效")
HOLDS              = Phrase("holds the order for review", "进入人工审核")
DEFERS             = Phrase("defers the order", "延后处理")
DUE                = Phrase("no effect: already due", "不生效：已到期")
SHORT              = Phrase("on short: {what}", "缺货时：{what}")
OVERRULED_SHORT    = Phrase("on short overruled by {rule}", "缺货处理被规则 {rule} 覆盖")
ADDS_TAG           = Phrase("adds tag {tags}", "添加标签 {tags}")

# -- why the plan is as it is
CANCELLED          = Phrase("the order is cancelled", "订单已取消")
REFUNDED           = Phrase("the order is refunded in full", "订单已全额退款")
ALL_LINES_GONE     = Phrase("every line is cancelled or refunded", "所有商品行都已取消或退款")
SHIPPED            = Phrase("the order is shipped already", "订单已发货")
SERVICES_ONLY      = Phrase("services only: nothing to ship", "只有服务类商品，无需发货")
SHIPPED_ELSEWHERE  = Phrase("somebody else ships the goods: nothing for our warehouses", "商品由第三方发货，无需我方仓库处理")
NOTHING_LEFT       = Phrase("no line is left to ship", "没有待发的商品行")
NO_RULE            = Phrase("no-rule-matched: no rule names a warehouse for this order", "no-rule-matched：没有规则为此订单指定仓库")
GRAY               = Phrase("gray-rollout: outside the {percent} % that go through without a person", "gray-rollout：不在自动放行的 {percent}% 之内")
REVIEW             = Phrase("a person must decide: {codes}", "需要人工决定：{codes}")
FINAL_UNPAID       = Phrase("the final part of the presale is unpaid", "预售尾款未付")
RECEIVER_LATER     = Phrase("unpaid, and the platform names the receiver only once it is paid", "未付款，平台在付款后才提供收货人")
DEFERRED           = Phrase("deferred by {rule} until the final part is paid", "被规则 {rule} 延后到尾款付清")
DEFERRED_TIME      = Phrase("deferred by {rule} until {time}", "被规则 {rule} 延后到 {time}")
FORCED             = Phrase("{warehouse} and no other, forced by {rule}", "只发 {warehouse}，由规则 {rule} 强制")
FIRST_OF           = Phrase("{warehouse} first, by {rule}; then {others}", "首选 {warehouse}（规则 {rule}），其次 {others}")
ONLY               = Phrase("{warehouse}, by {rule}", "{warehouse}（规则 {rule}）")
# fmt: on

_PHRASES: Final = tuple(value for value in list(globals().values()) if isinstance(value, Phrase))


@lru_cache(maxsize=4096)
def _chinese(sentence: str) -> str | None:
    """The longest template wins, so that "candidate 1" is not read as a warehouse."""
    for phrase in sorted(_PHRASES, key=lambda phrase: -len(_GAP.sub("", phrase._en))):
        told = phrase.chinese_of(sentence)
        if told is not None:
            return told
    return None


def tell(sentence: str, language: Language) -> str:
    """A stored sentence, or several joined by "; ", in the language asked for. Unknown ones stay as they are."""
    if language == "en":
        return sentence
    whole = _chinese(sentence)
    if whole is not None:
        return whole
    return "；".join(_chinese(part) or part for part in sentence.split("; "))

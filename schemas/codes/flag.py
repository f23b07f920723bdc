"""What tagging found about an order, in detail: what a flag's explanation says beyond its hold code."""
# ruff: noqa: E501  # a table: one code a line

from __future__ import annotations

from schemas.codes.explanation import Code

# fmt: off


class FlagReason(Code):
    """Why an order carries a flag."""

    LINES_WITHOUT_SKU = "lines-without-sku", "{count} of its lines carry no SKU; add the SKU on the platform", "有 {count} 个商品行没有 SKU 编码，请在平台补上"
    SKUS_UNKNOWN = "skus-unknown", "the catalogue does not know {skus}; add it there or correct the SKU on the platform", "商品目录中没有 {skus}，请补充目录或在平台更正 SKU"
    MANY_SKUS_UNKNOWN = "many-skus-unknown", "the catalogue does not know {skus} and {more} more; add them there or correct the SKUs on the platform", "商品目录中没有 {skus} 及另外 {more} 个 SKU，请补充目录或在平台更正 SKU"
    NO_RECEIVER = "no-receiver", "the platform sent no receiver; ask for it again or look the order up on the platform", "平台没有给出收货人，请重新获取或到平台查看订单"
    TOO_FEW_GIFTS = "too-few-gifts", "{main} comes with {due} of {gift}, and the order has {there}", "{main} 应赠 {gift} {due} 件，订单中只有 {there} 件"
    TOO_MANY_GIFTS = "too-many-gifts", "the order has {there} of {gift}, and only {due} come with {main}", "订单中有 {gift} {there} 件，而 {main} 只应赠 {due} 件"
    GIFT_ALONE = "gift-alone", "the gift {gift} is there, and {main}, which it comes with, is not", "有赠品 {gift}，却没有对应的主商品 {main}"
    GIFT_MAIN_GONE = "gift-main-gone", "the line that the gift {gift} belongs to is gone or was never there", "赠品 {gift} 所属的主商品行已取消或不存在"
    GIFTS_PROMISED = "gifts-promised", "the platform promises {count} gifts in words, and no line carries them", "平台以文字承诺了 {count} 项赠品，但没有对应的商品行"
    GIFTS_ONLY = "gifts-only", "nothing but gifts is left to ship", "只剩赠品待发"
    BUNDLE_UNKNOWN = "bundle-unknown", "the catalogue does not know the bundle {sku}; it is made of {parts}", "商品目录中没有组合商品 {sku}，其组成为 {parts}"
    LARGE_BUNDLE_UNKNOWN = "large-bundle-unknown", "the catalogue does not know the bundle {sku}; it is made of {parts} and {more} more", "商品目录中没有组合商品 {sku}，其组成为 {parts} 及另外 {more} 种"
    SUMS_DIFFER = "sums-differ", "the totals of the platform do not add up to its lines; look the order up there", "平台给出的合计与商品行金额不一致，请到平台核对该订单"
    EMPTY_ORDER = "empty-order", "the order has no lines", "订单没有商品行"

"""The table of pages. A row here, and its class: that is all a page needs."""

from __future__ import annotations

from typing import Final

from ops.console.pages.audit import AuditPage
from ops.console.pages.backorders import BackordersPage
from ops.console.pages.orders import OrderPageOfOne, OrdersPage
from ops.console.pages.overview import OverviewPage
from ops.console.pages.page import PageRow
from ops.console.pages.people import PeoplePage
from ops.console.pages.review import ReviewPage
from ops.console.pages.set_aside import SetAsidePage
from ops.console.pages.stock import StockPage
from schemas.text import Text
from workers.admin.desk.access import Deed

# fmt: off
PAGES: Final[tuple[PageRow, ...]] = (
    PageRow("/", Text("Overview", "总览"), Text("What waits, by shop and stage; each number opens its list.", "各店铺、各阶段的订单；点击数字打开列表。"), Deed.ORDERS_FIND, OverviewPage, "insights"),
    PageRow("/review", Text("Review", "审核"), Text("Orders that need a person before they ship.", "需要人工处理后才能发货的订单。"), Deed.REVIEW_LIST, ReviewPage, "fact_check"),
    PageRow("/orders", Text("Orders", "订单"), Text("Any order, by number, stage or SKU.", "按订单号、阶段或 SKU 查找任意订单。"), Deed.ORDERS_FIND, OrdersPage, "receipt_long"),
    PageRow("/orders/{order_uid:path}", Text("One order", "订单详情"), Text("All that is known of it, newest first.", "该订单的全部经过，最新在前。"), Deed.ORDERS_SHOW, OrderPageOfOne, under="/orders"),
    PageRow("/stock", Text("Stock", "库存"), Text("On hand, what is taken of it and for what, and what may be sold.", "在库、各项占用与可售数量。"), Deed.STOCK_SHOW, StockPage, "inventory_2"),
    PageRow("/backorders", Text("Backorders", "待货与调拨"), Text("Who waits for stock, the oldest first; transfers that bring it.", "待货订单（最早在前）与补货调拨。"), Deed.BACKORDERS_LIST, BackordersPage, "hourglass_empty"),
    PageRow("/set-aside", Text("Set aside", "搁置"), Text("Messages that could not be processed; the line went on without them.", "无法处理的消息；其他订单不受影响。"), Deed.LETTERS_LIST, SetAsidePage, "report_problem"),
    PageRow("/people", Text("People", "人员"), Text("Who comes in, with which role, for which shops; and tokens of programs.", "谁可以登录、什么角色、哪些店铺；以及程序用的令牌。"), Deed.USERS_LIST, PeoplePage, "group"),
    PageRow("/audit", Text("Audit list", "操作记录"), Text("Who did what, when and from where; kept for ever.", "谁在何时何地做了什么；永久保存。"), Deed.AUDIT_LIST, AuditPage, "history"),
)
# fmt: on

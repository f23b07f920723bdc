"""Pick lists: what stands on them, and that a scanner reads their barcodes from what a printer gets."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Page, expect

from ops.console.asking import Trouble
from ops.console.paper import code128
from ops.console.paper.pick_list import Printing, page
from ops.console.paper.routes import refused
from ops.console.visit import Visit
from schemas.codes import HoldCode
from schemas.plan import Flag
from schemas.text import Text
from workers.admin.desk.picking import PickLine, PickList, PickOrder, totals
from workers.admin.desk.printing import Printed

NOW = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)


def a_pick_order(number: str, *, missing: bool = False, remark: str = "") -> PickOrder:
    tea = PickLine(line_id="1", sku="TEA-PUER-357", title="普洱茶", quantity=2, main_lines=[])
    cup = PickLine(line_id="2", sku="GIFT-TEA-CUP", title="茶杯", quantity=1, main_lines=["1"])
    flag = Flag(code=HoldCode.GIFT_MISSING, explanation=None, line_ids=("1",))
    return PickOrder(
        order_uid=f"taobao:tea-house:{number}",
        platform_order_id=number,
        revision="1",
        warehouses=["hangzhou"],
        is_told=not missing,
        purchases=[tea],
        gifts=[] if missing else [cup],
        missing_gifts=[flag] if missing else [],
        buyer_remark=remark,
        seller_memo="",
    )


def document(orders: list[PickOrder], before: tuple[str, ...] = ()) -> str:
    printed = {uid: Printed(order_uid=uid, times=1, last_at=NOW, last_by="wang") for uid in before}
    found = PickList(orders=orders, totals=totals(orders), unknown=[])
    return page(found, Printing("zh", "", "token", "wang", NOW, printed))


def test_bought_and_gifts_stand_apart_and_texts_are_escaped() -> None:
    html = document([a_pick_order("1", remark="<script>alert(1)</script>")])
    assert html.index("购买项") < html.index("TEA-PUER-357") < html.index("附赠项") < html.index("GIFT-TEA-CUP")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "缺赠品" not in html


def test_why_there_is_no_list_is_told_as_text_whatever_it_quotes() -> None:
    trouble = Trouble(Text("not <b>this</b>", "没有 <b>它</b>"), Text("ask <i>li</i>", "请找 <i>li</i>"), "gone")
    html = refused(Visit(language="zh", origin="127.0.0.1", prefix="/orders"), trouble)
    assert "没有 &lt;b&gt;它&lt;/b&gt;<br>请找 &lt;i&gt;li&lt;/i&gt;" in html
    assert "/orders/assets/paper.css" in html


def test_a_missing_gift_is_red_and_what_nobody_ships_is_not_picked() -> None:
    html = document([a_pick_order("1", missing=True)])
    assert '<p class="alert"><b>缺赠品</b>' in html
    assert "请勿拣货" in html


def test_many_begin_with_all_goods_together() -> None:
    html = document([a_pick_order(str(number)) for number in range(3)])
    assert html.index("商品汇总") < html.index('data-order="taobao:tea-house:0"')
    assert "<b>6</b>" in html


def test_what_was_printed_before_is_asked_about_with_its_numbers() -> None:
    html = document([a_pick_order("41"), a_pick_order("42")], before=("taobao:tea-house:42",))
    assert "1 单此前已打印: 42" in html
    assert 'data-which="new">只打印未打印的 (1)' in html


def test_a_number_that_no_barcode_can_hold_has_none() -> None:
    assert code128.svg("") == code128.svg("订单") == ""
    with pytest.raises(ValueError, match="Code 128"):
        code128.symbols("1\n")


@pytest.mark.asyncio(loop_scope="session")
async def test_its_barcode_is_read_from_what_is_printed(browser: Browser) -> None:
    numbers = ["3000000000000000001", "261111-000070000000012", "WC#70001003", "~x 1234567", "12a3456b78"]
    context = await browser.new_context(viewport={"width": 800, "height": 1100}, device_scale_factor=2)
    sheet: Page = await context.new_page()
    await sheet.emulate_media(media="print")
    await sheet.set_content(document([a_pick_order(number) for number in numbers]))
    await expect(sheet.locator(".barcode")).to_have_count(len(numbers))
    for place, number in enumerate(numbers):
        picture = await sheet.locator(".barcode").nth(place).screenshot()
        [read] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
        assert read.text == number
    await context.close()

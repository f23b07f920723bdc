"""Review and one order, in a browser, on a real fleet: what people decide there is done, or refused with its cause."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from functools import partial

import pytest
from playwright.async_api import Locator, Page, expect

from tests.ops.console.conftest import SignIn, enter
from tests.ops.console.fleet import Fleet
from workers.admin.desk.access import Role
from workers.admin.desk.filters import ReviewFilter

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_SECONDS = 60.0
ROWS = ".of-review tbody tr"


def left_review(fleet: Fleet, number: str) -> bool:
    return fleet.stage(number) in ("routed", "shipped", "transfer", "backordered")


async def until(question: Callable[[], bool], told: str) -> None:
    """Wait for what a server comes to."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await asyncio.to_thread(question):
        assert time.monotonic() < deadline, told
        await asyncio.sleep(0.1)


async def first_open(page: Page, rows: str = ROWS) -> Locator:
    """Open the first row, and wait for its buttons: they are drawn anew once the ledger has answered."""
    await page.locator(rows).first.click()
    return await ready_panel(page)


async def ready_panel(page: Page) -> Locator:
    await expect(page.locator(".of-acts-of-one:not([aria-busy])")).to_be_visible()
    return page.locator(".of-panel")


async def give_reason(page: Page, reason: str, act: str) -> None:
    """Fill the dialog before a decision."""
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name=reason, exact=True).click()
    await dialog.get_by_role("button", name=act, exact=True).click()


async def of_result(page: Page, told: str) -> None:
    await expect(page.locator(".of-result").first).to_contain_text(told, timeout=PATIENCE_SECONDS * 1000)


async def test_three_orders_are_released_and_go_to_their_warehouses(fleet: Fleet, at_fleet: SignIn) -> None:
    page = await at_fleet("/review?code=gift-missing")
    numbers = []
    for row in range(3):
        await page.locator(ROWS).nth(row).get_by_role("checkbox").click()
        numbers.append(await page.locator(ROWS).nth(row).locator(".of-number").inner_text())
    await page.get_by_role("button", name="放行", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text("可执行 3 单", timeout=PATIENCE_SECONDS * 1000)
    await give_reason(page, "无需赠品", "放行")
    await of_result(page, "成功 3，被拒绝 0，剩余 0")
    for number in numbers:
        await expect(page.locator(ROWS).filter(has_text=number)).to_have_count(0)
        await until(partial(left_review, fleet, number), number)


async def test_what_is_missing_stands_in_red_and_beside_the_list(at_fleet: SignIn) -> None:
    page = await at_fleet("/review?code=gift-missing")
    row = page.locator(ROWS).first
    await expect(row.locator(".of-mark.of-red")).to_have_text("缺赠品")
    missing = await row.locator(".of-missing").inner_text()
    assert re.fullmatch(r"[A-Z0-9-]+ 应赠 GIFT-[A-Z0-9-]+ \d+ 件，订单中只有 \d+ 件", missing)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    panel = page.locator(".of-panel")
    await expect(panel.locator(".of-reason-list")).to_contain_text(missing)
    await expect(panel).to_contain_text("候选仓当前库存")
    assert "order=" in page.url
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()


async def test_an_unknown_sku_is_corrected_in_all_orders_at_once(fleet: Fleet, at_fleet: SignIn) -> None:
    wanted = ReviewFilter(code="sku-unknown", sku="NOT-IN-CATALOGUE")
    before = fleet.in_review(wanted)
    assert len(before) > 1
    page = await at_fleet("/review?code=sku-unknown")
    panel = await first_open(page)
    await panel.get_by_role("button", name="更正商品").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("实发 SKU").first).to_be_visible()
    for field in await dialog.get_by_label("实发 SKU").all():
        if await field.input_value() == "NOT-IN-CATALOGUE":
            await field.fill("LAMP-DESK")
    await dialog.get_by_role("checkbox").click()
    await give_reason(page, "买家同意更换", "更正商品")
    await of_result(page, f"成功 {len(before)}，被拒绝 0，剩余 0")
    await until(lambda: fleet.in_review(wanted) == [], "corrected orders leave review")


async def test_one_that_a_warehouse_has_is_cancelled_and_its_answer_is_seen(fleet: Fleet, at_fleet: SignIn) -> None:
    page = await at_fleet("/review?code=gift-without-main")
    number = await page.locator(ROWS).first.locator(".of-number").inner_text()
    panel = await first_open(page)
    fleet.pause_warehouses()
    try:
        await panel.get_by_role("button", name="放行", exact=True).click()
        await give_reason(page, "已核对", "放行")
        await of_result(page, "放行")
        await until(lambda: fleet.stage(number) == "routed", "it is at a warehouse")
        await page.goto(f"/orders/{fleet.uid(number)}")
        panel = await ready_panel(page)
        await panel.get_by_role("button", name="取消发货").click()
        await give_reason(page, "买家要求取消", "取消发货")
        await of_result(page, "取消发货")
    finally:
        fleet.resume_warehouses()
    await until(lambda: fleet.shipment_state(number) in ("cancelled", "too-late", "shipped"), "the warehouse answers")
    await page.reload()
    answered = {"cancelled": "应答已取消，不再发货", "too-late": "应答拒绝", "shipped": "已发货"}
    await expect(page.locator(".of-timeline")).to_contain_text(answered[fleet.shipment_state(number)])
    await expect(page.locator(".of-timeline")).to_contain_text("收到取消指令")


async def test_what_was_overtaken_says_so(fleet: Fleet, at_fleet: SignIn) -> None:
    page = await at_fleet("/review?code=unknown-status")
    panel = await first_open(page)
    number = await panel.locator(".of-number.of-h2").inner_text()
    await panel.get_by_role("button", name="放行", exact=True).click()
    fleet.decide_elsewhere(number)
    await give_reason(page, "已核对", "放行")
    await of_result(page, "期间已有他人处理该订单；请重新查看")


async def test_a_viewer_sees_everything_and_changes_nothing(at_fleet: SignIn) -> None:
    page = await at_fleet("/review", Role.VIEWER)
    panel = await first_open(page)
    await expect(panel).to_contain_text("候选仓当前库存")
    for name in ("放行", "暂停", "重新决策", "取消发货", "更正商品", "备注"):
        await expect(panel.get_by_role("button", name=name, exact=True)).to_be_disabled()
    await page.get_by_role("checkbox").nth(1).click()
    await expect(page.locator(".of-tools").get_by_role("button", name="放行")).to_be_disabled()


async def test_a_console_that_dies_in_the_middle_of_a_job_loses_nothing(fleet: Fleet, at_fleet: SignIn) -> None:
    wanted = ReviewFilter(code="gift-missing")
    before = fleet.in_review(wanted)
    assert len(before) > 1
    page = await at_fleet("/review?code=gift-missing")
    await page.locator("thead").get_by_role("checkbox").click()
    await page.locator(".of-tools").get_by_role("button", name="放行", exact=True).click()
    fleet.pause_decisions()
    try:
        await give_reason(page, "无需赠品", "放行")
        await expect(page.locator(".of-result")).to_contain_text(f"剩余 {len(before)}")
        url = await asyncio.to_thread(fleet.restart_console)
    finally:
        fleet.resume_decisions()
    other = await page.context.new_page()
    await page.close()
    await enter(other, f"{url}/review", Role.LEAD)
    await expect(other.locator(ROWS).first).to_be_visible()
    await until(lambda: fleet.last_job().state == "done", "the job is done after the restart")
    job = fleet.last_job()
    assert (job.total, job.done, job.refused) == (len(before), len(before), {})
    assert fleet.in_review(wanted) == []


async def test_each_number_of_the_overview_opens_its_list(fleet: Fleet, at_fleet: SignIn) -> None:
    page = await at_fleet("/")
    await expect(page.locator(".of-figure").first).to_be_visible()
    await page.get_by_role("link", name="风控中").or_(page.get_by_role("link", name="部分退款")).first.click()
    await expect(page).to_have_url(re.compile(r"/review\?code="))
    await expect(page.locator(ROWS).first).to_be_visible()


async def test_an_order_is_found_by_its_number(fleet: Fleet, at_fleet: SignIn) -> None:
    number = fleet.any_of("shipped")
    page = await at_fleet("/orders")
    await page.get_by_label("订单号或 uid").fill(number)
    await expect(page.locator(".of-table tbody tr")).to_have_count(1)
    await page.locator(".of-table tbody tr").first.click()
    await expect(page.locator(".of-panel .of-h2").first).to_have_text(number)
    await expect(page.locator(".of-timeline")).to_contain_text("已发货")

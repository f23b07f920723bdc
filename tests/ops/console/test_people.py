"""People and the audit list: a user is made, changed and disabled; a token is shown once."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.ops.console.conftest import ADMIN, PASSWORD, SignIn
from workers.admin.desk.access import Role
from workers.admin.desk.desk import Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def signed_in_as(browser: Browser, console: str, name: str) -> Page:
    context = await browser.new_context(base_url=console)
    page = await context.new_page()
    await page.goto("/review")
    await page.fill("[name=name]", name)
    await page.fill("[name=password]", PASSWORD)
    await page.click("form[action$='/sign-in'] button")
    await expect(page.get_by_role("heading", level=1)).to_have_text("审核")
    return page


async def test_a_user_is_made_and_disabled_and_is_out_at_once(sign_in: SignIn, browser: Browser, console: str) -> None:
    page = await sign_in("/people", Role.ADMIN)
    await page.get_by_role("button", name="新建用户").click()
    dialog = page.locator(".q-dialog")
    await dialog.get_by_label("用户名").fill("X")
    await dialog.get_by_label("密码", exact=True).fill(PASSWORD)
    await dialog.get_by_role("button", name="创建").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("用户名为 2 到 40 个字符")
    await dialog.get_by_label("用户名").fill("chen")
    await dialog.get_by_role("button", name="创建").click()
    row = page.get_by_role("row").filter(has_text="chen")
    await expect(row).to_contain_text("操作员")

    theirs = await signed_in_as(browser, console, "chen")
    await row.click()
    await page.locator(".of-panel").get_by_role("button", name="停用").click()
    await expect(row).to_contain_text("已停用")
    await expect(theirs.locator("[name=password]")).to_be_visible()
    await theirs.context.close()


async def test_a_token_is_shown_once_and_revoked(sign_in: SignIn, desk: Desk) -> None:
    desk.users.add(ADMIN, "robot", Role.VIEWER, PASSWORD)
    page = await sign_in("/people", Role.ADMIN)
    await page.get_by_role("row").filter(has_text="robot").click()
    panel, dialog = page.locator(".of-panel"), page.locator(".q-dialog")
    await panel.get_by_role("button", name="新建令牌").click()
    await dialog.get_by_label("用途").fill("stock sync")
    await dialog.get_by_role("checkbox", name="stock:read").click()
    await dialog.get_by_role("button", name="创建").click()
    secret = dialog.get_by_text(re.compile("^of_"))
    token = await secret.inner_text()
    assert desk.tokens.actor(token, "test").name == "robot"
    await dialog.get_by_role("button", name="关闭").click()
    await expect(panel).to_contain_text("stock sync")
    await expect(page.get_by_text(token)).to_have_count(0)
    await panel.get_by_role("button", name="吊销").click()
    await expect(panel).to_contain_text("已失效")


async def test_the_audit_list_tells_who_did_what(sign_in: SignIn, desk: Desk) -> None:
    desk.users.add(ADMIN, "sun", Role.VIEWER, PASSWORD)
    page = await sign_in("/audit?subject=sun&deed=changes", Role.LEAD)
    rows = page.locator(".of-table tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("创建用户")
    await expect(rows.first).to_contain_text("完成")
    await page.get_by_label("操作人").fill("nobody")
    await expect(page.get_by_text("没有符合条件的操作记录")).to_be_visible()


@pytest.mark.parametrize("path", ["/people", "/audit"])
async def test_a_viewer_sees_neither(sign_in: SignIn, path: str) -> None:
    page = await sign_in(path, Role.VIEWER)
    await expect(page.get_by_role("alert")).to_contain_text("需要角色")
    await expect(page.get_by_role("link", name="人员")).to_have_count(0)

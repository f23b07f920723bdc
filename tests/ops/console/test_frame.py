"""Who comes in, and what surrounds the pages."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import expect

from tests.ops.console.conftest import SignIn
from workers.admin.desk.access import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_who_is_not_signed_in_sees_nothing(console: str) -> None:
    async with httpx.AsyncClient(base_url=console) as nobody:
        for path in ("/", "/review", "/orders/taobao:tea-house:1", "/_nicegui/x", "/nothing"):
            answer = await nobody.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
            assert (await nobody.get(path)).status_code == 401
        assert (await nobody.get("/health")).json() == {"status": "ok"}


async def test_signed_in_one_sees_the_page_that_was_asked_for(sign_in: SignIn) -> None:
    page = await sign_in("/review?code=no-rule", Role.VIEWER)
    await expect(page.get_by_role("heading", level=1)).to_have_text("审核")
    await expect(page.locator(".of-review tbody tr")).to_have_count(50)
    assert page.url.endswith("/review?code=no-rule")


async def test_the_language_is_switched_and_the_page_stays(sign_in: SignIn) -> None:
    page = await sign_in("/review?code=no-rule")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Review")
    assert page.url.endswith("/review?code=no-rule")
    assert await page.locator("html").get_attribute("lang") == "en-US"


async def test_signed_out_in_one_window_is_signed_out_in_all(sign_in: SignIn) -> None:
    page = await sign_in()
    other = await page.context.new_page()
    await other.goto("/review")
    await expect(other.get_by_role("heading", level=1)).to_have_text("审核")
    await page.get_by_role("button", name="退出登录").click()
    await expect(page.locator("[name=password]")).to_be_visible()
    await expect(other.locator("[name=password]")).to_be_visible()


async def test_a_viewer_cannot_release(sign_in: SignIn) -> None:
    page = await sign_in(role=Role.VIEWER)
    await page.locator(".of-review tbody tr").first.click()
    await expect(page.locator(".of-panel").get_by_role("button", name="放行")).to_be_disabled()

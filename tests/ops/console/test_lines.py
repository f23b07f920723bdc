"""Lines of an order beside the list: a long SKU and its title both stay readable."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.ops.console.conftest import PROJECT

pytestmark = pytest.mark.asyncio(loop_scope="session")
CSS = (PROJECT / "ops" / "console" / "static" / "console.css").read_text(encoding="utf-8")
LINE = """
<!doctype html><style>* {{ box-sizing: border-box; }} {css}</style>
<section class="of-panel of-beside"><table class="of-lines of-goods"><tbody><tr>
<td class="of-number"><div>{sku}</div></td><td class="of-grow"><div>{title}</div></td>
<td class="of-right"><div>× 2</div></td>
</tr></tbody></table></section>
"""


@pytest.mark.parametrize("sku", ["A" * 48, "BUNDLE-LONGJING-250-GIFT-TEA-CUP-SPRING-2026-RED", "冻" * 24])
async def test_no_line_is_broken_letter_by_letter(browser: Browser, sku: str) -> None:
    page = await browser.new_page(viewport={"width": 1280, "height": 720})
    try:
        await page.set_content(LINE.format(css=CSS, sku=sku, title="婴儿纸尿裤 L 54 片 家庭装 两箱"))
        sizes = [await page.locator(cell).bounding_box() for cell in ("td.of-number div", "td.of-grow div")]
        table = await page.locator("table").bounding_box()
    finally:
        await page.close()
    assert table is not None
    assert table["width"] < 432
    for size in sizes:
        assert size is not None
        assert size["width"] > 120
        assert size["height"] < 80

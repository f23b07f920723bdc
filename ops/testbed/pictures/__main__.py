"""`python -m ops.testbed.pictures`: every page of a console as a picture, in both sizes and languages.

    make demo ARGS="--keep"                        # prints the address and a password
    .venv/bin/python -m ops.testbed.pictures http://127.0.0.1:PORT --password PASSWORD --folder pictures

Those of the README files are made by it, too, when the run has gone on for some minutes; see ops/docs/pictures/:

    ... --only overview,review-order --folder ops/docs/pictures --sizes 1280

Needs a Chromium on the PATH. Full: as the run has it; empty: filters that match nothing; one order; the dialogs.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

SIZES: Final = ((1280, 720), (1440, 900))
ROWS: Final = ".of-review tbody tr"


async def overview(page: Page) -> None:
    """How orders stand."""
    await page.goto("/")
    await page.locator(".of-grid").wait_for()


async def review(page: Page) -> None:
    """The list."""
    await page.goto("/review")
    await page.locator(ROWS).first.wait_for()


async def review_order(page: Page) -> None:
    """An order beside the list."""
    await page.goto("/review?code=gift-missing")
    await page.locator(ROWS).nth(1).click()
    await page.locator(".of-green, .of-late-soft").first.wait_for()


async def review_dialog(page: Page) -> None:
    """What a decision about many would come to."""
    await page.goto("/review?code=gift-missing")
    await page.locator("thead").get_by_role("checkbox").click()
    await page.locator(".of-tools .of-acts .q-btn.bg-primary").first.click()
    await page.locator(".of-more").wait_for()
    await page.wait_for_timeout(3000)


async def review_empty(page: Page) -> None:
    """Nothing matches."""
    await page.goto("/review?sku=NOTHING-AT-ALL")
    await page.locator(".of-state").wait_for()


async def orders(page: Page) -> None:
    """The search."""
    await page.goto("/orders")
    await page.locator(".of-table tbody tr").first.wait_for()


async def order(page: Page) -> None:
    """One that has shipped."""
    await page.goto("/orders?stage=shipped")
    await page.locator(".of-table tbody tr").first.click()
    await page.locator(".of-timeline").wait_for()


PICTURES: Final[tuple[Callable[[Page], Awaitable[None]], ...]] = (
    overview,
    review,
    review_order,
    review_dialog,
    review_empty,
    orders,
    order,
)


async def take(browser: Browser, options: argparse.Namespace, language: str, size: tuple[int, int]) -> None:
    """All pictures in one language and size."""
    context = await browser.new_context(
        base_url=options.url, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    await context.add_cookies([{"name": "orderfleet_language", "value": language, "url": options.url}])
    page = await context.new_page()
    page.set_default_timeout(60_000)
    await page.goto("/sign-in")
    if not options.only:
        _save(await page.screenshot(), options.folder / f"sign-in-{language}-{size[0]}.png")
    await page.fill("[name=name]", options.user)
    await page.fill("[name=password]", options.password)
    await page.click("form[action$='/sign-in'] button")
    for picture in PICTURES:
        name = picture.__name__.replace("_", "-")
        if options.only and name not in options.only:
            continue
        try:
            await picture(page)
            await page.wait_for_timeout(1500)
        except Exception as error:  # noqa: BLE001  # the others are worth having
            sys.stderr.write(f"{picture.__name__} {language}: {type(error).__name__}\n")
        _save(await page.screenshot(), options.folder / f"{name}-{language}-{size[0]}.png")
    await context.close()


def _save(taken: bytes, file: Path) -> None:
    """With 256 colours: half the size, and a page has hardly more."""
    with Image.open(io.BytesIO(taken)) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)


async def main(options: argparse.Namespace) -> None:
    """All of them."""
    options.folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for language in options.languages.split(","):
            for size in SIZES:
                if str(size[0]) in options.sizes.split(","):
                    await take(browser, options, language, size)
        await browser.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ops.testbed.pictures", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("url", help="the console's address")
    parser.add_argument("--user", default="demo", help="who signs in")
    parser.add_argument("--password", required=True, help="as the demo printed it")
    parser.add_argument("--folder", type=Path, default=Path("pictures"), help="where the pictures go")
    parser.add_argument("--only", default=[], type=lambda names: names.split(","), help="comma separated; else all")
    parser.add_argument("--languages", default="zh,en", help="comma separated")
    parser.add_argument("--sizes", default="1280,1440", help="widths, comma separated")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(_options()))

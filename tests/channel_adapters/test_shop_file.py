"""What is wrong with a file of shops is told by shop and setting, in both languages, and never with a value."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from channel_adapters.shop import ShopSettings
from channel_adapters.shop_file import BrokenShopFile, load_shops
from schemas.order import OrderStatus

SHOP = "- {channel: jd, shop_id: a, base_url: 'http://x'}\n- channel: jd\n  shop_id: b\n  base_url: http://x\n"


def shops(tmp_path: Path, text: str) -> list[ShopSettings]:
    file = tmp_path / "shops.yaml"
    file.write_text(text, encoding="utf-8")
    return load_shops(file, ["jd"])


@pytest.mark.parametrize(
    ("line", "en", "zh"),
    [
        ("unpaid_hold: {on-hold: 7 days}", "shop 2.unpaid_hold.on-hold should be a time such as 30m", "时长"),
        ("unpaid_hold: [hidden]", "shop 2.unpaid_hold should be a mapping", "映射"),
        ("status_words: {lost: hidden}", "shop 2.status_words.lost should be one of: awaiting-payment", "下列之一"),
        ("status_words: {'': to-ship}", "should be a word of the platform, or field=word", "应为平台的状态词"),
        ("status_words: {'status= ': to-ship}", "should be a word of the platform, or field=word", "字段=状态词"),
        ("status_words: {'=7': to-ship}", "should be a word of the platform, or field=word", "字段=状态词"),
        ("status_words: {yes: to-ship}", "shop 2.status_words.1 should be a text: write it in quotes", "请加引号"),
        (
            "status_word: {x: to-ship}",
            "shop 2.status_word is no setting of a shop; there are",
            "不是店铺配置项",
        ),
        ("fulfilled_elsewhere: hidden", "shop 2.fulfilled_elsewhere should be a list", "列表"),
        ("app_secret: 123456", "shop 2.app_secret should be a text: write it in quotes", "请加引号"),
        ("access_token: [hidden]", "shop 2.access_token should be a text", "文本"),
        ("poll_seconds: -5", "shop 2.poll_seconds is too small", "过小"),
        ("poll_seconds: .nan", "shop 2.poll_seconds should be a number", "数字"),
        ("page_size: 0", "shop 2.page_size is too small", "过小"),
        ("page_size: hidden", "shop 2.page_size should be a whole number", "整数"),
        ("captures_on_fulfilment: hidden", "shop 2.captures_on_fulfilment should be true or false", "true"),
    ],
)
def test_a_setting_that_is_wrong_is_told_in_both_languages(tmp_path: Path, line: str, en: str, zh: str) -> None:
    with pytest.raises(BrokenShopFile) as refused:
        shops(tmp_path, f"{SHOP}  {line}\n")
    told = refused.value.text
    assert en in told.en
    assert zh in told.zh
    for value in ("hidden", "123456", "7 days"):
        assert value not in told.en + told.zh


@pytest.mark.parametrize("text", ["", "channel: jd\n", "shops\n"])
def test_what_is_no_list_of_shops_is_told_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(BrokenShopFile, match="a list of shops") as refused:
        shops(tmp_path, text)
    assert "店铺列表" in refused.value.text.zh


def test_words_may_be_numbers(tmp_path: Path) -> None:
    """Pinduoduo's statuses are, and JD's flags."""
    _, shop = shops(tmp_path, f"{SHOP}  status_words: {{7: to-ship}}\n  unpaid_hold: {{'*': 36h}}\n")
    assert shop.policy.status_words == {"7": OrderStatus.TO_SHIP}
    assert shop.policy.unpaid_hold == {"*": timedelta(hours=36)}


def test_blanks_round_a_word_and_its_field_do_not_count(tmp_path: Path) -> None:
    _, shop = shops(tmp_path, f"{SHOP}  status_words: {{' lost ': to-ship, 'refund = 7': on-hold}}\n")
    assert shop.policy.meaning_of("lost", "status") is OrderStatus.TO_SHIP
    assert shop.policy.meaning_of("7", "order.refund") is OrderStatus.ON_HOLD

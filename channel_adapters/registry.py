"""Every channel, one row each. The only place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from channel_adapters.contract import ChannelAdapter, ChannelClient
from channel_adapters.douyin import adapter as douyin
from channel_adapters.douyin import client as douyin_client
from channel_adapters.jd import adapter as jd
from channel_adapters.jd import client as jd_client
from channel_adapters.pinduoduo import adapter as pinduoduo
from channel_adapters.pinduoduo import client as pinduoduo_client
from channel_adapters.shop import ShopSettings
from channel_adapters.shopify import adapter as shopify
from channel_adapters.shopify import client as shopify_client
from channel_adapters.taobao import adapter as taobao
from channel_adapters.taobao import client as taobao_client
from channel_adapters.woocommerce import adapter as woocommerce
from channel_adapters.woocommerce import client as woocommerce_client
from schemas.text import Text

MakeClient = Callable[[ShopSettings, httpx.AsyncClient, Callable[[], datetime]], ChannelClient]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: its format and how a client of one shop is made."""

    name: str
    title: Text
    adapter: ChannelAdapter
    make_client: MakeClient


_ROWS: tuple[Channel, ...] = (
    Channel("taobao", Text("Taobao / Tmall", "淘宝 / 天猫"), taobao.ADAPTER, taobao_client.make_client),
    Channel("pinduoduo", Text("Pinduoduo", "拼多多"), pinduoduo.ADAPTER, pinduoduo_client.make_client),
    Channel("douyin", Text("Douyin shop", "抖店"), douyin.ADAPTER, douyin_client.make_client),
    Channel("jd", Text("JD", "京东"), jd.ADAPTER, jd_client.make_client),
    Channel(
        "woocommerce", Text("WooCommerce", "WooCommerce 商城"), woocommerce.ADAPTER, woocommerce_client.make_client
    ),
    Channel("shopify", Text("Shopify", "Shopify 商城"), shopify.ADAPTER, shopify_client.make_client),
)

CHANNELS: dict[str, Channel] = {row.name: row for row in _ROWS}

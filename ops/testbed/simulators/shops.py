"""The simulated shops as the fleet's settings name them. Secrets are made up and say so."""

from __future__ import annotations

from pydantic import SecretStr

from channel_adapters.shop import ShopSettings

SHOP_IDS = {
    "taobao": "tb-flagship",
    "pinduoduo": "pdd-flagship",
    "douyin": "dy-flagship",
    "jd": "jd-flagship",
    "woocommerce": "woo-mall",
    "shopify": "shopify-mall",
}


def simulated_shop(channel: str, base_url: str = "http://127.0.0.1") -> ShopSettings:
    """The settings of one simulated shop at the server `base_url` (scheme, host, port).

    The simulators lose nothing near the present, so a window need not settle.
    """
    return ShopSettings(
        channel=channel,
        shop_id=SHOP_IDS[channel],
        base_url=f"{base_url.rstrip('/')}/{channel}",
        app_key=f"demo-{channel}-app-key",
        app_secret=SecretStr(f"demo-{channel}-app-secret"),
        access_token=SecretStr(f"demo-{channel}-access-token"),
        webhook_secret=SecretStr(f"demo-{channel}-webhook-secret"),
        settle_seconds=0.0,
        poll_seconds=1.0,
    )


def simulated_shops(base_url: str) -> tuple[ShopSettings, ...]:
    """All six."""
    return tuple(simulated_shop(channel, base_url) for channel in SHOP_IDS)

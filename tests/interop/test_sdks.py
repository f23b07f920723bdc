"""Clients of the platforms that others wrote, against the simulators: see README.md in this folder.

They run in an environment of their own, which `make interop` makes; without it these tests are skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from channel_adapters.contract import Window
from channel_adapters.douyin import signature as douyin
from channel_adapters.jd import signature as jd
from channel_adapters.pinduoduo import signature as pinduoduo
from channel_adapters.registry import CHANNELS
from channel_adapters.shopify import signature as shopify
from channel_adapters.woocommerce import signature as woocommerce
from ops.testbed.simulators.platforms.jd import STATES
from ops.testbed.simulators.shops import SHOP_IDS, simulated_shop

ROOT: Final = Path(__file__).parents[2]
PYTHON: Final = ROOT / ".venv-interop/bin/python"
ORDERS: Final = 60  # so few that a page of the SDKs that do not turn pages holds a channel's

pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason="make interop installs the SDKs"),
    pytest.mark.xdist_group("interop"),
]


def ask(what: str, told: Mapping[str, Any]) -> Any:
    """What an SDK's process answers."""
    command = [str(PYTHON), "-W", "ignore", "tests/interop/sdk.py", what]
    ended = subprocess.run(
        command, input=json.dumps(told), cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Platforms that have sold what they will sell."""
    command = [
        sys.executable,
        "-m",
        "ops.testbed.simulators",
        "--orders",
        str(ORDERS),
        "--rate",
        "600",
        "--pay-seconds",
        "1",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        with httpx.Client(base_url=url, trust_env=False) as http:
            deadline = time.monotonic() + 60
            while not (progress := http.get("/_simulator/progress").json())["finished"]:
                assert time.monotonic() < deadline, progress
                time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.communicate()


def _told(channel: str, base_url: str, **changed: Any) -> dict[str, Any]:
    shop, now = simulated_shop(channel, base_url), int(time.time())
    return {
        "base_url": shop.base_url,
        "key": shop.app_key,
        "secret": shop.app_secret.get_secret_value(),
        "token": shop.access_token.get_secret_value(),
        "start": now - 900,
        "end": now + 60,
        "states": sorted(STATES),
        **changed,
    }


async def _ours(channel: str, base_url: str) -> set[str]:
    """The ids that our own client lists."""
    now = datetime.now(UTC)
    window = Window(now - timedelta(seconds=900), now + timedelta(seconds=60))
    async with httpx.AsyncClient(trust_env=False) as http:
        client = CHANNELS[channel].make_client(simulated_shop(channel, base_url), http, lambda: datetime.now(UTC))
        return {raw.platform_order_id async for page in client.orders_modified(window) for raw in page}


@pytest.mark.parametrize("channel", SHOP_IDS)
async def test_the_sdk_lists_the_orders_that_our_client_lists(channel: str, base_url: str) -> None:
    listed = ask(channel, _told(channel, base_url))
    ours = await _ours(channel, base_url)
    assert ours
    assert sorted(listed["orders"]) == sorted(ours)  # and none twice


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ("taobao", "isv.invalid-signature"),
        ("pinduoduo", "20004"),
        ("douyin", "isv.signature-invalid"),
        ("jd", "无效签名"),
        ("woocommerce", "woocommerce_rest_authentication_error"),
    ],
)
def test_the_sdk_is_refused_with_a_wrong_secret(channel: str, says: str, base_url: str) -> None:
    assert says in ask(channel, _told(channel, base_url, secret="wrong-secret"))["refused"]


def test_the_shopify_sdk_is_refused_with_a_wrong_token(base_url: str) -> None:
    assert "401" in ask("shopify", _told("shopify", base_url, token="wrong-token"))["refused"]


def test_our_signatures_are_theirs() -> None:
    key, secret = "7000000000000000001", "example-secret"
    parameters = {
        "client_id": key,
        "type": "pdd.order.information.get",
        "timestamp": "1790000000",
        "z": "",
        "a b": "1&2",
    }
    params = douyin.param_json({"size": 100, "page": 0, "order_by": "update_time"})
    stamp = "2026-11-11 00:00:01"
    body = '[{"tag":"100","msg_id":"1","data":{"p_id":"1","备注":"测试"}}]'
    now = datetime(2026, 11, 11, tzinfo=UTC)
    url = "http://shop.example/wp-json/wc/v3/orders"
    asked = {"per_page": "5", "page": "2", "modified_after": "2026-11-11T00:00:01", "status": "any"}
    oauth = woocommerce.oauth_params("GET", url, asked, key, secret, "nonce", now)
    ours = {
        "jd": jd.sign(parameters, secret),
        "pinduoduo": pinduoduo.sign(parameters, secret),
        "douyin": douyin.sign(key, secret, "order.searchList", params, stamp),
        "douyin push": True,
        "douyin forged push": False,
        "woocommerce": oauth["oauth_signature"],
        "shopify callback": shopify.callback_signature(parameters, secret),
    }
    told = {
        "key": key,
        "secret": secret,
        "parameters": parameters,
        "param_json": params,
        "timestamp": stamp,
        "body": body,
        "event_sign": douyin.sign_push(key, secret, body.encode()),
        "oauth": {name: value for name, value in oauth.items() if name != "oauth_signature"},
    }
    theirs = ask("vectors", told)["signatures"]
    assert theirs == ours

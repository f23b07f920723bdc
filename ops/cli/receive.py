"""`orderfleet receive`: takes what platforms push, in a process of its own, so that no caller can disturb polling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.intake import address_of, opened_intake, prepare, shops_of, until_told
from ops.cli.output import ExitCode, epilog, fail, print_json, say, settings
from schemas.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_adapters.shop import ShopSettings
    from workers.intake.service import Address
    from workers.runtime.settings import Settings

HELP = say(
    "Take signed pushes of the shops in a file at /webhooks/CHANNEL/SHOP, until SIGTERM. Polls nothing: run "
    "`orderfleet poll` as well. Any number may run behind one proxy.",
    "在 /webhooks/渠道/店铺 接收文件中各店铺带签名的推送，直到收到 SIGTERM。不拉取订单：请同时运行 `orderfleet poll`。"
    "可在同一代理后运行多个。",
)
EPILOG = epilog(
    [
        (
            "ORDERFLEET_WEBHOOK_PORT=8080 orderfleet receive --shops shops.yaml",
            Text("pushes at port 8080 of this machine", "在本机 8080 端口接收推送"),
        ),
        (
            "ORDERFLEET_WEBHOOK_HOST=0.0.0.0 ORDERFLEET_WEBHOOK_PORT=8080 orderfleet receive --shops shops.yaml",
            Text("from everywhere: put a proxy that does TLS in front", "对所有地址开放：前面应有提供 TLS 的代理"),
        ),
    ],
    (ExitCode.OK, ExitCode.USAGE),
)


def receive(
    shops: Annotated[Path | None, typer.Option(help=say("YAML list of shops.", "店铺列表，YAML 格式。"))] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """The command."""
    import asyncio

    import uvloop

    config = settings()
    found, address = shops_of(shops, config), address_of(config)
    if address is None:
        fail(
            Text(
                "no port to take pushes at: set ORDERFLEET_WEBHOOK_PORT",
                "没有接收推送的端口：请设置 ORDERFLEET_WEBHOOK_PORT",
            ),
            ExitCode.USAGE,
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(config, found, address, as_json))


async def _run(config: Settings, shops: Sequence[ShopSettings], address: Address, as_json: bool) -> None:
    """Until told to leave."""
    metrics_port = prepare(config)

    def ready(webhook_port: int) -> None:
        if as_json:
            print_json({"ready": True, "metrics_port": metrics_port, "webhook_port": webhook_port})

    async with opened_intake(config, shops) as intake:
        await until_told(intake.receive(address, ready), config)

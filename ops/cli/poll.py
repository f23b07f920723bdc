"""`orderfleet poll`: pulls the shops' orders into `orders.raw.<channel>`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.output import ExitCode, epilog, fail, say, settings
from schemas.text import Text

if TYPE_CHECKING:
    from channel_adapters.shop import ShopSettings
    from workers.runtime.settings import Settings

HELP = say(
    "Pull the orders of the shops in a file, until SIGTERM. Any number may run: each shop is polled by one at a time.",
    "按店铺配置文件拉取订单，直到收到 SIGTERM。可同时运行多个：每个店铺同一时刻只由一个进程拉取。",
)
EPILOG = epilog(
    [
        ("orderfleet poll --shops shops.yaml", Text("the shops in a file", "按文件中的店铺")),
        ("ORDERFLEET_SHOPS_FILE=shops.yaml orderfleet poll", Text("the same by setting", "用环境变量指定")),
    ],
    (ExitCode.OK, ExitCode.USAGE),
)


def poll(
    shops: Annotated[Path | None, typer.Option(help=say("YAML list of shops.", "店铺列表，YAML 格式。"))] = None,
) -> None:
    """The command."""
    import asyncio
    import logging

    import uvloop

    config = settings()
    logging.getLogger().setLevel(config.log_level)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    path = shops or config.shops_file
    if path is None:
        fail(
            Text(
                "no shops: name a file with --shops or ORDERFLEET_SHOPS_FILE",
                "没有店铺：请用 --shops 或 ORDERFLEET_SHOPS_FILE 指定文件",
            ),
            ExitCode.USAGE,
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_poll(config, read_shops(path)))


def read_shops(path: Path) -> list[ShopSettings]:
    """The shops in a YAML file. Ends the command with the shop and field at fault, never with a value."""
    import yaml
    from pydantic import TypeAdapter, ValidationError

    from channel_adapters.registry import CHANNELS
    from channel_adapters.shop import ShopSettings

    try:
        shops = TypeAdapter(list[ShopSettings]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        fail(Text(f"{path}: {error.strerror}", f"{path}：无法读取"), ExitCode.USAGE)
    except yaml.YAMLError:
        fail(Text(f"{path}: is not YAML", f"{path}：不是合法的 YAML"), ExitCode.USAGE)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in detail["loc"])
        fail(Text(f"{path}: shop {where}: {detail['msg']}", f"{path}：店铺 {where}：{detail['msg']}"), ExitCode.USAGE)
    for shop in shops:
        if shop.channel not in CHANNELS:
            known = ", ".join(CHANNELS)
            fail(
                Text(
                    f"{path}: {shop.shop_id}: no channel {shop.channel}; there are {known}",
                    f"{path}：{shop.shop_id}：没有渠道 {shop.channel}，可用：{known}",
                ),
                ExitCode.USAGE,
            )
    return shops


async def _poll(config: Settings, shops: list[ShopSettings]) -> None:
    import asyncio
    import signal
    from datetime import UTC, datetime, timedelta

    import httpx
    from redis.asyncio import Redis

    from channel_adapters.registry import CHANNELS
    from workers.intake.cursor import Cursors
    from workers.intake.fleet import poll_all
    from workers.intake.lease import Leases
    from workers.intake.policy import PollPolicy
    from workers.intake.poll import ShopPoller
    from workers.intake.unread import Unread
    from workers.runtime.producer import Producer

    producer = Producer(config.kafka)
    producer.start()
    policy = PollPolicy(
        fastest_seconds=config.poll_fastest_seconds, first_lookback=timedelta(seconds=config.poll_lookback_seconds)
    )
    redis = Redis.from_url(config.redis_url.get_secret_value())
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=100)) as http:
        pollers = [
            ShopPoller(
                shop,
                CHANNELS[shop.channel].make_client(shop, http, lambda: datetime.now(UTC)),
                producer=producer,
                leases=Leases(redis),
                cursors=Cursors(redis),
                unread=Unread(redis),
                policy=policy,
            )
            for shop in shops
        ]
        polling = asyncio.create_task(poll_all(pollers))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, polling.cancel)
        await asyncio.gather(polling, return_exceptions=True)
    await producer.close()
    await redis.aclose()

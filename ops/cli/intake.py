"""What the commands of intake share: the shops' file, what talks to Kafka, Redis and the platforms, and the way out."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ops.cli.output import ExitCode, fail
from schemas.text import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Sequence
    from typing import Any

    import httpx

    from channel_adapters.shop import ShopSettings
    from workers.intake.pace import Peak
    from workers.intake.service import Address, Intake, Policies
    from workers.runtime.settings import Settings


def shops_of(path: Path | None, config: Settings) -> list[ShopSettings]:
    """The shops in the file that is named, or that the settings name. Ends the command when there is none."""
    named = path or config.shops_file
    if named is None:
        fail(
            Text(
                "no shops: name a file with --shops or ORDERFLEET_SHOPS_FILE",
                "没有店铺：请用 --shops 或 ORDERFLEET_SHOPS_FILE 指定文件",
            ),
            ExitCode.USAGE,
        )
    return read_shops(named)


def read_shops(path: Path) -> list[ShopSettings]:
    """The shops in a YAML file. Ends the command with the shop and field at fault, never with a value."""
    from channel_adapters.registry import CHANNELS
    from channel_adapters.shop_file import BrokenShopFile, load_shops

    try:
        return load_shops(path, tuple(CHANNELS))
    except BrokenShopFile as error:
        fail(error.text, ExitCode.USAGE)


@asynccontextmanager
async def opened_intake(
    config: Settings, shops: Sequence[ShopSettings], peaks: Sequence[Peak] = ()
) -> AsyncIterator[Intake]:
    """Everything that intake needs, closed again in any case."""
    import logging
    from contextlib import AsyncExitStack
    from datetime import UTC, datetime

    import httpx

    from channel_adapters.registry import CHANNELS
    from workers.intake.service import Connection, Intake
    from workers.inventory.epoch import guarded
    from workers.runtime.kafka.producer import Producer

    logging.getLogger().setLevel(config.log_level)
    for chatty in ("httpx", "aiokafka"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    async with AsyncExitStack() as stack:
        producer = Producer(config.cluster)
        producer.start()
        stack.push_async_callback(producer.close)
        guarded_redis, _ = guarded(config.redis_url.get_secret_value(), config.cluster)
        redis = await stack.enter_async_context(guarded_redis)
        limits = httpx.Limits(max_connections=100)
        http = await stack.enter_async_context(_client(limits))
        connections = []
        for shop in shops:
            channel = CHANNELS[shop.channel]
            client = channel.make_client(shop, http, lambda: datetime.now(UTC))
            connections.append(Connection(shop, client, channel.adapter))
        yield Intake(connections, producer=producer, redis=redis, policies=_policies(config, peaks))


def _policies(config: Settings, peaks: Sequence[Peak]) -> Policies:
    from datetime import timedelta

    from workers.intake.connections import ConnectionLimits
    from workers.intake.policy import PollPolicy
    from workers.intake.register import RereadPolicy
    from workers.intake.service import Policies
    from workers.intake.webhook import WebhookPolicy

    return Policies(
        poll=PollPolicy(
            fastest_seconds=config.poll_fastest_seconds,
            first_lookback=timedelta(seconds=config.poll_lookback_seconds),
            peaks=tuple(peaks),
        ),
        reread=RereadPolicy(
            every_seconds=config.reread_seconds,
            forget_seconds=config.reread_days * 86_400.0,
            most_missing=config.reread_most_missing,
        ),
        webhooks=WebhookPolicy(connections=ConnectionLimits(connections=config.webhook_connections)),
    )


def address_of(config: Settings) -> Address | None:
    """Where pushes are taken; None when nowhere."""
    from workers.intake.service import Address

    return None if config.webhook_port is None else Address(config.webhook_host, config.webhook_port)


def prepare(config: Settings) -> int | None:
    """What a process needs that runs until it is told to leave. Gives the port of its metrics."""
    from ops.cli.worker import serve_metrics
    from workers.runtime.memory import tune_malloc

    tune_malloc()
    return serve_metrics(config.metrics_host, config.metrics_port)


async def until_told(work: Coroutine[Any, Any, None], config: Settings) -> None:
    """Do `work` until SIGTERM or Ctrl-C. Ends the command when it cannot listen where it should."""
    import asyncio
    import signal
    from contextlib import suppress

    running = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await running
    except OSError as error:
        host, port = config.webhook_host, config.webhook_port
        fail(
            Text(
                f"cannot listen at {host}:{port} ({error.strerror}); set ORDERFLEET_WEBHOOK_PORT",
                f"无法监听 {host}:{port}（{error.strerror}）；请修改 ORDERFLEET_WEBHOOK_PORT",
            ),
            ExitCode.USAGE,
        )


def _client(limits: httpx.Limits) -> httpx.AsyncClient:
    """Goes through the proxy that the environment names; ends the command when it names one that cannot be used."""
    import httpx

    try:
        return httpx.AsyncClient(timeout=30, limits=limits)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        word = type(error).__name__  # its text may quote a password
        fail(
            Text(
                f"the proxy settings cannot be used ({word}): HTTPS_PROXY and HTTP_PROXY take http://HOST:PORT, "
                "NO_PROXY host names with commas between; leave ALL_PROXY=socks5://... away",
                f"代理设置无法使用（{word}）：HTTPS_PROXY 和 HTTP_PROXY 应为 http://主机:端口，"
                "NO_PROXY 为逗号分隔的主机名；请去掉 ALL_PROXY=socks5://...",
            ),
            ExitCode.USAGE,
        )

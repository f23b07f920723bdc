"""`orderfleet alerts`: takes what Alertmanager posts, until SIGTERM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.output import ExitCode, epilog, fail, print_json, say, settings
from schemas.text import Text

if TYPE_CHECKING:
    from workers.runtime.settings import Settings

HELP = say(
    "Take what Alertmanager posts, and put it where all other notices are, until SIGTERM. Asks for the token "
    "ORDERFLEET_ALERTS_TOKEN. Listens on this machine only unless told otherwise. What is critical is told at once, "
    "past Kafka and Redis, when these are away.",
    "接收 Alertmanager 的告警并转为通知，直到收到 SIGTERM。请求须带令牌 ORDERFLEET_ALERTS_TOKEN。默认只监听本机。"
    "Kafka 或 Redis 不可用时，严重告警会绕过它们立即通知。",
)
EPILOG = epilog(
    [
        (
            "ORDERFLEET_ALERTS_TOKEN=... orderfleet alerts",
            Text("at http://127.0.0.1:8095/alerts", "地址 http://127.0.0.1:8095/alerts"),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE),
)


def alerts(
    as_json: Annotated[
        bool, typer.Option("--json", help=say("Say when ready, as JSON.", "就绪时输出一行 JSON。"))
    ] = False,
) -> None:
    """The command."""
    import asyncio
    import logging

    import uvloop

    from workers.admin.errors import OperatorError

    config = settings()
    logging.getLogger().setLevel(config.log_level)
    for chatty in ("aiokafka", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if not config.alerts_token.get_secret_value():
        fail(
            Text(
                "anybody could post alerts: set ORDERFLEET_ALERTS_TOKEN",
                "任何人都可以发送告警：请设置 ORDERFLEET_ALERTS_TOKEN",
            ),
            ExitCode.USAGE,
        )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(config, as_json))
    except OperatorError as error:
        fail(error.text, ExitCode.BAD)
    except OSError as error:
        at = f"{config.alerts_host}:{config.alerts_port}"
        fail(
            Text(
                f"cannot listen at {at} ({error.strerror}); set ORDERFLEET_ALERTS_PORT",
                f"无法监听 {at}（{error.strerror}）；请修改 ORDERFLEET_ALERTS_PORT",
            ),
            ExitCode.USAGE,
        )


async def _run(config: Settings, as_json: bool) -> None:
    import asyncio
    import signal

    from ops.cli.intake import prepare
    from workers.admin.alerting import opened_receiver

    metrics_port = prepare(config)
    leave = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    async with (
        opened_receiver(config) as receiver,
        receiver.listening(host=config.alerts_host, port=config.alerts_port) as port,
    ):
        if as_json:
            print_json({"ready": True, "metrics_port": metrics_port, "alerts_port": port})
        await leave.wait()

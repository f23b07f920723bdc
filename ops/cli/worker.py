"""`orderfleet worker`: runs stages until SIGTERM."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli.output import ExitCode, epilog, fail, print_json, say, settings
from schemas.text import Text

HELP = say(
    "Run stages until SIGTERM: all of them, or those named. Leaves within ten seconds and loses nothing.",
    "运行各处理环节，直到收到 SIGTERM；可只运行指定的环节。十秒内退出，不丢数据。",
)
EPILOG = epilog(
    [
        ("orderfleet worker", Text("everything in one process", "一个进程跑全部环节")),
        ("orderfleet worker --stages reserve", Text("only this stage's group", "只跑这一组")),
        ("orderfleet worker --stages wake,restock,sweep,relay", Text("only the timers", "只跑定时环节")),
        (
            "ORDERFLEET_DURABLE_HANDOVER=true orderfleet worker --stages tag",
            Text("one chained stage by itself, with topics at every hand-over", "串联环节之间改走主题后，单独运行一个"),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)

STAGES = say("Stages to run, comma separated; none: all.", "要运行的环节，逗号分隔；不填为全部。")


def worker(
    stages: Annotated[
        str,
        typer.Option(help=STAGES),
    ] = "",
    json: Annotated[
        bool, typer.Option("--json", help=say("Say when ready, as JSON.", "就绪时输出一行 JSON。"))
    ] = False,
) -> None:
    """The command."""
    import asyncio
    import logging
    import os
    import sys

    import uvloop
    from aiokafka.errors import KafkaConnectionError

    import topology
    from channel_adapters.shop_file import BrokenShopFile
    from ops.cli.servers import fail_kafka_away, fail_redis_away
    from workers.admin.preflight import Unfit
    from workers.notify.recipients import BrokenRecipients
    from workers.rules.problems import RulesetErrors
    from workers.runtime.errors import TransientError
    from workers.runtime.table import BrokenTable
    from workers.runtime.tasks import end_tasks

    config = settings()
    logging.getLogger().setLevel(config.log_level)
    for chatty in ("faust", "mode", "aiokafka", "workers.runtime.faust_bridge.transport"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
    names = [name.strip() for name in stages.split(",") if name.strip()]
    port = serve_metrics(config.metrics_host, config.metrics_port)

    def ready() -> None:
        if json:
            print_json({"ready": True, "metrics_port": port, "stages": names})
            sys.stdout.flush()

    async def run() -> int:
        try:
            return await topology.run_worker(config, names, ready)
        finally:
            await end_tasks(asyncio.all_tasks() - {asyncio.current_task()})

    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)  # closing it would wait for ever for a task that stays
    try:
        code = runner.run(run())
    except BrokenTable as error:
        fail(Text(str(error), str(error)), ExitCode.USAGE)
    except RulesetErrors as error:
        fail(Text(str(error), str(error)), ExitCode.BAD)
    except (BrokenShopFile, BrokenRecipients, Unfit) as error:
        fail(error.text, ExitCode.BAD)
    except (TransientError, KafkaConnectionError) as error:
        if str(error).startswith("Redis"):
            fail_redis_away(config, error)
        fail_kafka_away(config, error)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)  # nothing that a client left behind may keep a finished process waiting


def serve_metrics(host: str, port: int | None) -> int | None:
    """Serve the metrics of this process. The port, None when none is wanted. Ends the command when it is taken."""
    if port is None:
        return None
    from prometheus_client import start_http_server

    try:
        server, _ = start_http_server(port, host)
    except OSError as error:
        fail(
            Text(
                f"cannot serve metrics at {host}:{port} ({error.strerror}); set ORDERFLEET_METRICS_PORT, 0 = any port",
                f"无法在 {host}:{port} 提供监控指标（{error.strerror}）；请修改 ORDERFLEET_METRICS_PORT，0 为任意端口",
            ),
            ExitCode.USAGE,
        )
    bound: int = server.server_port
    return bound

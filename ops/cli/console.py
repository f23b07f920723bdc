"""`orderfleet console`: serves the console until SIGTERM."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ops.cli.output import ExitCode, epilog, fail, print_json, say, settings
from schemas.text import Text

HELP: Final = say(
    "Serve the console until SIGTERM: pages for the people who review orders. They sign in as users that "
    "`orderfleet users add` makes. Listens on this machine only unless told otherwise; encryption is a proxy's job.",
    "提供操作台页面，直到收到 SIGTERM：供审单人员使用。用 `orderfleet users add` 创建的用户登录。"
    "默认只监听本机；加密由前置代理负责。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet console", Text("at http://127.0.0.1:8070", "地址 http://127.0.0.1:8070")),
        (
            "orderfleet console --host 0.0.0.0",
            Text("from everywhere: put a proxy in front", "对所有地址开放：前面应有代理"),
        ),
    ],
    (ExitCode.OK, ExitCode.USAGE, ExitCode.AWAY),
)


def console(
    host: Annotated[str | None, typer.Option(help=say("Where to listen.", "监听地址。"))] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help=say("Which port; 0: any.", "端口；0 为任意。"))
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("Say when ready, as JSON.", "就绪时输出一行 JSON。"))
    ] = False,
) -> None:
    """The command."""
    import logging
    import os
    import sys

    from ops.cli.desk import fail_as
    from ops.cli.worker import serve_metrics
    from ops.console.serve import serve
    from workers.admin.errors import OperatorError
    from workers.runtime.errors import TransientError

    config = settings()
    logging.getLogger().setLevel(config.log_level)
    metrics_port = serve_metrics(config.metrics_host, config.metrics_port)
    at, number = host or config.console_host, config.console_port if port is None else port

    def ready(bound: int) -> None:
        if as_json:
            print_json({"ready": True, "port": bound, "metrics_port": metrics_port})
            sys.stdout.flush()

    try:
        serve(config, at, number, ready)
    except (OperatorError, TransientError) as error:
        fail_as(error)
    except OSError as error:
        fail(
            Text(
                f"cannot listen at {at}:{number} ({error.strerror}); set ORDERFLEET_CONSOLE_PORT",
                f"无法监听 {at}:{number}（{error.strerror}）；请修改 ORDERFLEET_CONSOLE_PORT",
            ),
            ExitCode.USAGE,
        )
    logging.shutdown()
    sys.stdout.flush()
    os._exit(ExitCode.OK)  # a thread that still waits for Kafka may keep a finished process no longer

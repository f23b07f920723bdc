"""`orderfleet api`: serves the HTTP API until SIGTERM."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ops.cli.output import ExitCode, epilog, fail, print_json, say, settings
from schemas.text import Text

HELP: Final = say(
    "Serve the HTTP API until SIGTERM: orders, review, stock, dead letters. For programs with a token of "
    "`orderfleet tokens create`. Listens on this machine only unless told otherwise; encryption is a proxy's job.",
    "提供 HTTP API，直到收到 SIGTERM：订单、审核、库存、死信。调用方需要用 `orderfleet tokens create` 创建的令牌。"
    "默认只监听本机；加密由前置代理负责。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet api", Text("at http://127.0.0.1:8090/api/v1", "地址 http://127.0.0.1:8090/api/v1")),
        (
            "orderfleet api --host 0.0.0.0 --port 8443",
            Text("from everywhere: put a proxy in front", "对所有地址开放：前面应有代理"),
        ),
    ],
    (ExitCode.OK, ExitCode.USAGE, ExitCode.AWAY),
)


def api(
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

    from ops.api.serve import serve
    from ops.cli.desk import fail_as
    from ops.cli.worker import serve_metrics
    from workers.admin.errors import OperatorError
    from workers.runtime.errors import TransientError

    config = settings()
    logging.getLogger().setLevel(config.log_level)
    metrics_port = serve_metrics(config.metrics_host, config.metrics_port)
    at, number = host or config.api_host, config.api_port if port is None else port

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
                f"cannot listen at {at}:{number} ({error.strerror}); set ORDERFLEET_API_PORT",
                f"无法监听 {at}:{number}（{error.strerror}）；请修改 ORDERFLEET_API_PORT",
            ),
            ExitCode.USAGE,
        )
    logging.shutdown()
    sys.stdout.flush()
    os._exit(ExitCode.OK)  # a thread that still waits for Kafka may keep a finished process no longer

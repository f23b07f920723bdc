"""`orderfleet poll`: pulls the shops' orders into `orders.raw.<channel>`, and takes what their platforms push."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.intake import address_of, opened_intake, prepare, shops_of, until_told
from ops.cli.output import ExitCode, console, epilog, fail, print_json, say, say_error, settings
from schemas.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_adapters.shop import ShopSettings
    from workers.intake.pace import Peak
    from workers.intake.poll import ShopPoller
    from workers.runtime.settings import Settings

HELP = say(
    "Pull the orders of the shops in a file, until SIGTERM. Any number may run: each shop is polled by one at a time. "
    "With ORDERFLEET_WEBHOOK_PORT, signed pushes are taken at /webhooks/CHANNEL/SHOP as well; `orderfleet receive` "
    "takes them in a process of its own.",
    "按店铺配置文件拉取订单，直到收到 SIGTERM。可同时运行多个：每个店铺同一时刻只由一个进程拉取。"
    "设置 ORDERFLEET_WEBHOOK_PORT 后，同时在 /webhooks/渠道/店铺 接收带签名的推送；"
    "也可用 `orderfleet receive` 在单独的进程中接收。",
)
EPILOG = epilog(
    [
        ("orderfleet poll --shops shops.yaml", Text("the shops in a file", "按文件中的店铺")),
        (
            "orderfleet poll --shops shops.yaml --once",
            Text("one round of each, to see whether keys and addresses are right", "每店一轮，检验密钥和地址是否正确"),
        ),
        ("ORDERFLEET_SHOPS_FILE=shops.yaml orderfleet poll", Text("the same by setting", "用环境变量指定")),
        (
            "ORDERFLEET_WEBHOOK_PORT=8080 orderfleet poll --shops shops.yaml",
            Text("and take pushes", "同时接收推送"),
        ),
        (
            "ORDERFLEET_POLL_PEAKS=20:00/22:30 orderfleet poll --shops shops.yaml",
            Text("as often as allowed every evening", "每晚高峰期加密拉取"),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


def poll(
    shops: Annotated[Path | None, typer.Option(help=say("YAML list of shops.", "店铺列表，YAML 格式。"))] = None,
    once: Annotated[
        bool, typer.Option("--once", help=say("One round of each shop, then end.", "每个店铺拉取一轮后结束。"))
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """The command."""
    import asyncio

    import uvloop

    config = settings()
    peaks, found = _peaks(config.poll_peaks), shops_of(shops, config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_once(config, found, as_json) if once else _run(config, found, peaks, as_json))


def _peaks(text: str) -> tuple[Peak, ...]:
    from workers.intake.pace import Peak

    try:
        return tuple(Peak.parse(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        fail(
            Text(
                "the setting ORDERFLEET_POLL_PEAKS is not usable: write 20:00/22:30 for every day, or "
                "2026-11-10T20:00/2026-11-12T00:00 for once, in China time, comma separated",
                "配置项 ORDERFLEET_POLL_PEAKS 不可用：每天写 20:00/22:30，一次性写 2026-11-10T20:00/2026-11-12T00:00"
                "（北京时间），多个用逗号分隔",
            ),
            ExitCode.USAGE,
        )


async def _run(config: Settings, shops: Sequence[ShopSettings], peaks: Sequence[Peak], as_json: bool) -> None:
    """Until told to leave."""
    metrics_port = prepare(config)

    def ready(webhook_port: int | None) -> None:
        if as_json:
            print_json({"ready": True, "metrics_port": metrics_port, "webhook_port": webhook_port})

    async with opened_intake(config, shops, peaks) as intake:
        await until_told(intake.run(address_of(config), ready), config)


async def _once(config: Settings, shops: Sequence[ShopSettings], as_json: bool) -> None:
    """One round of each shop, all at once; exits as the worst of them did."""
    import asyncio

    async with opened_intake(config, shops) as intake:
        ended = await asyncio.gather(*(_one_round(poller, as_json) for poller in intake.pollers))
    if any(ended):
        raise typer.Exit(max(ended))


async def _one_round(poller: ShopPoller, as_json: bool) -> ExitCode:
    from channel_adapters.contract import ChannelError, ChannelRefused
    from workers.intake.cursor import CursorMoved
    from workers.intake.lease import LeaseLost
    from workers.runtime.errors import TransientError

    try:
        done = await poller.poll_once()
    except ChannelError as error:
        code = f" ({error.code})" if isinstance(error, ChannelRefused) else ""
        return _failed(poller, Text(f"{error.text.en}{code}", f"{error.text.zh}{code}"), as_json)
    except TransientError as error:
        en, zh = f"no answer from a server: {error}", f"服务器没有应答：{error}"
        return _failed(poller, Text(en, zh), as_json, ExitCode.AWAY)
    except CursorMoved:
        en, zh = "its place was set anew meanwhile: run this once more", "拉取位置同时被重新设置，请再运行一次"
        return _failed(poller, Text(en, zh), as_json)
    except LeaseLost:
        done = None
    if done is None:
        return _failed(poller, Text("another process is polling it now", "另一个进程正在拉取该店铺"), as_json)
    if as_json:
        print_json({"shop": str(poller.shop), "ok": True, "orders": done.news, "behind_seconds": done.behind})
    else:
        what = say(f"{done.news} orders taken in", f"拉取 {done.news} 个订单")
        console().print(f"{poller.shop}: {what}", markup=False)
    return ExitCode.OK


def _failed(poller: ShopPoller, text: Text, as_json: bool, code: ExitCode = ExitCode.BAD) -> ExitCode:
    if as_json:
        print_json({"shop": str(poller.shop), "ok": False, "problem": text.en})
    say_error(Text(f"{poller.shop}: {text.en}", f"{poller.shop}：{text.zh}"))
    return code

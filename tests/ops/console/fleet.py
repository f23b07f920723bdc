"""A whole fleet with orders of simulated shops, most of them in review, and a console before it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from pydantic import SecretStr
from redis.asyncio import Redis

from channel_adapters.contract import RawOrder
from channel_adapters.registry import CHANNELS
from ops.testbed.demo.run import TOGETHER, load_rules
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import Child, fleet_environment, simulated_wms, worker
from ops.testbed.local_stack.redis_server import RedisServer
from ops.testbed.simulators.catalogue import Catalogue, load_catalogue
from ops.testbed.simulators.generator import Generator, open_sale
from ops.testbed.simulators.payloads.order_objects import order_object
from ops.testbed.simulators.wms.fate import Mishaps
from schemas.decision import DecisionKind
from workers.admin.desk.access import at_terminal
from workers.admin.desk.bulk import Job
from workers.admin.desk.desk import Desk, opened_desk
from workers.admin.desk.filters import ReviewFilter
from workers.intake.raw import Arrival, raw_record
from workers.intake.store import ShopKey
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.runtime.kafka.librdkafka import Writer
from workers.runtime.kafka.records import Record
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.settings import Settings

PATIENCE_SECONDS: Final = 180.0
PLACED: Final = {
    "paid-at-once": 6,
    "gift-missing": 14,
    "unknown-sku": 4,
    "gift-without-main": 4,
    "unknown-status": 4,
    "under-review": 2,
}
"""How many orders there are of each story: only the first ships by itself."""
IN_REVIEW: Final = sum(PLACED.values()) - PLACED["paid-at-once"]
_ROOT: Final = at_terminal("root")
_PARTITIONS: Final = 2
_CALM: Final = {each.name.replace("_", "-"): 0 for each in fields(Mishaps)}
_SWEEPER: Final = "defer,wake,apply,reroute,retag,replan,restock,sweep,relay"


class Fleet:
    """Use it as a context manager. What it says of orders is what the order book says.

    Its Redis and its broker are its own: tests empty the session's Redis, and its topics have their full names.
    """

    def __init__(self, folder: Path, book_url: str) -> None:
        self._folder, self._book_url = folder, book_url
        self._exit = ExitStack()
        self._broker, self._redis = Broker(folder), RedisServer(folder)
        self._children: dict[str, Child] = {}

    def __enter__(self) -> Fleet:
        with ExitStack() as undo:
            undo.callback(self._exit.close)
            self._start()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @property
    def url(self) -> str:
        """Where its console answers now."""
        return f"http://127.0.0.1:{self._children['console'].port}"

    def desk(self) -> AbstractContextManager[Desk]:
        """The desk that its console works at."""
        settings = Settings(
            book_url=SecretStr(self._book_url), redis_url=SecretStr(self._redis.url), kafka=self._broker.address
        )
        return opened_desk(settings, role="test", connections=2)

    # -- what the book says

    def uid(self, number: str) -> str:
        """The uid of an order by its platform's number."""
        [(uid,)] = self._rows("SELECT uid FROM book.orders WHERE platform_order_id = %s", number)
        return str(uid)

    def stage(self, number: str) -> str:
        """Where it is."""
        [(stage,)] = self._rows("SELECT stage FROM book.orders WHERE platform_order_id = %s", number)
        return str(stage)

    def shipment_state(self, number: str) -> str:
        """How it stands at its only warehouse; "" while it was told to none."""
        query = "SELECT state FROM book.shipments WHERE order_uid = %s AND kind IS NOT NULL"
        rows = self._rows(query, self.uid(number))
        return str(rows[0][0]) if rows else ""

    def any_of(self, stage: str) -> str:
        """The number of an order in this stage."""
        [(number,)] = self._rows("SELECT platform_order_id FROM book.orders WHERE stage = %s LIMIT 1", stage)
        return str(number)

    def in_review(self, wanted: ReviewFilter) -> list[str]:
        """The uids of those that wait and match."""
        with self.desk() as desk:
            return [each.order.uid for each in desk.orders.review(_ROOT, wanted, limit=200).items]

    def last_job(self) -> Job:
        """The newest."""
        with self.desk() as desk:
            return desk.bulk.list(_ROOT, limit=1).items[0]

    # -- what else happens

    def decide_elsewhere(self, number: str) -> None:
        """Somebody else holds the order."""
        with self.desk() as desk:
            verdict = desk.deciding.decide(_ROOT, DecisionKind.HOLD, self.uid(number), why="somebody else")
        assert verdict.done

    def pause_warehouses(self) -> None:
        """No warehouse reads or answers."""
        self._children["wms"].signal(signal.SIGSTOP)

    def resume_warehouses(self) -> None:
        """They go on."""
        self._children["wms"].signal(signal.SIGCONT)

    def pause_decisions(self) -> None:
        """Nobody applies decisions."""
        self._children["sweeper"].signal(signal.SIGSTOP)

    def resume_decisions(self) -> None:
        """They are applied again."""
        self._children["sweeper"].signal(signal.SIGCONT)

    def restart_console(self) -> str:
        """kill -9, and another one. Where it answers."""
        console = self._children["console"]
        console.kill()
        console.start()
        console.wait_ready()
        return self.url

    # -- inside

    def _start(self) -> None:
        self._exit.enter_context(self._broker)
        self._exit.enter_context(self._redis)
        rules = load_rules(Settings())
        warehouses, skus = tuple(rules.ruleset.warehouses), tuple(rules.catalogue.skus)
        wanted = wanted_topics(channels=tuple(CHANNELS), warehouses=warehouses, partitions=_PARTITIONS, replication=1)
        create_topics(self._broker.address, wanted)
        asyncio.run(_count(self._redis.url, warehouses, skus))
        self._start_processes()
        _send(self._broker.address, list(_placed(load_catalogue())))
        _wait(self._arrived, lambda: f"the orders are not where they should be: {self._stages()}")

    def _start_processes(self) -> None:
        told = {"ORDERFLEET_LOG_LEVEL": "WARNING", "ORDERFLEET_BOOK_URL": self._book_url}
        env = fleet_environment(self._broker.address, self._redis.url, _PARTITIONS, told)
        console = [sys.executable, "-m", "ops.cli", "console", "--port", "0", "--json"]
        for child in (
            worker("worker", TOGETHER, self._folder, env),
            worker("sweeper", _SWEEPER, self._folder, env),
            worker("book", "book", self._folder, env),
            simulated_wms(self._broker.address, self._folder, env, _CALM),
            Child("console", console, self._folder, env, says="port"),
        ):
            self._children[child.name] = child
            self._exit.callback(child.stop)
            child.start()
        for child in self._children.values():
            child.wait_ready()

    def _arrived(self) -> bool:
        stages = self._stages()
        return (stages.get("review"), stages.get("shipped")) == (IN_REVIEW, PLACED["paid-at-once"])

    def _stages(self) -> dict[str, int]:
        rows = self._rows("SELECT stage, count(*) FROM book.orders GROUP BY stage")
        return {str(stage): int(str(orders)) for stage, orders in rows}

    def _rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self._book_url) as connection:
            return connection.execute(query.encode(), values).fetchall()


def _placed(catalogue: Catalogue) -> Iterator[Record]:
    """Every order as its shop is polled for it."""
    now, left = int(time.time()), dict(PLACED)
    for life in Generator(7, catalogue):
        sale = life.sale
        if not left.get(sale.story):
            continue
        left[sale.story] -= 1
        open_sale(life, now - 60)
        arrival = Arrival(shop=ShopKey(sale.channel, sale.shop_id), source="poll", at=datetime.fromtimestamp(now, UTC))
        modified = datetime.fromtimestamp(sale.modified_at, UTC)
        yield raw_record(arrival, RawOrder(sale.order_id, modified, order_object(sale)))
        if not any(left.values()):
            return


def _send(address: str, records: Sequence[Record]) -> None:
    writer, failures = Writer({"bootstrap.servers": address, "linger.ms": 2}), list[str]()
    for record in records:
        writer.send(*record, lambda error, _: failures.append(error.str()) if error is not None else None)
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert failures == []


def _wait(true: Callable[[], bool], told: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, told()
        time.sleep(0.1)


async def _count(url: str, warehouses: Sequence[str], skus: Sequence[str]) -> None:
    async with Redis.from_url(url) as redis:
        for warehouse in warehouses:
            await Ledger(redis).stock.set_counts(warehouse, {sku: Count(on_hand=200) for sku in skus})

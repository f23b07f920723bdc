"""Runs the demo: starts everything, watches the books until every order has come to rest, and judges."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from ops.testbed.demo.stack import ConsoleAccess, Stack
from ops.testbed.oracle.accounts import Books, Expected, Verdict, judge
from ops.testbed.oracle.book import caught_up
from ops.testbed.oracle.history import History
from ops.testbed.oracle.tail import TopicTail
from schemas.ids import order_uid
from workers.admin.desk.access import at_terminal
from workers.admin.desk.choices import WaysOut
from workers.admin.desk.desk import opened_desk
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.inventory.report import AuditReport
from workers.rules.provider import RuleFiles
from workers.rules.ruleset import Rulebook
from workers.runtime.kafka.topics import wanted_topics
from workers.runtime.settings import Settings

QUIET_SECONDS = 2.0
GIVE_UP_SECONDS = 45.0
DELIVERY_SECONDS = 10.0
BOOK_SECONDS = 20.0

TOGETHER = "normalize,reserve,fulfill"
APART = ("normalize", "uphold", "tag", "route", "reserve", "fulfill")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run."""

    orders: int
    rate: float  # orders placed per second
    seed: int
    workers: int
    partitions: int
    hold_seconds: float
    kill: bool  # kill -9 one worker in the middle
    apart: bool  # every stage in a process of its own
    faults: float
    keep: bool = False  # go on until somebody ends it


@dataclass(slots=True)
class View:
    """What is to be seen at one moment."""

    phase: str
    placed: int
    target: int
    messages: dict[str, int]
    routed: dict[str, int]
    gift_units: int
    stock_events: dict[str, int]
    answers: dict[str, int]  # of warehouses
    backlog: int
    memory: dict[str, int]  # bytes, by process
    restarts: int
    console: ConsoleAccess | None = None  # once it can be opened


@dataclass(slots=True)
class Report:
    """How the run ended."""

    verdict: Verdict
    audit: AuditReport
    books: Books
    by_channel: dict[str, int]
    seconds: float
    oversold: list[str]
    missing_events: int
    unanswered: int  # orders of which a warehouse never said what became of them
    memory: dict[str, list[int]]
    restarts: int
    in_book: int  # orders in the order book ...
    book_disagrees: list[str]  # ... and those that it has in another stage than the books
    ways_out: WaysOut  # of what waits for a person
    history: Path | None = None  # what the topics say of the orders that are wrong

    @property
    def clean(self) -> bool:
        """Whether every order is where it belongs, exactly once, and the stock adds up."""
        wrong = self.oversold or self.missing_events or self.unanswered or self.book_disagrees
        balanced = not (wrong or self.ways_out.without)
        return self.verdict.clean and self.audit.is_clean and balanced


class Demo:
    """One run."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        environment = {
            "ORDERFLEET_HOLD_SECONDS": str(plan.hold_seconds),
            "ORDERFLEET_SESSION_SECONDS": "2",
            "ORDERFLEET_POLL_FASTEST_SECONDS": "2.0",
            "ORDERFLEET_POLL_LOOKBACK_SECONDS": "60",
            "ORDERFLEET_LOG_LEVEL": "WARNING",
        }
        if plan.apart:
            environment["ORDERFLEET_DURABLE_HANDOVER"] = "true"
        jobs = APART if plan.apart else [TOGETHER] * plan.workers
        self.stack = Stack(folder, jobs=jobs, partitions=plan.partitions, environment=environment)
        self.books = Books()
        self._http = httpx.Client(timeout=10, trust_env=False)  # this machine only: no proxy
        self._console: ConsoleAccess | None = None
        self._killed = False
        self._restarts = 0
        self._quiet_since = time.monotonic()
        self._delivered = time.monotonic()

    def run(self, rules: Rulebook, on_hand: int, show: Callable[[View], None]) -> Report:
        """Run to the end. Raises RuntimeError when something does not start or come to rest."""
        started = time.monotonic()
        warehouses = tuple(rules.ruleset.warehouses)
        stock = {warehouse: dict.fromkeys(rules.catalogue.skus, on_hand) for warehouse in warehouses}
        with self.stack as stack, self._http:
            show(self._view("servers", {}))
            stack.start_servers(warehouses)
            run_async(_set_stock(stack.redis.url, stock))
            show(self._view("workers", {}))
            stack.start_fleet()
            self._console = stack.start_console()
            stack.start_warehouses(self._plan.seed)
            stack.start_shops(self._shop_options())
            reader = self._tail(warehouses)
            try:
                for view in self._watch(reader):
                    show(view)
                    self._deliver(stock)
                truth = list(self._truth())
                audit, oversold = run_async(_audit(stack.redis.url))
                seconds = time.monotonic() - started
                in_book, disagrees = self._compare_book(reader)
            finally:
                reader.close()
            report = self._report(truth, audit, oversold, seconds, in_book, disagrees)
            if wrong := dict.fromkeys([*report.verdict.wrong, *(line.partition(": ")[0] for line in disagrees)]):
                report.history = self._write_history(warehouses, list(wrong))
            return report

    def _shop_options(self) -> list[str]:
        plan = self._plan
        options = {"orders": plan.orders, "rate": plan.rate, "seed": plan.seed, "faults": plan.faults}
        return [text for name, value in options.items() for text in (f"--{name}", str(value))]

    # -- watching

    def _watch(self, reader: TopicTail) -> Iterator[View]:
        shown = 0.0
        while True:
            self._read(reader)
            if time.monotonic() - shown < 0.5:
                continue
            shown = time.monotonic()
            progress = self._progress()
            self._trouble(progress)
            view = self._view("orders", progress)
            yield view
            if self._plan.keep or not progress["finished"]:
                continue
            if self._at_rest(view) and judge(self.books, list(self._truth())).clean:
                return
            if time.monotonic() - self._quiet_since > GIVE_UP_SECONDS:
                return  # the verdict names what did not come to rest

    def _tail(self, warehouses: tuple[str, ...]) -> TopicTail:
        topics = wanted_topics(channels=(), warehouses=warehouses, partitions=1, replication=1)
        return TopicTail(self.stack.broker.address, [topic.topic for topic in topics], self.stack.partitions)

    def _read(self, reader: TopicTail) -> None:
        if reader.read_into(self.books, 0.2):
            self._quiet_since = time.monotonic()

    def _progress(self) -> dict[str, Any]:
        assert self.stack.simulators is not None
        progress: dict[str, Any] = self._http.get(
            f"http://127.0.0.1:{self.stack.simulators.port}/_simulator/progress"
        ).json()
        return progress

    def _trouble(self, progress: dict[str, Any]) -> None:
        """Make trouble where that is asked for; start again what died, as a supervisor would."""
        if self._plan.kill and not self._killed and progress["placed"] >= self._plan.orders // 2:
            self.stack.workers[0].kill()
            self._killed = True
        self._restarts += len(self.stack.revive())

    def _deliver(self, stock: dict[str, dict[str, int]]) -> None:
        """Now and then, a delivery comes and its shelves are counted; without it a long run sells out."""
        if time.monotonic() - self._delivered >= DELIVERY_SECONDS:
            run_async(_fill_up(self.stack.redis.url, stock))
            self._delivered = time.monotonic()

    def _at_rest(self, view: View) -> bool:
        if view.backlog or time.monotonic() - self._quiet_since < QUIET_SECONDS:
            return False
        return not self.books.places()["held"] and not self.books.waiting()

    def _view(self, phase: str, progress: dict[str, Any]) -> View:
        children = (*self.stack.workers, *self.stack.others)
        metrics = [child.metrics(self._http) for child in self.stack.workers]
        return View(
            phase=phase,
            placed=progress.get("placed", 0),
            target=self._plan.orders,
            messages=dict(self.books.messages),
            routed=dict(self.books.routed),
            gift_units=self.books.gift_units,
            stock_events={kind.value: count for kind, count in self.books.kinds.items()},
            answers=dict(self.books.answers),
            backlog=int(sum(each.get("orders_backlog_records", 0) for each in metrics)),
            memory={child.name: child.sample() for child in children},
            restarts=self._restarts,
            console=self._console,
        )

    # -- the end

    def _truth(self) -> Iterator[Expected]:
        assert self.stack.simulators is not None
        text = self._http.get(f"http://127.0.0.1:{self.stack.simulators.port}/_simulator/truth", timeout=60).content
        for line in text.splitlines():
            row = orjson.loads(line)
            uid = order_uid(row["channel"], row["shop_id"], row["platform_order_id"])
            yield Expected(uid, row["story"], tuple(row["expected"]), row["skus"])

    def _compare_book(self, reader: TopicTail) -> tuple[int, list[str]]:
        """How many orders the order book has, and where it disagrees."""
        url = self.stack.postgres.url
        return caught_up(self.books, lambda: self._read(reader), lambda: _stages(url), BOOK_SECONDS)

    def _ways_out(self) -> WaysOut:
        """What a person could do with each order that waits for one."""
        settings = Settings(
            book_url=SecretStr(self.stack.postgres.url),
            redis_url=SecretStr(self.stack.redis.url),
            kafka=self.stack.broker.address,
        )
        with opened_desk(settings, role="demo") as desk:
            return desk.choices.ways_out(at_terminal("demo"))

    def _write_history(self, warehouses: tuple[str, ...], uids: list[str]) -> Path:
        """Read everything once more for what was said of these orders."""
        history, file = History(only=frozenset(uids)), self.stack.folder / "wrong-orders.txt"
        reader = self._tail(warehouses)
        try:
            while messages := reader.read(QUIET_SECONDS):
                for message in messages:
                    history.add(message)
        finally:
            reader.close()
        history.write(file, uids)
        return file

    def _report(
        self,
        truth: list[Expected],
        audit: AuditReport,
        oversold: list[str],
        seconds: float,
        in_book: int,
        book_disagrees: list[str],
    ) -> Report:
        by_channel: dict[str, int] = {}
        for uid in self.books.accounts:
            channel = uid.split(":", 1)[0]
            by_channel[channel] = by_channel.get(channel, 0) + 1
        return Report(
            verdict=judge(self.books, truth),
            audit=audit,
            books=self.books,
            by_channel=by_channel,
            seconds=seconds,
            oversold=oversold,
            missing_events=self.books.missing_events(),
            unanswered=self.books.waiting(),
            in_book=in_book,
            book_disagrees=book_disagrees,
            ways_out=self._ways_out(),
            memory={child.name: child.memory for child in (*self.stack.workers, *self.stack.others)},
            restarts=self._restarts,
        )


def run_async(work: Any) -> Any:
    """Run one coroutine from here, where no loop runs."""
    import asyncio

    return asyncio.run(work)


async def _set_stock(url: str, stock: dict[str, dict[str, int]]) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(url) as redis:
        for warehouse, units in stock.items():
            await Ledger(redis).stock.set_counts(warehouse, {sku: Count(on_hand=count) for sku, count in units.items()})


async def _fill_up(url: str, stock: dict[str, dict[str, int]]) -> None:
    """Count every shelf that is less than half full as full again."""
    from redis.asyncio import Redis

    async with Redis.from_url(url) as redis:
        ledger = Ledger(redis)
        for warehouse, full in stock.items():
            low = [level for level in await ledger.stock.levels(warehouse) if level.on_hand < full[level.sku] // 2]
            if low:
                await ledger.stock.set_counts(warehouse, {level.sku: Count(on_hand=full[level.sku]) for level in low})


def _stages(url: str) -> dict[str, str]:
    """The stage of each order in the order book."""
    import psycopg

    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT uid, stage FROM book.orders").fetchall())


async def _audit(url: str) -> tuple[AuditReport, list[str]]:
    """The audit, and every SKU of which more is promised than is there."""
    from redis.asyncio import Redis

    async with Redis.from_url(url) as redis:
        ledger = Ledger(redis)
        levels = [
            level for warehouse in await ledger.stock.warehouses() for level in await ledger.stock.levels(warehouse)
        ]
        oversold = [f"{level.warehouse_id}/{level.sku}" for level in levels if level.available_to_promise < 0]
        return await ledger.stock.audit(), oversold


def load_rules(settings: Settings) -> Rulebook:
    """The ruleset and catalogue of the demo. Raises RulesetErrors."""
    return RuleFiles(settings.rules_file, settings.catalogue_file).current()

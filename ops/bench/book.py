"""The order book: how fast it is written, and how fast people's questions are answered in a big one.

    python -m ops.bench.book writing --orders 20000     processor time an order, of the stage and of PostgreSQL
    python -m ops.bench.book asking --orders 3000000    milliseconds a question, median and 95th percentile

Writing counts processor time, which a busy machine changes less than seconds: an order is planned, its stock committed,
its warehouse told, and the warehouse accepts and ships it. No broker: records are made before they are counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import psutil
import psycopg
from pydantic import SecretStr

from ops.bench.history import EXAMPLE
from ops.testbed.local_stack.postgres import PostgresServer
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent, WmsEventKind
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.plan import PlannedOrder
from schemas.record import changed, decode, encode
from schemas.topics import INVENTORY_EVENTS, ORDERS_PLANNED, ORDERS_ROUTED, WMS_EVENTS
from workers.book import queries, queries_figures, queries_work
from workers.book.agent import BookKeeper
from workers.book.database import Connection
from workers.book.queries import OrderFilter
from workers.book.queries_work import ReviewFilter

_CHUNK: Final = 2000
_PARTITIONS: Final = 12
_NOON: Final = datetime(2026, 11, 11, 12, tzinfo=UTC)
_FILL: Final = Path(__file__).parent / "book_fill.sql"
_END: Final = datetime(2026, 10, 31, tzinfo=UTC)  # of the days that _FILL tells of
_TIMES: Final = 60


@dataclass(frozen=True, slots=True)
class Message:
    """A record, as the stage is given it."""

    name: str
    number: int
    place: int
    payload: bytes
    at: int  # milliseconds since 1970

    def topic(self) -> str:
        """Its full name."""
        return self.name

    def partition(self) -> int:
        """Its number."""
        return self.number

    def offset(self) -> int:
        """Its place in the partition."""
        return self.place

    def timestamp(self) -> tuple[int, int]:
        """As a producer stamps it."""
        return 1, self.at

    def value(self) -> bytes:
        """Its bytes."""
        return self.payload


def records(first: int, orders: int) -> list[Message]:
    """What happens to so many orders, in its order."""
    example = decode(PlannedOrder, EXAMPLE.read_bytes())
    return [message for number in range(first, first + orders) for message in _of_one(example, number)]


def _of_one(example: PlannedOrder, number: int) -> Iterator[Message]:
    shop, at = f"shop-{number % 17}", _NOON + timedelta(milliseconds=20 * number)
    uid, warehouse = f"taobao:{shop}:{10**9 + number}", ("hangzhou", "chengdu", "beijing")[number % 3]
    order = changed(
        example.order, uid=uid, shop_id=shop, channel="taobao", platform_order_id=str(10**9 + number), placed_at=at
    )
    told = FulfillmentInstruction(
        instruction_id=f"{uid}@{order.revision}/{warehouse}/fulfil",
        kind=InstructionKind.FULFIL,
        order_uid=uid,
        revision=order.revision,
        warehouse_id=warehouse,
        channel="taobao",
        shop_id=shop,
        platform_order_id=order.platform_order_id,
        purchased=(),
        gifts=(),
        ship_to=order.ship_to,
        placed_at=at,
    )
    stock = InventoryEvent(
        event_id=f"{warehouse}/{number}",
        sequence=number,
        warehouse_id=warehouse,
        kind=InventoryEventKind.COMMITTED,
        at=at,
        changes=(),
        order_uid=uid,
        revision=order.revision,
        state="committed",
    )
    said = [
        (ORDERS_PLANNED.name, changed(example, order=order)),
        (INVENTORY_EVENTS.name, stock),
        (ORDERS_ROUTED.of(warehouse), told),
        *((WMS_EVENTS.name, _answer(told, kind, at)) for kind in (WmsEventKind.ACCEPTED, WmsEventKind.SHIPPED)),
    ]
    for step, (name, value) in enumerate(said):
        yield Message(name, number % _PARTITIONS, 5 * number + step, encode(value), int(at.timestamp() * 1000))


def _answer(told: FulfillmentInstruction, kind: WmsEventKind, at: datetime) -> WmsEvent:
    return WmsEvent(
        message_id=f"{told.warehouse_id}-{kind.value}-{told.platform_order_id}",
        kind=kind,
        order_uid=told.order_uid,
        warehouse_id=told.warehouse_id,
        instruction_id=told.instruction_id,
        at=at + timedelta(hours=1 + (kind is WmsEventKind.SHIPPED)),
    )


def measure_writing(orders: int) -> None:
    """Print how long an order takes."""
    with _server() as url, BookKeeper(SecretStr(url), 1).session() as session:
        server = psutil.Process(session.connection.info.backend_pid)
        began, seconds, own, done = sum(server.cpu_times()[:2]), 0.0, 0.0, 0
        while done < orders:
            part = records(done + 1, min(4000, orders - done))
            clock, processor = time.perf_counter(), time.thread_time()
            for start in range(0, len(part), _CHUNK):
                session.write(part[start : start + _CHUNK])
            seconds, own = seconds + time.perf_counter() - clock, own + time.thread_time() - processor
            done += len(part) // 5
        theirs = sum(server.cpu_times()[:2]) - began
    print(
        f"{done} orders of 5 records: {done / seconds:.0f} orders/s; processor time an order: stage "
        f"{own / done * 1e6:.0f} us, PostgreSQL {theirs / done * 1e6:.0f} us, which is "
        f"{done / (own + theirs):.0f} orders a second of both in turn"
    )


# -- asking --------------------------------------------------------------------------------------------------------


def fill(connection: Connection, orders: int) -> None:
    """A big book. Indexes are made afterwards, as that is many times as fast."""
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SELECT setseed(0.5)")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'book' "
            "AND tablename IN ('orders', 'shipments') AND indexname NOT LIKE '%_pkey'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}".encode())
        for part in (_FILL.read_text(encoding="utf-8") % {"orders": orders}).split(";\n"):
            connection.execute(part.encode())
        for _, text in indexes:
            connection.execute(text.encode())


def questions(random: Random, uids: Sequence[str]) -> dict[str, Callable[[Connection], Any]]:
    """What people ask, each time of other orders."""

    def shop() -> str:
        number = random.randrange(0, 39)
        return f"{('taobao', 'pinduoduo', 'douyin', 'jd')[number % 4]}:shop-{number}"

    def sku() -> str:
        return f"SKU-{int(random.random() ** 3 * 20000)}"

    find, day = queries.find_orders, _END - timedelta(days=1)
    five = [f"{('taobao', 'pinduoduo', 'douyin', 'jd')[number % 4]}:shop-{number}" for number in (1, 9, 20, 33, 38)]
    return {
        "one order with all that happened": lambda c: queries.show_order(c, random.choice(uids)),
        "by the platform's id": lambda c: find(c, OrderFilter(platform_order_id=random.choice(uids).split(":")[2])),
        "newest 50": lambda c: find(c, OrderFilter()),
        "newest 50 of a shop": lambda c: find(c, OrderFilter(shops=(shop(),))),
        "newest 50 of five shops": lambda c: find(c, OrderFilter(), shops=five),
        "a page in the middle, backwards": lambda c: find(c, OrderFilter(), before=(day - timedelta(days=30), "")),
        "newest 50 with a SKU": lambda c: find(c, OrderFilter(sku=sku())),
        "with a SKU, of a shop": lambda c: find(c, OrderFilter(sku=sku(), shops=(shop(),))),
        "backordered": lambda c: find(c, OrderFilter(stages=("backordered",))),
        "in a warehouse, of a day": lambda c: find(c, OrderFilter(warehouse_id="beijing", placed_from=day)),
        "count of a shop, up to 10,000": lambda c: queries_figures.count_orders(c, OrderFilter(shops=(shop(),))),
        "count with a SKU": lambda c: queries_figures.count_orders(c, OrderFilter(sku=sku())),
        "review page": lambda c: queries_work.list_reviews(c, ReviewFilter()),
        "review page of a shop and reason": lambda c: queries_work.list_reviews(
            c, ReviewFilter(shops=(shop(),), codes=("sku-unknown",))
        ),
        "review counts by reason, shop, age": lambda c: queries_figures.review_counts(c, _END),
        "totals by shop and stage of a day": lambda c: queries_work.totals(c, placed_from=day),
        "each minute of three hours": lambda c: queries_figures.per_minute(c, _END - timedelta(hours=3), _END),
    }


def measure_asking(orders: int) -> None:
    """Print how long each question takes."""
    with _server() as url:
        with BookKeeper(SecretStr(url), 1).session():
            pass  # makes the tables
        with psycopg.connect(url, options="-c search_path=book -c timezone=UTC") as connection:
            started = time.monotonic()
            fill(connection, orders)
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")
            connection.autocommit = False
            [(size,)] = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchall()
            stages: dict[str, int] = dict(
                connection.execute("SELECT stage, count(*) FROM orders GROUP BY 1").fetchall()
            )
            uids = [uid for (uid,) in connection.execute("SELECT order_uid FROM timeline LIMIT 4000").fetchall()]
            connection.commit()
            print(f"{orders} orders, {size}, made in {time.monotonic() - started:.0f} s: {stages}", flush=True)
            for name, ask in questions(Random(7), uids).items():  # noqa: S311  # the same each time
                took = sorted(_milliseconds(connection, ask) for _ in range(_TIMES))
                print(f"{name:40} p50 {took[_TIMES // 2]:8.2f} ms, p95 {took[_TIMES * 95 // 100]:8.2f} ms", flush=True)


def _milliseconds(connection: Connection, ask: Callable[[Connection], Any]) -> float:
    started = time.perf_counter()
    ask(connection)
    return (time.perf_counter() - started) * 1000


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, PostgresServer(Path(folder), options=("shared_buffers=1GB",)) as one:
        yield one.url


def main(arguments: Sequence[str]) -> int:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m ops.bench.book", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=("writing", "asking"))
    parser.add_argument("--orders", type=int, help="default: 20,000 are written, 3,000,000 are searched")
    known = parser.parse_args(arguments)
    if known.what == "writing":
        measure_writing(known.orders or 20_000)
    else:
        measure_asking(known.orders or 3_000_000)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

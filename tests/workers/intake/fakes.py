"""Stand-ins for what is outside of intake: a platform's orders, its client, Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from channel_adapters.contract import PollRules, RawOrder, Window
from channel_adapters.shop import ShopSettings
from workers.intake.store import ShopKey
from workers.runtime.errors import RecordsRefused, TransientError
from workers.runtime.kafka.records import Record

SHOP = ShopKey("taobao", "flagship")
NOON = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)


def shop_settings(
    shop_id: str = "flagship", *, poll_seconds: float = 0.05, overlap_seconds: float = 60
) -> ShopSettings:
    return ShopSettings(
        channel="taobao",
        shop_id=shop_id,
        base_url="http://127.0.0.1:1",
        poll_seconds=poll_seconds,
        overlap_seconds=overlap_seconds,
    )


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, start: datetime = NOON) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class FakeKafka:
    """Keeps what is confirmed; can be away, be told to store a part and then fail, and have topics that take little."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.sends: list[int] = []
        self.away = False
        self.fail_after: int | None = None  # records, over all sends
        self.before_confirm: Callable[[], None] | None = None
        self.most: Mapping[str, int] = {}  # bytes of a value, by topic

    async def send(self, records: Sequence[Record]) -> None:
        if self.away:
            raise TransientError("Kafka is away")
        self.sends.append(len(records))
        refused = {n: "MessageSizeTooLarge" for n, each in enumerate(records) if self._too_large(each)}
        for number, record in enumerate(records):
            if number in refused:
                continue
            if self.fail_after is not None and len(self.records) >= self.fail_after:
                raise TransientError("Kafka did not confirm")
            self.records.append(record)
        await asyncio.sleep(0)
        if self.before_confirm is not None:
            self.before_confirm()
        if refused:
            raise RecordsRefused(refused)

    def _too_large(self, record: Record) -> bool:
        return len(record.value) > self.most.get(record.topic, 1 << 30)

    def ids(self) -> list[str]:
        return [record.key.decode().split(":", 2)[2] for record in self.records]


class Shelf:
    """The orders a platform has, and a client that pages through them as platforms do."""

    def __init__(self) -> None:
        self.orders: list[RawOrder] = []
        self.windows: list[Window] = []
        self.page_size = 10
        self.settle = timedelta(0)
        self.max_window = timedelta(days=1)
        self.on_page: Callable[[Window, int], None] | None = None  # may raise, or change the world

    def put(self, *numbers: int, at: datetime, payload: bytes | None = None) -> None:
        for number in numbers:
            body = payload if payload is not None else b'{"tid": %d}' % number
            self.orders.append(RawOrder(str(number), at, body))

    @property
    def rules(self) -> PollRules:
        return PollRules(max_window=self.max_window, page_size=self.page_size, settle=self.settle)

    async def orders_modified(self, window: Window) -> AsyncIterator[Sequence[RawOrder]]:
        self.windows.append(window)
        found = [o for o in self.orders if o.modified_at is not None and window.start <= o.modified_at < window.end]
        for page, start in enumerate(range(0, max(1, len(found)), self.page_size)):
            await asyncio.sleep(0)
            if self.on_page is not None:
                self.on_page(window, page)
            yield found[start : start + self.page_size]

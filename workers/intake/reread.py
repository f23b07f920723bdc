"""Reads the open orders of one shop again by id, for what polling by modify time cannot see: see `register`.

It takes its turns between the rounds of the poller, under the poller's lease: one reading after the other, so that what
was read later was also shown later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from channel_adapters.contract import ChannelAdapter, RawOrder, ReadsById
from channel_adapters.shop import Shop, ShopSettings
from schemas.record import record
from workers.intake.lease import Lease
from workers.intake.publish import publish
from workers.intake.raw import Arrival, deletion_record, raw_record
from workers.intake.register import GONE, Assigned, Due, DueOrder, OpenOrders, PlatformState, state_of
from workers.intake.store import ShopKey
from workers.runtime import metrics
from workers.runtime.kafka.records import Record
from workers.runtime.outputs import Sender

logger = logging.getLogger(__name__)

_FEW = 3  # orders: when all of so many are missing, it is the shop that is missing ...
_FEARED = 4  # ... unless an operator allows more: then each of them counts for so many


@record
class Turn:
    """What one turn brought."""

    read: int  # orders read
    news: int  # of these, published: they had changed, or were deleted
    more: bool  # whether more orders are to be read now


class Rereader:
    """Reads one shop's open orders again, a batch at a time."""

    def __init__(
        self,
        shop: ShopSettings,
        client: ReadsById,
        adapter: ChannelAdapter,
        *,
        producer: Sender,
        register: OpenOrders,
        now: Callable[[], datetime],
    ) -> None:
        self.shop = ShopKey.of(shop)
        self._whose = Shop(shop.shop_id, shop.policy)
        self._client = client
        self._adapter = adapter
        self._producer = producer
        self._register = register
        self._policy = register.policy
        self._now = now
        self._new = metrics.INTAKE_ORDERS.labels(*self.shop, "reread")
        self._read = metrics.INTAKE_REREAD.labels(*self.shop)
        self._open = metrics.INTAKE_OPEN.labels(*self.shop)
        self._braked = metrics.INTAKE_MISSING.labels(*self.shop)

    @property
    def pause_seconds(self) -> float:
        """Between two turns when there is more to read."""
        return self._policy.pause_seconds

    async def turn(self, lease: Lease) -> Turn:
        """Read one batch of what is due. Raises ChannelError, TransientError, LeaseLost: then it stays due."""
        limit = self._client.most_ids
        due = await self._register.due(self.shop, self._seconds(), limit)
        self._open.set(due.registered)
        if not due.orders:
            return Turn(read=0, news=0, more=due.forgotten > 0)
        by_id = {order.order_id: order for order in due.orders}
        rows = await self._client.orders_by_id(list(by_id))
        found = {row.platform_order_id: row for row in rows if row.platform_order_id in by_id}
        news = await self._publish(lease, due, list(found.values()))
        missing = [order for order in due.orders if order.order_id not in found]
        self._braked.set(0)
        if missing:
            news += await self._look_for(lease, due, missing)
        self._read.inc(len(by_id))
        self._new.inc(news)
        return Turn(read=len(by_id), news=news, more=len(due.orders) + due.forgotten >= limit)

    # -- those that the platform lists -----------------------------------------------------------------------------

    async def _publish(self, lease: Lease, due: Due, rows: Sequence[RawOrder]) -> int:
        """Publish those that have changed, and say when each is read again. How many have."""
        read = [(row, state) for row in rows if (state := state_of(self._adapter, row, self._whose)) is not None]
        undated = {row.platform_order_id for row in rows} - {row.platform_order_id for row, _ in read}
        assigned = await self._register.assign(
            self.shop, lease.fence, self._seconds(), due.marks, [state for _, state in read]
        )
        arrival = Arrival(shop=self.shop, source="reread", at=self._now())
        records: list[Record] = []
        done: list[tuple[PlatformState, int]] = []
        for (row, state), as_of in zip(read, assigned, strict=True):
            if as_of.older or as_of.overtaken:
                undated.add(state.order_id)
                continue
            done.append((state, as_of.edition))
            if not as_of.confirmed:
                records.append(raw_record(arrival, row, as_of.edition))
        await publish(self._producer, records)
        await self._register.confirm(self.shop, self._seconds(), done)
        await self._register.postpone(self.shop, self._seconds(), undated, self._policy.soon_seconds)
        return len(records)

    # -- those that it does not list -------------------------------------------------------------------------------

    async def _look_for(self, lease: Lease, due: Due, missing: Sequence[DueOrder]) -> int:
        """Ask for each by itself; what the platform itself does not know any more was deleted. How many news.

        A few at a time: a shop that hides many costs as many calls.
        """
        now, some = self._seconds(), self._policy.most_missing + 1
        later = [order.order_id for order in missing[some:]]
        await self._register.postpone(self.shop, now, later, self._policy.soon_seconds)
        news, gone = 0, []
        for order in missing[:some]:
            await asyncio.sleep(self._policy.pause_seconds)
            row = await self._client.order_by_id(order.order_id)
            if row is None:
                gone.append(order)
            else:
                news += await self._publish(lease, due, [row])
        if gone and not await self._is_trouble(gone, len(due.orders)):
            news += sum([await self._delete(lease, due, order) for order in gone])
        return news

    async def _is_trouble(self, gone: Sequence[DueOrder], asked: int) -> bool:
        """Many orders that are gone at once are a plugin or a permission that hides them: nothing is cancelled."""
        in_this_hour = await self._register.missing(self.shop, self._seconds(), len(gone))
        all_of_them = len(gone) == asked and asked >= _FEW and len(gone) * _FEARED > self._policy.most_missing
        if not all_of_them and in_this_hour <= self._policy.most_missing:
            return False
        self._braked.set(len(gone))
        logger.error(
            "%s: %d of %d open orders that were asked for by id are gone, %d in this hour: more than are deleted at "
            "once as a rule, so none is cancelled; see the runbook OrdersMissingAtShop"
            " | 按编号查询的 %d 个未完成订单中有 %d 个查不到，本小时共 %d 个；超出正常删除数量，均不取消，"
            "请查阅处理手册 OrdersMissingAtShop",
            self.shop, len(gone), asked, in_this_hour, asked, len(gone), in_this_hour,
        )  # fmt: skip
        ids = [order.order_id for order in gone]
        await self._register.postpone(self.shop, self._seconds(), ids, self._policy.every_seconds)
        return True

    async def _delete(self, lease: Lease, due: Due, order: DueOrder) -> int:
        """Publish that an order was deleted; 0 when a push has told something else meanwhile."""
        state = PlatformState(order.order_id, order.stamp, GONE, ended=True)
        [as_of] = await self._register.assign(self.shop, lease.fence, self._seconds(), due.marks, [state])
        if as_of.older or as_of.overtaken:
            return 0
        if not as_of.confirmed:
            await publish(self._producer, [self.deletion(state, as_of)])
        await self._register.confirm(self.shop, self._seconds(), [(state, as_of.edition)])
        logger.info("%s: order %s was deleted at the shop; it is cancelled", self.shop, order.order_id)
        return 1 - as_of.confirmed

    def deletion(self, state: PlatformState, as_of: Assigned) -> Record:
        """After everything known of the order; now, for one of which nothing is."""
        now = self._now()
        after = state.stamp + max(1, as_of.edition) if state.stamp else int(now.timestamp() * 1000)
        return deletion_record(Arrival(shop=self.shop, source="reread", at=now), state.order_id, after)

    def _seconds(self) -> float:
        return self._now().timestamp()

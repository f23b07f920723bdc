"""What becomes of a push whose signature is right: an order, a deletion, a hint, or something kept for a person.

A push that cannot be read is kept whole as a dead letter: to send the same bytes again would not help, and some
platforms switch a webhook off after a few refusals.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from channel_adapters.contract import (
    ChannelAdapter,
    ChannelError,
    ChannelRefused,
    Headers,
    OrderHint,
    RawOrder,
    TellsDeletions,
    UnreadablePayload,
)
from channel_adapters.shop import Shop, ShopSettings
from schemas.codes import Explanation, PayloadProblem
from workers.intake.apart import Apart
from workers.intake.lease import Leases
from workers.intake.progress import ProgressNotes
from workers.intake.publish import publish
from workers.intake.raw import STAGE, Arrival, deletion_record, raw_record, unreadable_letter
from workers.intake.reader import utc_now
from workers.intake.register import GONE, OpenOrders, PlatformState, state_of
from workers.intake.store import ShopKey
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.outputs import Sender

logger = logging.getLogger(__name__)

_REDIS_SECONDS: Final = 1.0  # platforms wait five seconds for the answer
_MOST_UNNOTED: Final = 10_000
_MOST_CODE: Final = 60  # characters of a platform's error code

_EMPTY: Final = UnreadablePayload("not-an-order", "", PayloadProblem.NO_ORDER_AT_ALL())


class PushIntake:
    """Takes in verified pushes. Raises TransientError while Kafka is away, and only then.

    Without Redis orders go on to Kafka, and what the register of open orders should know of them is remembered here and
    told to it with the first push after that. If this process ends before, polling tells most of it: it reads again
    whatever was modified since its cursor.
    """

    def __init__(
        self,
        *,
        producer: Sender,
        leases: Leases,
        register: OpenOrders,
        progress: ProgressNotes | None = None,
        rereads: Iterable[ShopSettings] = (),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._producer = producer
        self._leases = leases
        self._register = register
        self._progress = progress
        self._rereads = {ShopKey.of(shop): Shop(shop.shop_id, shop.policy) for shop in rereads}
        self._now = now
        self.apart = Apart()
        self._unnoted: deque[tuple[ShopKey, list[PlatformState]]] = deque(maxlen=_MOST_UNNOTED)

    async def take_in(self, shop: ShopKey, adapter: ChannelAdapter, headers: Headers, body: bytes) -> None:
        """One push; when this returns, Kafka has what is to be kept of it."""
        arrival = Arrival(shop=shop, source="webhook", at=self._now())
        await self._take_in(arrival, adapter, headers, body)
        if self._progress is not None:
            with suppress(TransientError, TimeoutError):
                async with asyncio.timeout(_REDIS_SECONDS):
                    await self._progress.pushed(shop, arrival.at)

    async def _take_in(self, arrival: Arrival, adapter: ChannelAdapter, headers: Headers, body: bytes) -> None:
        shop, deleted = arrival.shop, None
        if isinstance(adapter, TellsDeletions):
            deleted = await self.apart.work(len(body), adapter.deleted_order, headers, body)
        if deleted is not None:
            await self._delete(arrival, deleted)
            return
        try:
            orders = await self.apart.work(len(body), adapter.open_envelope, body)
        except OrderHint as hint:
            await self._read_soon(shop, hint.order_ids)
        except UnreadablePayload as error:
            await self._keep_unreadable(arrival, body, error)
        except ChannelError as error:
            await self._keep_unreadable(arrival, body, UnreadablePayload("platform-error", "", _platform_error(error)))
        else:
            await (self._publish(arrival, adapter, orders) if orders else self._keep_unreadable(arrival, body, _EMPTY))

    # -- orders ----------------------------------------------------------------------------------------------------

    async def _publish(self, arrival: Arrival, adapter: ChannelAdapter, orders: Sequence[RawOrder]) -> None:
        size = sum(len(order.payload) for order in orders)
        records = await self.apart.work(size, lambda: [raw_record(arrival, order) for order in orders])
        await publish(self._producer, records)
        metrics.INTAKE_ORDERS.labels(*arrival.shop, "webhook").inc(len(orders))
        whose = self._rereads.get(arrival.shop)
        if whose is not None:
            states = await self.apart.work(size, lambda: [state_of(adapter, order, whose) for order in orders])
            self._unnoted.append((arrival.shop, [state for state in states if state is not None]))
            await self._note()

    async def _note(self) -> None:
        """Tell the register all that it does not know yet, oldest first; what cannot be told now waits."""
        while self._unnoted:
            shop, states = self._unnoted.popleft()
            try:
                async with asyncio.timeout(_REDIS_SECONDS):
                    soon = await self._register.note(shop, self._now().timestamp(), states)
            except (TransientError, TimeoutError):
                self._unnoted.appendleft((shop, states))
                return
            metrics.INTAKE_HINTS.labels(*shop, "state").inc(soon)

    # -- deletions and hints ---------------------------------------------------------------------------------------

    async def _delete(self, arrival: Arrival, order_id: str) -> None:
        """After all that is known of the order; as of now, when nothing is or Redis cannot be asked."""
        shop, now = arrival.shop, self._now()
        state, edition, after = PlatformState(order_id, 0, GONE, ended=True), 0, int(now.timestamp() * 1000)
        await self._note()  # or the register would know an older state than Kafka has
        try:
            if self._unnoted:
                raise TransientError("Redis does not know all pushes yet")
            async with asyncio.timeout(_REDIS_SECONDS):
                known = await self._register.delete(shop, now.timestamp(), order_id)
            state, edition = state._replace(stamp=known.stamp), known.edition
            after = known.stamp + edition if known.stamp else after
        except (TransientError, TimeoutError):
            logger.warning("%s: order %s is deleted as of now: Redis cannot be asked for its state", shop, order_id)
        await publish(self._producer, [deletion_record(arrival, order_id, after)])
        metrics.INTAKE_ORDERS.labels(*shop, "webhook").inc()
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                await self._register.confirm(shop, now.timestamp(), [(state, edition)])
        except (TransientError, TimeoutError):
            logger.info("%s: the register does not know yet that order %s is deleted; it asks", shop, order_id)

    async def _read_soon(self, shop: ShopKey, order_ids: Sequence[str]) -> None:
        """Without Redis nobody can be asked; the next poll finds the order all the same."""
        metrics.INTAKE_HINTS.labels(*shop, "hint").inc()
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                if order_ids and shop in self._rereads:
                    await self._register.ask(shop, self._now().timestamp(), order_ids)
                await self._leases.hint(shop)
        except (TransientError, TimeoutError):
            logger.info("%s: nobody can be asked for a poll now: Redis is away", shop)

    # -- the rest --------------------------------------------------------------------------------------------------

    async def _keep_unreadable(self, arrival: Arrival, body: bytes, error: UnreadablePayload) -> None:
        letter = await self.apart.work(len(body), unreadable_letter, arrival, body, error)
        await publish(self._producer, [letter])
        metrics.DEAD_LETTERS.labels(STAGE, error.code).inc()
        logger.warning(
            "%s: a push cannot be read, kept as a dead letter: %s %s | 推送无法解析，已存入死信：%s",
            arrival.shop, error.where, error.text.en, error.text.zh,
        )  # fmt: skip
        await self._read_soon(arrival.shop, ())


def _platform_error(error: ChannelError) -> Explanation:
    """What a push is that is no order, but the platform's own error message."""
    if isinstance(error, ChannelRefused):
        return PayloadProblem.PLATFORM_ERROR(code=error.code[:_MOST_CODE])
    return PayloadProblem.PLATFORM_BUSY()

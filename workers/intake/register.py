"""The register of open orders, in Redis: what was published of each, and when it is to be read again.

Some platforms change an order without moving its modify time, and take it from their lists when it is deleted. So the
orders of their shops are read again by id until they end. What such a reading shows is told from what was published
before by its digest, and numbered: the `edition` of a modify time. Only readings make editions, under the shop's lease
and in the order in which they were begun; a push, which may come late, twice or out of order, only asks for a reading.

decisions/0021-open-orders-are-read-again.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple

from redis.asyncio import Redis

from channel_adapters.contract import ChannelAdapter, RawOrder
from channel_adapters.parsing import NoTemplateFits, read_order
from channel_adapters.shop import Shop, ShopSettings
from schemas.order import OrderStatus
from schemas.record import record
from workers.intake.lease import Lease, LeaseLost
from workers.intake.store import ShopKey, asked
from workers.runtime.redis.scripts import load_script

GONE: Final = "gone"
"""The digest that stands for an order that was deleted."""

_OLDER: Final = -1
_OVERTAKEN: Final = -2
_ENDED: Final = frozenset({OrderStatus.SHIPPED, OrderStatus.COMPLETED, OrderStatus.CANCELLED})


@record
class RereadPolicy:
    """How orders are read again. Times in seconds."""

    every_seconds: float = 1800.0
    """0: never."""

    forget_seconds: float = 30 * 86_400.0
    """An order without news for this long is no longer read again."""

    keep_ended_seconds: float = 7 * 86_400.0
    """How long an order that has ended is remembered, so that its editions go on counting if it comes back."""

    soon_seconds: float = 60.0
    """When an order is tried again that could not be read."""

    most_missing: int = 10
    """More orders of one shop than this missing within an hour are trouble with the shop, not deletions."""

    pause_seconds: float = 1.0
    """Between two calls."""


class PlatformState(NamedTuple):
    """One state of an order as its platform showed it. `stamp`: its modify time, unix ms."""

    order_id: str
    stamp: int
    digest: str
    ended: bool


class Assigned(NamedTuple):
    """As of which edition a state is to be published."""

    edition: int
    confirmed: bool  # Kafka has it already

    @property
    def older(self) -> bool:
        """The order has had a newer modify time before."""
        return self.edition == _OLDER

    @property
    def overtaken(self) -> bool:
        """A push came while it was read, so it may be what was before: to be read again, and not to be published."""
        return self.edition == _OVERTAKEN


class DueOrder(NamedTuple):
    """An order that is to be read again, with what is known of it."""

    order_id: str
    stamp: int
    edition: int


class Due(NamedTuple):
    """What is to be read now. `marks` is given back with what was read: see `OpenOrders.assign`."""

    marks: int
    orders: Sequence[DueOrder]
    forgotten: int
    registered: int  # orders in the register, due or not


def state_of(adapter: ChannelAdapter, raw: RawOrder, shop: Shop) -> PlatformState | None:
    """What the register keeps of an order object; None for one that does not say which order it is, or as of when.

    The digest is that of what we make of it, so that a link, or a field that we do not keep, is no news. Of what
    cannot be made an order it is that of its bytes.
    """
    if raw.modified_at is None:
        return None
    stamp = int(raw.modified_at.timestamp() * 1000)
    try:
        order = read_order(adapter, raw.payload, shop)
    except NoTemplateFits:
        return PlatformState(raw.platform_order_id, stamp, blake2b(raw.payload, digest_size=12).hexdigest(), False)
    digest = order.revision.rpartition(".")[2]  # without the ranks before it, which come and go with our version
    return PlatformState(raw.platform_order_id, stamp, digest, order.status in _ENDED)


class OpenOrders:
    """The registers of all shops. Every method is one round trip, and raises TransientError."""

    def __init__(self, redis: Redis, policy: RereadPolicy) -> None:
        self.policy = policy
        self._redis = redis
        self._assign = load_script(redis, __package__, "assign.lua")
        self._confirm = load_script(redis, __package__, "confirm.lua")
        self._note = load_script(redis, __package__, "note.lua")
        self._ask = load_script(redis, __package__, "ask.lua")
        self._delete = load_script(redis, __package__, "delete.lua")
        self._due = load_script(redis, __package__, "due.lua")

    async def due(self, shop: ShopKey, now: float, limit: int) -> Due:
        """At most `limit` orders that are to be read again at `now` (unix seconds)."""
        oldest = now - self.policy.forget_seconds
        answer = await asked(self._due(_keys(shop), [_ms(now), limit, max(0, _ms(oldest))]))
        rows = answer[3:]
        orders = [
            DueOrder(_text(order_id), int(stamp), int(edition))
            for order_id, stamp, edition in zip(rows[::3], rows[1::3], rows[2::3], strict=True)
        ]
        return Due(int(answer[0]), orders, int(answer[1]), int(answer[2]))

    async def assign(
        self, shop: ShopKey, fence: int, now: float, marks: int, states: Sequence[PlatformState]
    ) -> list[Assigned]:
        """The edition of each state that was read. `marks`: from before the reading was begun (`due`, `confirm`).

        Raises LeaseLost when a newer lease was handed out.
        """
        if not states:
            return []
        args: list[str | int] = [fence, _ms(now), marks]
        for state in states:
            args += [state.order_id, state.stamp, state.digest]
        answer = await asked(self._assign([*_keys(shop), shop.redis_key("fence")], args))
        if answer == "FENCED":
            raise LeaseLost(str(shop))
        return [Assigned(int(edition), bool(done)) for edition, done in zip(answer[::2], answer[1::2], strict=True)]

    async def confirm(self, shop: ShopKey, now: float, states: Iterable[tuple[PlatformState, int]]) -> int:
        """Kafka has these states as of these editions. Gives the `marks` for the next reading."""
        args: list[str | int] = []
        for state, edition in states:
            flag, again = self._next(state, now)
            args += [state.order_id, state.stamp, edition, state.digest, flag, again]
        return int(await asked(self._confirm(_keys(shop), args)))

    async def note(self, shop: ShopKey, now: float, states: Sequence[PlatformState]) -> int:
        """Pushes brought these states, and Kafka has them. How many orders are read again soon because of that."""
        args: list[str | int] = [_ms(now)]
        for state in states:
            args += [state.order_id, state.stamp, state.digest, *self._next(state, now)]
        return int(await asked(self._note([*_keys(shop), shop.redis_key("hint")], args)))

    async def ask(self, shop: ShopKey, now: float, order_ids: Sequence[str]) -> None:
        """Something happened to these orders: read them again soon."""
        if order_ids:
            await asked(self._ask([*_keys(shop), shop.redis_key("hint")], [_ms(now), *order_ids]))

    async def delete(self, shop: ShopKey, now: float, order_id: str) -> DueOrder:
        """A push says that an order was deleted: its modify time and the edition as of which that is published."""
        stamp, edition = await asked(self._delete(_keys(shop), [_ms(now), order_id, GONE]))
        return DueOrder(order_id, int(stamp), int(edition))

    async def postpone(self, shop: ShopKey, now: float, order_ids: Iterable[str], seconds: float) -> None:
        """Read these later: something is in the way now."""
        at = _ms(now + seconds)
        later = dict.fromkeys(order_ids, at)
        if later:
            await asked(self._redis.zadd(shop.redis_key("open-due"), later, xx=True))

    async def missing(self, shop: ShopKey, now: float, found: int) -> int:
        """Count orders that a shop does not list any more; how many there were in this hour of the clock."""
        key = f"{shop.redis_key('missing')}:{int(now // 3600)}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.incrby(key, found)
            pipe.expire(key, 3600)
            answers = await asked(pipe.execute())
        return int(answers[0])

    def _next(self, state: PlatformState, now: float) -> tuple[str, int]:
        if state.ended:
            return "Z", _ms(now + self.policy.keep_ended_seconds)
        return "C", _ms(now + self.policy.every_seconds)


class ShopRegister:
    """The register of one shop as its poller uses it, page by page: first `editions`, then Kafka, then `confirm`."""

    def __init__(
        self, shop: ShopSettings, adapter: ChannelAdapter, orders: OpenOrders, now: Callable[[], datetime]
    ) -> None:
        self._shop = ShopKey.of(shop)
        self._whose = Shop(shop.shop_id, shop.policy)
        self._adapter = adapter
        self._orders = orders
        self._now = now
        self._fence = 0
        self._marks = 0
        self._assigned: list[tuple[PlatformState, int]] = []

    async def begin(self, lease: Lease) -> None:
        """Before the first page of a round is asked for. Raises TransientError."""
        self._fence = lease.fence
        self._assigned = []
        self._marks = await self._orders.confirm(self._shop, self._seconds(), ())

    async def editions(self, page: Sequence[RawOrder]) -> list[int | None]:
        """As of which edition each order of a page is to be published; None for one that is to be read again instead.

        Raises LeaseLost, TransientError.
        """
        states = [state_of(self._adapter, row, self._whose) for row in page]
        known = [state for state in states if state is not None]
        assigned = await self._orders.assign(self._shop, self._fence, self._seconds(), self._marks, known)
        ranked = [pair for pair in zip(known, assigned, strict=True) if not (pair[1].older or pair[1].overtaken)]
        self._assigned = [(state, as_of.edition) for state, as_of in ranked]
        answers = iter(assigned)
        return [0 if state is None else _to_publish(next(answers)) for state in states]

    async def confirm(self) -> None:
        """Kafka has the page. Raises TransientError."""
        self._marks = await self._orders.confirm(self._shop, self._seconds(), self._assigned)
        self._assigned = []

    def _seconds(self) -> float:
        return self._now().timestamp()


def _to_publish(as_of: Assigned) -> int | None:
    """What is older than what is known is published as it stands: it takes no effect, and nothing is kept from view."""
    if as_of.overtaken:
        return None
    return 0 if as_of.older else as_of.edition


def _keys(shop: ShopKey) -> list[str]:
    return [shop.redis_key("open"), shop.redis_key("open-due")]


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value

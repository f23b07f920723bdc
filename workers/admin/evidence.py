"""Everything that is written about one order, in the stock ledger and in the topics, gathered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError
from redis.exceptions import RedisError

from channel_adapters.registry import CHANNELS
from schemas.dead_letter import DeadLetter
from schemas.decision import Decided
from schemas.fulfillment import FulfillmentInstruction, WmsEvent
from schemas.ids import OrderUid
from schemas.plan import Backorder, PlannedOrder, TransferRequest
from schemas.record import decode
from schemas.revision import Newest
from schemas.text import Text
from schemas.topics import (
    ORDERS_BACKORDERED,
    ORDERS_DECIDED,
    ORDERS_PLANNED,
    ORDERS_QUARANTINED,
    ORDERS_RAW,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
    Topic,
)
from workers.admin.errors import InvalidRequest
from workers.admin.scan import Found, Topics
from workers.admin.servers import corrupt, kafka_away, opened_ledger, redis_away, redis_refused
from workers.inventory.records import CorruptLedger, OrderSnapshot
from workers.rules.problems import did_you_mean
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings

T = TypeVar("T")

SINGLE: Final = (
    ORDERS_PLANNED,
    ORDERS_QUARANTINED,
    ORDERS_BACKORDERED,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
    ORDERS_DECIDED,
)


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A record that was found, and what it says."""

    found: Found
    value: T


@dataclass(slots=True)
class Evidence:
    """What was found about one order, oldest first, and what could not be asked."""

    order_uid: str
    ledger: OrderSnapshot | None = None
    raw: list[Found] = field(default_factory=list)
    planned: list[Read[PlannedOrder]] = field(default_factory=list)
    letters: list[Read[DeadLetter]] = field(default_factory=list)
    instructions: list[Read[FulfillmentInstruction]] = field(default_factory=list)
    backorders: list[Read[Backorder]] = field(default_factory=list)
    transfers: list[Read[TransferRequest]] = field(default_factory=list)
    wms: list[Read[WmsEvent]] = field(default_factory=list)
    decided: list[Read[Decided]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    looked_in: list[str] = field(default_factory=list)
    away: list[Text] = field(default_factory=list)

    @property
    def plan(self) -> Read[PlannedOrder] | None:
        """The newest decision: by revision, the later record of two. One that said nothing new took no effect."""
        newest, decided = Newest(), None
        for read in sorted(self.planned, key=lambda read: read.found.at):
            newest = newest.after(read.value.order.revision)
            if newest.revision == read.value.order.revision:
                decided = read
        return decided

    @property
    def is_empty(self) -> bool:
        """Nobody has heard of this order."""
        return not (self._is_in_ledger or self.raw or self.planned or self.letters or self.instructions)

    @property
    def _is_in_ledger(self) -> bool:
        return self.ledger is not None and bool(self.ledger.revision or self.ledger.reservations)


# -- gathering -----------------------------------------------------------------------------------------------------


async def gather_from_ledger(settings: Settings, evidence: Evidence) -> None:
    """Ask Redis. Away, it is named in `away`. Raises InvalidRequest when its address is none."""
    try:
        async with opened_ledger(settings) as ledger:
            evidence.ledger = await ledger.orders.where_is(evidence.order_uid)
    except TransientError as error:
        evidence.away.append(redis_away(settings, error))
    except RedisError as error:
        evidence.away.append(redis_refused(settings, error))
    except CorruptLedger as error:
        evidence.away.append(corrupt(error))
    else:
        evidence.looked_in.append("Redis")


def gather_from_topics(settings: Settings, evidence: Evidence, since: datetime | None) -> None:
    """Ask Kafka, and wait for all it says. Away, it is named in `away`; what was read before is kept."""
    try:
        with Topics(settings.cluster) as topics:
            _read_topics(topics, evidence, since)
    except TransientError as error:
        evidence.away.append(kafka_away(settings, error))


def _read_topics(topics: Topics, evidence: Evidence, since: datetime | None) -> None:
    names = _topics_of(topics, evidence.order_uid)
    evidence.looked_in += names
    lists: dict[str, tuple[Topic, list[Any]]] = {
        ORDERS_PLANNED.name: (ORDERS_PLANNED, evidence.planned),
        ORDERS_QUARANTINED.name: (ORDERS_QUARANTINED, evidence.letters),
        ORDERS_BACKORDERED.name: (ORDERS_BACKORDERED, evidence.backorders),
        TRANSFERS_REQUESTED.name: (TRANSFERS_REQUESTED, evidence.transfers),
        WMS_EVENTS.name: (WMS_EVENTS, evidence.wms),
        ORDERS_DECIDED.name: (ORDERS_DECIDED, evidence.decided),
    }
    for found in topics.having_key(evidence.order_uid, names, since):
        if found.topic.startswith(f"{ORDERS_RAW.name}."):
            evidence.raw.append(found)
            continue
        topic, into = lists.get(found.topic, (ORDERS_ROUTED, evidence.instructions))
        _decode_into(found, topic, into, evidence)
    evidence.raw.sort(key=lambda found: found.at)
    evidence.instructions.sort(key=lambda read: read.found.at)


def _topics_of(topics: Topics, order_uid: str) -> list[str]:
    """Where an order can have left a trace, as far as the topic exists."""
    channel = OrderUid.parse(order_uid).channel
    names = [ORDERS_RAW.of(channel), *(topic.name for topic in SINGLE)]
    names += sorted(name for name in topics.partitions if name.startswith(f"{ORDERS_ROUTED.name}."))
    return [name for name in names if name in topics.partitions]


def _decode_into(found: Found, topic: Topic, into: list[Any], evidence: Evidence) -> None:
    assert topic.model is not None
    try:
        into.append(Read(found, decode(topic.model, found.value)))
    except ValidationError:
        evidence.unreadable.append(found.place)


def named_uid(order: str) -> OrderUid | None:
    """The order uid that this is; None for what may be a platform's order id. Raises InvalidRequest."""
    try:
        uid = OrderUid.parse(order)
    except ValueError:
        return None
    if uid.channel not in CHANNELS:
        hint = did_you_mean(uid.channel, CHANNELS)
        raise InvalidRequest(
            Text(f"there is no channel {uid.channel}{hint.en}", f"没有渠道 {uid.channel}{hint.zh}"),
        )
    return uid


def uids_of(topics: Topics, platform_order_id: str, since: datetime | None) -> list[str]:
    """All order uids with this platform order id: of the decisions, else of the dead letters, else of what came in."""
    raw = sorted(name for name in topics.partitions if name.startswith(f"{ORDERS_RAW.name}."))
    for names in ([ORDERS_PLANNED.name], [ORDERS_QUARANTINED.name], raw):
        uids = {uid for name in names for uid in _matching(topics, platform_order_id, name, since)}
        if uids:
            return sorted(uids)
    return []


def _matching(topics: Topics, platform_order_id: str, topic: str, since: datetime | None) -> Iterator[str]:
    tail = f":{platform_order_id}".encode()
    for found in topics.matching(lambda key: key.endswith(tail), topic, since):
        try:
            uid = OrderUid.parse(found.key.decode())
        except ValueError:
            continue
        if uid.platform_order_id == platform_order_id:
            yield ":".join(uid)


def warehouses_of(ledger: OrderSnapshot) -> Sequence[str]:
    """The warehouses that hold stock for the order."""
    return [warehouse_id for warehouse_id, units in ledger.holdings.items() if any(units.values())]

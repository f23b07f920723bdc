"""One round, whole, from a seed: the orders and every form in which they come in, the stock, the faults. Pure.

The same seed gives the same plan, whatever the clock says: only the times inside the payloads move with `now`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Final

from channel_adapters.contract import RawOrder
from ops.testbed.oracle.accounts import Expected
from ops.testbed.oracle.decided import ANYWHERE
from ops.testbed.simulators.catalogue import Catalogue
from ops.testbed.simulators.generator import Generator, Life, open_sale
from ops.testbed.simulators.payloads.order_objects import order_object
from ops.testbed.simulators.places import somewhere
from ops.testbed.simulators.sale import Sale
from ops.testbed.simulators.stories import SHIPPABLE, close_unpaid, pay, refund_all, refund_first_line, shown
from ops.testbed.torture.faults import Fault, FaultKind, draw_faults
from schemas.decision import DecisionKind
from schemas.ids import order_uid
from workers.intake.raw import Arrival, raw_record
from workers.intake.store import ShopKey
from workers.runtime.kafka.records import Record

PAY_SECONDS: Final = 15
"""How long buyers may take to pay: of orders placed so long ago, some deadlines lie before the round and some in it."""

_PLACED_AGO: Final = (12, 32)
_STEP_GAPS: Final = (1, 2, 3)
_TIES: Final = (pay, close_unpaid, refund_all, refund_first_line)
"""Steps that may leave the time stamp alone: what they make of an order wins a tie."""
_TIED: Final = 0.4  # of these steps
_TOUCHED: Final = 0.15  # of the orders that ship: their shop touches them twice more ...
_TOUCHED_FROM: Final = 0.6  # ... in the last part of the round, when they may have left
_REORDERED: Final = 0.3  # of the orders with several revisions
_REPEATED: Final = 0.2  # of the records, and of the decisions
_DECIDED: Final = 0.2  # of the orders: people decide about them, one to three times
_KINDS: Final = (
    DecisionKind.RELEASE,
    DecisionKind.RELEASE,
    DecisionKind.CANCEL,
    DecisionKind.HOLD,
    DecisionKind.REDECIDE,
    DecisionKind.CORRECT,
    DecisionKind.CORRECT,
    DecisionKind.SPLIT,
    DecisionKind.SETTLE_FLAG,
    DecisionKind.NOTE,
)
_UNITS: Final = ((0, 1, 4, 12, 40), (8, 10, 22, 30, 30))  # to promise of one SKU in one warehouse, and their odds


@dataclass(frozen=True, slots=True)
class Feed:
    """One raw record, and when it comes in, seconds into the round."""

    at: float
    record: Record


@dataclass(frozen=True, slots=True)
class Choice:
    """That somebody decides about an order, and when, seconds into the round; what exactly depends on what they see.

    `again`: when the same decision comes a second time; None: it does not.
    """

    at: float
    uid: str
    kind: DecisionKind
    decision_id: str
    again: float | None = None


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """What a round is made of. `stock`: units that may be promised at its start, by warehouse and SKU."""

    seed: int
    feeds: tuple[Feed, ...]
    faults: tuple[Fault, ...]
    truth: tuple[Expected, ...]
    stock: dict[str, dict[str, int]]
    reordered: int  # orders of which an older revision comes after a newer one
    repeated: int  # records that come a second time
    choices: tuple[Choice, ...] = ()  # of people who decide meanwhile


@dataclass(frozen=True, slots=True)
class Size:
    """How large a round is. `seconds`: how long input comes in."""

    orders: int = 300
    faults: int = 4
    seconds: float = 4.0
    lasting: float | None = None  # seconds of each fault; None: as its kind does


def plan_round(
    seed: int, size: Size, kinds: Sequence[FaultKind], catalogue: Catalogue, warehouses: Sequence[str], now: int
) -> RoundPlan:
    """The plan of one seed. `now`: unix seconds; every order was placed and changed shortly before."""
    rng = Random(seed)  # noqa: S311  # repeatable on purpose
    feeds: list[Feed] = []
    truth, reordered = [], 0
    for life in Generator(seed, catalogue, PAY_SECONDS).take(size.orders):
        records = list(_revisions(life, now - rng.randint(*_PLACED_AGO), now))
        turns = _turns(rng, len(records))
        reordered += turns != sorted(turns)
        feeds += _spread(rng, [records[turn] for turn in turns], size.seconds)
        feeds += [Feed(size.seconds * rng.uniform(_TOUCHED_FROM, 1), record) for record in _touches(life, now)]
        sale = life.sale
        uid = order_uid(sale.channel, sale.shop_id, sale.order_id)
        truth.append(Expected(uid, sale.story, sale.expected, sale.wanted()))
    again = _repeats(rng, feeds, size.seconds)
    choices = _choices(seed, [expected.uid for expected in truth], size.seconds)
    decided = {choice.uid for choice in choices}
    return RoundPlan(
        seed=seed,
        feeds=tuple(sorted((*feeds, *again), key=lambda feed: feed.at)),
        faults=draw_faults(rng, kinds, size.faults, size.seconds, size.lasting),
        truth=tuple(anywhere(expected) if expected.uid in decided else expected for expected in truth),
        stock={warehouse: _stock(rng, catalogue) for warehouse in warehouses},
        reordered=reordered,
        repeated=len(again),
        choices=choices,
    )


def anywhere(expected: Expected) -> Expected:
    """An order about which people decide: it may end in any legal place."""
    return replace(expected, places=tuple(dict.fromkeys((*expected.places, *ANYWHERE))))


def _choices(seed: int, uids: Sequence[str], seconds: float) -> tuple[Choice, ...]:
    """Drawn apart from all else, so that a seed of before draws the same orders and faults."""
    rng = Random(f"decisions {seed}")  # noqa: S311
    choices = []
    for uid in rng.sample(list(uids), int(len(uids) * _DECIDED)):
        for number in range(rng.choice((1, 1, 2, 3))):
            at = seconds * rng.uniform(0.1, 1.3)
            again = at + rng.uniform(0, seconds / 2) if rng.random() < _REPEATED else None
            kind = rng.choice(_KINDS)
            choices.append(Choice(at, uid, kind, f"{seed}.{uid.replace('/', '.')}.{number}"[-90:], again))
    return tuple(sorted(choices, key=lambda choice: choice.at))


def _revisions(life: Life, placed_at: int, now: int) -> Iterator[Record]:
    """Every form in which the platform shows the order, oldest first."""
    rng = Random(life.sale.serial)  # noqa: S311
    sale = open_sale(life, placed_at)
    if shown(sale):
        yield _record(life, now)
    for number, (_, step) in enumerate(life.steps, start=1):
        if step.change not in _TIES or rng.random() >= _TIED:
            sale.modified_at += rng.choice(_STEP_GAPS)
        sale.revision += 1
        step.change(sale, sale.modified_at)
        if shown(sale):
            yield _record(life, now, number)


def _touches(life: Life, now: int) -> Iterator[Record]:
    """The order as it is, under newer modify times: after `_revisions`."""
    sale = life.sale
    if sale.expected == SHIPPABLE and Random(sale.serial + 1).random() < _TOUCHED:  # noqa: S311
        for _ in range(2):
            sale.modified_at += 1
            sale.revision += 1
            _alter(sale)
            yield _record(life, now)


def _alter(sale: Sale) -> None:
    """Now and then the buyer moves, or wants one piece more or fewer of the first line."""
    rng, first = Random(sale.serial * 7 + sale.revision), sale.items[0]  # noqa: S311
    simple = len(sale.items) == 1 and not (first.refunded or first.gift or sale.presale)
    match rng.randrange(5):
        case 0:
            sale.place = somewhere(rng)
        case 1 if simple:
            first.quantity += 1
        case 2 if simple and first.quantity > 1:
            first.quantity -= 1


def _record(life: Life, now: int, number: int = 0) -> Record:
    """As it was received, a millisecond after the state before."""
    sale = life.sale
    shop = ShopKey(sale.channel, sale.shop_id)
    arrival = Arrival(shop=shop, source="poll", at=datetime.fromtimestamp(now + number / 1000, UTC))
    modified = datetime.fromtimestamp(sale.modified_at, UTC)
    return raw_record(arrival, RawOrder(sale.order_id, modified, order_object(sale)))


def _turns(rng: Random, count: int) -> list[int]:
    """In which order the revisions come."""
    turns = list(range(count))
    if rng.random() < _REORDERED:
        rng.shuffle(turns)
    return turns


def _spread(rng: Random, records: Sequence[Record], seconds: float) -> list[Feed]:
    """The records of one order, one after the other, somewhere in the round; half of the time right after another."""
    at = rng.uniform(0, seconds)
    feeds = []
    for record in records:
        feeds.append(Feed(at, record))
        at = min(seconds, at + (rng.uniform(0, seconds / 2) if rng.random() < 0.5 else 0.001))
    return feeds


def _repeats(rng: Random, feeds: Sequence[Feed], seconds: float) -> list[Feed]:
    """Some records a second time, up to half a round later."""
    count = int(len(feeds) * _REPEATED)
    return [Feed(min(seconds, f.at + rng.uniform(0, seconds / 2)), f.record) for f in rng.sample(list(feeds), count)]


def _stock(rng: Random, catalogue: Catalogue) -> dict[str, int]:
    units, odds = _UNITS
    return {sku: rng.choices(units, odds)[0] for sku in catalogue.goods}

"""Keeps the books of a run from what stands in the topics, independently of the fleet's own state.

Every order must end in exactly one place. The accountant reads the topics that leave the fleet, drops repeats by the
`dedupe-key` header as a WMS would, and says for every order where it is.
"""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ops.testbed.oracle.decided import Decisions
from ops.testbed.oracle.parcels import Content, Parcel, Told, content_of
from ops.testbed.simulators.wms.house import IMPOSSIBLE
from schemas.dead_letter import DeadLetter
from schemas.decision import Decided
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent, WmsEventKind
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.order import lines_to_ship
from schemas.plan import Backorder, Disposition, PlannedOrder, ReviewOrder, TransferRequest
from schemas.record import reader
from schemas.revision import Newest
from workers.inventory.availability import wanted

PLACE_OF_DISPOSITION: Final = {
    Disposition.REVIEW: "review",
    Disposition.DEFER: "deferred",
    Disposition.RELEASE: "released",
    Disposition.IGNORE: "ignored",
}

_PLANNED = reader(PlannedOrder)
_INSTRUCTION = reader(FulfillmentInstruction)
_BACKORDER = reader(Backorder)
_TRANSFER = reader(TransferRequest)
_REVIEW = reader(ReviewOrder)
_LETTER = reader(DeadLetter)
_INVENTORY = reader(InventoryEvent)
_WMS_EVENT = reader(WmsEvent)
_DECIDED = reader(Decided)


@dataclass(slots=True)
class Account:
    """What the topics say about one order. Of each kind, the newest revision counts."""

    planned: str = ""
    seen: str = ""  # the newest revision that said the same once more
    disposition: Disposition | None = None
    sent_back: bool = False  # a warehouse's answer put it before a person
    ordered: dict[str, int] = field(default_factory=dict)  # the most that any revision asked for
    wanted: dict[str, int] = field(default_factory=dict)  # what the newest asks for
    content: Content | None = None  # the same, line by line
    routed: dict[str, Parcel] = field(default_factory=dict)  # by warehouse
    backordered: str = ""
    transferred: str = ""
    reviewed: set[str] = field(default_factory=set)
    letters: int = 0
    stock: tuple[str, int] = "", 0  # revision and fence of the newest inventory event that moved stock
    stock_kind: InventoryEventKind | None = None
    decisions: Decisions = field(default_factory=Decisions)
    to_ship: dict[str, int] = field(default_factory=dict)  # of what the newest asks for
    found_as_told: str = ""  # newest revision for which the stock was already where it had to be

    @property
    def doubled(self) -> bool:
        """Two warehouses may ship it that were neither told to stop nor gave it back, or did ship the same unit.

        Warehouses that share an order have different parcels of one split.
        """
        live = [parcel.newest for parcel in self.routed.values() if parcel.live]
        one_split = len({told.parcels for told in live}) <= 1 and len({told.parcel for told in live}) == len(live)
        return not one_split or any(units > self.ordered.get(sku, 0) for sku, units in self.shipped.items())

    @property
    def shipped(self) -> Counter[str]:
        """Units that have left, by SKU."""
        left: Counter[str] = Counter()
        for parcel in self.routed.values():
            left.update(parcel.shipped)
        return left

    @property
    def told(self) -> Counter[str]:
        """Units that warehouses are told to ship, by SKU, whether they have left or not."""
        units: Counter[str] = Counter()
        for parcel in self.routed.values():
            if parcel.live:
                for _, sku, count in parcel.newest.content.lines:
                    units[sku] += count
        return units

    @property
    def waiting(self) -> bool:
        """A warehouse has yet to answer."""
        return any(parcel.waiting for parcel in self.routed.values())

    def place(self) -> str:
        """Where the order is now, in one word; "lost" when nothing says anything."""
        if self.disposition is None:
            return "quarantined" if self.letters else "lost"
        if self.disposition is not Disposition.RESERVE:
            return "wms-review" if self.sent_back else PLACE_OF_DISPOSITION[self.disposition]
        return self._after_reserve()

    def _after_reserve(self) -> str:
        live = [parcel for parcel in self.routed.values() if parcel.live]
        if self.planned in self.reviewed and not self.shipped >= Counter(self.wanted):
            return "wms-review"  # more is wanted than has left, and a person must see to the rest
        if live and all(parcel.left for parcel in live):
            return "shipped"  # whatever was wanted of it later
        if not live and any(self.wanted.values()) and self.shipped >= Counter(self.wanted):
            return "shipped"  # what a warehouse came up short of is wanted no more
        if live and self._is_told([parcel.newest for parcel in live]):
            return "routed"
        if self.planned in self.reviewed:
            return "wms-review"  # a part has left, and a person must see to the rest
        if self.backordered == self.planned:
            return "backordered"
        if self.transferred == self.planned:
            return "transfer-requested"
        if self.stock_kind is InventoryEventKind.EXPIRED:
            return "expired"
        if self.stock_kind in (InventoryEventKind.HELD, InventoryEventKind.CHANGED):
            return "held"
        return "quarantined" if self.letters else "lost"

    def _is_told(self, told: Sequence[Told]) -> bool:
        """Warehouses that have it already are told nothing when it is planned again and nothing changes for them."""
        if any(each.revision == self.planned for each in told):
            return True
        lines = frozenset[tuple[str, str, int]]().union(*(each.content.lines for each in told))
        as_wanted = {Content(lines, each.content.manner) for each in told} == {self.content}
        return self.found_as_told == self.planned and as_wanted


class Books:
    """All accounts of a run."""

    def __init__(self) -> None:
        self.accounts: defaultdict[str, Account] = defaultdict(Account)
        self.messages: Counter[str] = Counter()  # by topic family, repeats left out
        self.repeats = 0
        self.routed: Counter[str] = Counter()  # instructions to fulfil, by warehouse
        self.gift_units = 0
        self.kinds: Counter[InventoryEventKind] = Counter()
        self.answers: Counter[str] = Counter()  # of warehouses; "cancelled-too-late": refused cancellations
        self.sequences: defaultdict[str, set[int]] = defaultdict(set)
        self.impossible: set[str] = set()  # messages of warehouses that cannot be right ...
        self.set_aside: set[str] = set()  # ... and those that were refused as such
        self.decided: dict[str, bytes] = {}  # what became of decisions, by id
        self.torn_answers: set[str] = set()  # ids of decisions that were answered in two ways
        self._seen: set[tuple[str, str, str]] = set()
        self._readers = {
            "orders.planned": self._planned,
            "orders.routed": self._instruction,
            "orders.backordered": self._backorder,
            "transfers.requested": self._transfer,
            "orders.review": self._review,
            "orders.quarantined": self._letter,
            "inventory.events": self._inventory,
            "wms.events": self._answer,
            "orders.decided": self._decided,
        }

    def add(self, topic: str, key: str, dedupe: str, value: bytes) -> None:
        """Take one record in; a repeat is counted and otherwise ignored."""
        family = "orders.routed" if topic.startswith("orders.routed.") else topic
        if family == "orders.decided" and self.decided.setdefault(dedupe, value) != value:
            self.torn_answers.add(dedupe)
        if (family, key, dedupe) in self._seen:
            self.repeats += 1
            return
        self._seen.add((family, key, dedupe))
        self.messages[family] += 1
        reader = self._readers.get(family)
        if reader is not None:
            reader(value)

    def _planned(self, value: bytes) -> None:
        planned = _PLANNED(value)
        lines = lines_to_ship(planned.order)
        account, units_wanted = self.accounts[planned.order.uid], wanted(planned.order.lines)
        newest = Newest(account.planned, account.seen).after(planned.order.revision)
        account.planned, account.seen = newest
        if planned.order.revision == newest.revision:
            account.disposition = planned.plan.disposition
            account.sent_back = any(code.startswith("wms-") for code in planned.plan.hold_codes)
            account.wanted, account.content = units_wanted, content_of(lines, planned.order)
            account.to_ship = wanted(lines)
        for sku, units in units_wanted.items():
            account.ordered[sku] = max(units, account.ordered.get(sku, 0))

    def _instruction(self, value: bytes) -> None:
        told = _INSTRUCTION(value)
        account = self.accounts[told.order_uid]
        account.routed.setdefault(told.warehouse_id, Parcel()).tell(told)
        if told.kind is InstructionKind.FULFIL:
            self.routed[told.warehouse_id] += 1
            self.gift_units += sum(line.quantity for line in told.gifts)

    def _answer(self, value: bytes) -> None:
        event = _WMS_EVENT(value)
        if event.message_id.endswith(IMPOSSIBLE):
            self.impossible.add(event.message_id)
            return
        self.answers[_answer_name(event)] += 1
        parcel = self.accounts[event.order_uid].routed.setdefault(event.warehouse_id, Parcel())
        parcel.hear(event)

    def _decided(self, value: bytes) -> None:
        decided = _DECIDED(value)
        if decided.is_done:  # of one that is refused, the order may never have been shown
            self.accounts[decided.order_uid].decisions.add(decided)

    def _backorder(self, value: bytes) -> None:
        order = _BACKORDER(value).planned.order
        self.accounts[order.uid].backordered = max(self.accounts[order.uid].backordered, order.revision)

    def _transfer(self, value: bytes) -> None:
        request = _TRANSFER(value)
        self.accounts[request.order_uid].transferred = max(
            self.accounts[request.order_uid].transferred, request.revision
        )

    def _review(self, value: bytes) -> None:
        order = _REVIEW(value).planned.order
        self.accounts[order.uid].reviewed.add(order.revision)

    def _letter(self, value: bytes) -> None:
        letter = _LETTER(value)
        if letter.reason in ("more-than-told", "never-told"):
            self.set_aside.add(_WMS_EVENT(base64.b64decode(letter.payload_base64)).message_id)
            return
        self.accounts[letter.key].letters += 1

    def _inventory(self, value: bytes) -> None:
        event = _INVENTORY(value)
        self.kinds[event.kind] += 1
        self.sequences[event.warehouse_id].add(event.sequence)
        if not event.order_uid:
            return
        account, age = self.accounts[event.order_uid], (event.revision, event.fence)
        # Those of two warehouses may be read in any order: by their fence, it is known which came later.
        if event.kind not in (InventoryEventKind.NOTED, InventoryEventKind.LOST) and age >= account.stock:
            account.stock, account.stock_kind = age, event.kind
            if event.kind is InventoryEventKind.CHANGED and not event.changes:
                account.found_as_told = event.revision

    def places(self) -> Counter[str]:
        """How many orders are in each place."""
        return Counter(account.place() for account in self.accounts.values())

    def waiting(self) -> int:
        """Orders of which a warehouse has yet to say what became of them."""
        return sum(account.waiting for account in self.accounts.values())

    def missing_events(self) -> int:
        """Inventory events that never arrived: gaps in a warehouse's sequence."""
        return sum(max(seen) - len(seen) for seen in self.sequences.values() if seen)


def _answer_name(event: WmsEvent) -> str:
    late = event.kind is WmsEventKind.REJECTED and event.instruction_id.endswith(f"/{InstructionKind.CANCEL}")
    return "cancelled-too-late" if late else event.kind.value


@dataclass(frozen=True, slots=True)
class Expected:
    """What a generated order should have come to, as the simulators tell it."""

    uid: str
    story: str
    places: tuple[str, ...]
    quantities: dict[str, int]


@dataclass(slots=True)
class Verdict:
    """The books against what was generated."""

    generated: int = 0
    lost: list[str] = field(default_factory=list)  # never shown up anywhere
    misplaced: list[str] = field(default_factory=list)  # somewhere its story does not allow: "uid: story: place"
    doubled: list[str] = field(default_factory=list)  # told to two warehouses without a split, or shipped twice
    unknown: list[str] = field(default_factory=list)  # in the topics, and never generated
    places: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether every order is accounted for exactly once, where it belongs."""
        return not self.wrong

    @property
    def wrong(self) -> list[str]:
        """The orders that are not, each once."""
        misplaced = (told.partition(": ")[0] for told in self.misplaced)
        return list(dict.fromkeys((*self.lost, *misplaced, *self.doubled, *self.unknown)))


def judge(books: Books, truth: list[Expected]) -> Verdict:
    """Compare every order's place with what its story allows."""
    verdict = Verdict(generated=len(truth))
    known = {expected.uid for expected in truth}
    verdict.unknown = sorted(uid for uid in books.accounts if uid not in known)
    for expected in truth:
        account = books.accounts.get(expected.uid)
        place = account.place() if account is not None else "unseen"
        verdict.places[place] += 1
        if place in expected.places:
            pass
        elif place in ("unseen", "lost"):
            verdict.lost.append(expected.uid)
        else:
            verdict.misplaced.append(f"{expected.uid}: {expected.story}: {place}")
        if account is not None and account.doubled:
            verdict.doubled.append(expected.uid)
    return verdict

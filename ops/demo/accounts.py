"""Keeps the books of a run from what stands in the topics, independently of the fleet's own state.

Every order must end in exactly one place. The accountant reads the topics that leave the fleet, drops repeats by the
`dedupe-key` header as a WMS would, and says for every order where it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from schemas.dead_letter import DeadLetter
from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.plan import Backorder, Disposition, PlannedOrder, TransferRequest
from schemas.record import adapter

PLACE_OF_DISPOSITION: Final = {
    Disposition.REVIEW: "review",
    Disposition.DEFER: "deferred",
    Disposition.RELEASE: "released",
    Disposition.IGNORE: "ignored",
}

_PLANNED = adapter(PlannedOrder).validate_json
_INSTRUCTION = adapter(FulfillmentInstruction).validate_json
_BACKORDER = adapter(Backorder).validate_json
_TRANSFER = adapter(TransferRequest).validate_json
_LETTER = adapter(DeadLetter).validate_json
_INVENTORY = adapter(InventoryEvent).validate_json


@dataclass(slots=True)
class Account:
    """What the topics say about one order. Of each kind, the newest revision counts."""

    planned: str = ""
    disposition: Disposition | None = None
    routed: dict[str, tuple[str, InstructionKind]] = field(default_factory=dict)  # warehouse -> revision, kind
    parcels: int = 1
    backordered: str = ""
    transferred: str = ""
    letters: int = 0
    stock: str = ""  # newest inventory event's revision
    stock_kind: InventoryEventKind | None = None

    def live_warehouses(self) -> list[str]:
        """The warehouses that have been told to ship it and not told to stop."""
        return sorted(name for name, (_, kind) in self.routed.items() if kind is not InstructionKind.CANCEL)

    def place(self) -> str:
        """Where the order is now, in one word; "lost" when nothing says anything."""
        if self.disposition is None:
            return "quarantined" if self.letters else "lost"
        if self.disposition is not Disposition.RESERVE:
            return PLACE_OF_DISPOSITION[self.disposition]
        return self._after_reserve()

    def _after_reserve(self) -> str:
        if any(
            revision == self.planned for revision, kind in self.routed.values() if kind is not InstructionKind.CANCEL
        ):
            return "routed"
        if self.backordered == self.planned:
            return "backordered"
        if self.transferred == self.planned:
            return "transfer-requested"
        if self.stock_kind is InventoryEventKind.EXPIRED:
            return "expired"
        if self.stock_kind in (InventoryEventKind.HELD, InventoryEventKind.CHANGED):
            return "held"
        return "quarantined" if self.letters else "lost"


class Books:
    """All accounts of a run."""

    def __init__(self) -> None:
        self.accounts: defaultdict[str, Account] = defaultdict(Account)
        self.messages: Counter[str] = Counter()  # by topic family, repeats left out
        self.repeats = 0
        self.routed: Counter[str] = Counter()  # instructions to fulfil, by warehouse
        self.gift_units = 0
        self.kinds: Counter[InventoryEventKind] = Counter()
        self.sequences: defaultdict[str, set[int]] = defaultdict(set)
        self._seen: set[tuple[str, str, str]] = set()
        self._readers = {
            "orders.planned": self._planned,
            "orders.routed": self._instruction,
            "orders.backordered": self._backorder,
            "transfers.requested": self._transfer,
            "orders.quarantined": self._letter,
            "inventory.events": self._inventory,
        }

    def add(self, topic: str, key: str, dedupe: str, value: bytes) -> None:
        """Take one record in; a repeat is counted and otherwise ignored."""
        family = "orders.routed" if topic.startswith("orders.routed.") else topic
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
        account = self.accounts[planned.order.uid]
        if planned.order.revision >= account.planned:
            account.planned, account.disposition = planned.order.revision, planned.plan.disposition

    def _instruction(self, value: bytes) -> None:
        told = _INSTRUCTION(value)
        account = self.accounts[told.order_uid]
        before = account.routed.get(told.warehouse_id)
        if before is None or told.revision >= before[0]:
            account.routed[told.warehouse_id] = (told.revision, told.kind)
        if told.kind is InstructionKind.FULFIL:
            account.parcels = told.parcels
            self.routed[told.warehouse_id] += 1
            self.gift_units += sum(line.quantity for line in told.gifts)

    def _backorder(self, value: bytes) -> None:
        order = _BACKORDER(value).planned.order
        self.accounts[order.uid].backordered = max(self.accounts[order.uid].backordered, order.revision)

    def _transfer(self, value: bytes) -> None:
        request = _TRANSFER(value)
        self.accounts[request.order_uid].transferred = max(
            self.accounts[request.order_uid].transferred, request.revision
        )

    def _letter(self, value: bytes) -> None:
        self.accounts[_LETTER(value).key].letters += 1

    def _inventory(self, value: bytes) -> None:
        event = _INVENTORY(value)
        self.kinds[event.kind] += 1
        self.sequences[event.warehouse_id].add(event.sequence)
        if not event.order_uid:
            return
        account = self.accounts[event.order_uid]
        if event.revision >= account.stock:
            account.stock, account.stock_kind = event.revision, event.kind

    def places(self) -> Counter[str]:
        """How many orders are in each place."""
        return Counter(account.place() for account in self.accounts.values())

    def missing_events(self) -> int:
        """Inventory events that never arrived: gaps in a warehouse's sequence."""
        return sum(max(seen) - len(seen) for seen in self.sequences.values() if seen)


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
    doubled: list[str] = field(default_factory=list)  # told to two warehouses without a split
    unknown: list[str] = field(default_factory=list)  # in the topics, and never generated
    places: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether every order is accounted for exactly once, where it belongs."""
        return not (self.lost or self.misplaced or self.doubled or self.unknown)


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
        if account is not None and len(account.live_warehouses()) > account.parcels:
            verdict.doubled.append(expected.uid)
    return verdict

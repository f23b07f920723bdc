"""Long stories of the same happenings from a seed: wider than what Hypothesis tries in its time, but not shrunk."""

from __future__ import annotations

from random import Random

from tests.workers.inventory.chance import ALL, ORDERS, SKUS, TRANSFERS, WAREHOUSES, Happening, Wish, Word
from workers.inventory.operations.release import Giving
from workers.inventory.operations.reserve import Taking
from workers.inventory.operations.short import Lost
from workers.inventory.operations.transfer import TransferAction
from workers.inventory.records import Count, Quantities

NAMES = (
    *["an_order_comes"] * 6,
    *["a_worker_wakes_up"] * 4,
    *["the_wms_speaks"] * 4,
    *["the_wms_gives_back"] * 3,
    *["a_sweeper_comes", "a_sweeper_wakes_up", "count"] * 3,
    "goods_move",
    "a_relay_comes",
)


class Story:
    """Draws one happening after the other. The same seed tells the same story."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # a story, not a secret

    def next(self) -> Happening:
        name = self._random.choice(NAMES)
        return Happening(name, getattr(self, f"_{name}")())

    def _an_order_comes(self) -> dict[str, object]:
        named = self._random.sample(WAREHOUSES, self._random.choice((0, 1, 1, 2, 2)))
        return {
            "order_uid": self._random.choice(ORDERS),
            "newer": self._random.choice((1, 1, 1, 1, 0, -1)),
            "named": tuple(named),
            "wish": self._wish(),
            "calls": self._random.choice((ALL, ALL, ALL, 0, 1, 2, 3)),
        }

    def _a_worker_wakes_up(self) -> dict[str, object]:
        places = [self._random.randrange(6) for _ in range(self._random.randint(1, 3))]
        act = self._random.choice(("take", "give back", "settle"))
        return {"pick": self._random.randrange(4), "places": places, "wish": self._wish(), "act": act}

    def _the_wms_speaks(self) -> dict[str, object]:
        words = [self._word() for _ in range(self._random.randint(1, 3))]
        return {"pick": self._random.choice((0, 0, 0, 1, 1, 2, 3, 4, 5)), "words": words}

    def _the_wms_gives_back(self) -> dict[str, object]:
        return {
            "pick": self._random.choice((0, 0, 0, 1, 1, 2, 3, 4, 5)),
            "which": self._random.choice((0, 0, 0, 1, 1, 2, 3)),
            "number": self._random.randint(1, 3),
            "says": self._random.choice(("give back", "refuse", "remember", "remember", "follow")),
        }

    def _a_sweeper_comes(self) -> dict[str, object]:
        now_ms = self._random.choice((3, 6, 6))
        return {**self._where(), "now_ms": now_ms, "dies": self._random.random() < 0.7}

    def _a_sweeper_wakes_up(self) -> dict[str, object]:
        return {"chosen": [self._random.randrange(2)], "now_ms": self._time()}

    def _count(self) -> dict[str, object]:
        skus = self._random.sample(SKUS, self._random.randint(1, 3))
        counts = {
            sku: Count(on_hand=self._random.choice((None, 0, 0, 2, 5, 8)), safety=self._random.choice((None, 0, 1)))
            for sku in skus
        }
        return {**self._where(), "counts": counts, "at_ms": self._time()}

    def _goods_move(self) -> dict[str, object]:
        transfer_id, action = self._random.choice(sorted(TRANSFERS)), self._random.choice(list(TransferAction))
        return {**self._where(), "transfer_id": transfer_id, "action": action, "at_ms": self._time()}

    def _a_relay_comes(self) -> dict[str, object]:
        dies, lapses = self._random.random() < 0.2, self._random.random() < 0.3
        limit = self._random.randint(1, 30)
        return {**self._where(), "turn": self._random.randrange(2), "limit": limit, "dies": dies, "lapses": lapses}

    def _where(self) -> dict[str, object]:
        return {"warehouse": self._random.choice(WAREHOUSES)}

    def _time(self) -> int:
        return self._random.randint(1, 6)

    def _units(self) -> Quantities:
        return {sku: self._random.randint(1, 3) for sku in self._random.sample(SKUS, self._random.randint(1, 2))}

    def _wish(self) -> Wish:
        takings = (Taking.TAKE, Taking.TAKE, Taking.TAKE, Taking.GROW, Taking.KEEP, Taking.STOP)
        taking = self._random.choice(takings)
        deadline_ms = self._random.choice((0, *range(1, 7)))
        return Wish(self._units(), self._random.random() < 0.6, deadline_ms, taking, self._random.choice(list(Giving)))

    def _word(self) -> Word:
        says = self._random.choice(("accepted", "accepted", "withdrawn", "short", "shipped"))
        units = self._units() if self._random.random() < 0.5 else {}
        is_late = self._random.random() < 0.2
        lost, told = self._random.choice(list(Lost)), self._units() if self._random.random() < 0.5 else None
        return Word(says, self._random.randint(1, 9), units, self._time(), is_late, lost, told)

"""What must hold after every single call to the ledger, whatever came before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis.stateful import RuleBasedStateMachine

from schemas.inventory import InventoryEvent
from tests.workers.inventory.chance import ORDERS, SKUS, WAREHOUSES
from tests.workers.inventory.looking import FOREVER, Connection, counters_of, event_told, look, order_snapshot
from tests.workers.inventory.model import is_forgotten_in_time, replayed
from tests.workers.inventory.model_of_warehouses import Model
from workers.inventory.keys import order_key, reservation_key
from workers.inventory.ledger import Ledger
from workers.inventory.records import LIVE


class ProvenLedger(RuleBasedStateMachine):
    """A ledger, a model of it, and the comparison of the two."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.run = connection.run
        self.redis = connection.redis
        self.run(self.redis.execute_command("FLUSHALL"))  # type: ignore[no-untyped-call]
        self.ledger = Ledger(self.redis)
        self.model = Model(SKUS)
        self.relayed: dict[str, list[InventoryEvent]] = {warehouse: [] for warehouse in WAREHOUSES}
        self.available = {warehouse: dict.fromkeys(SKUS, 0) for warehouse in WAREHOUSES}

    def check(self, *, reveals: bool = False) -> None:
        """All that can be seen is what the model says, and no rule of the ledger is broken.

        `reveals`: this call told of what happened outside, so it may show that more was promised than is there.
        """
        model, sight = self.model, self.run(look(self.redis, WAREHOUSES, SKUS, ORDERS))
        assert sight.reservations == [model.reservation(warehouse, uid) for warehouse in WAREHOUSES for uid in ORDERS]
        for warehouse in WAREHOUSES:
            levels = {level.sku: level for level in sight.levels[warehouse]}
            assert levels == model.levels(warehouse), "counters are not the sum of the live reservations"
            assert sight.due[warehouse] == model.due(warehouse, FOREVER)
            for sku, level in levels.items():
                least = min(0, self.available[warehouse][sku])
                assert reveals or level.available_to_promise >= least, "a script promised more than there is"
                self.available[warehouse][sku] = level.available_to_promise
            self.check_events(warehouse, [*self.relayed[warehouse], *sight.outbox[warehouse]])
        for uid, found in sight.orders.items():
            routed = tuple(sorted(found.routed))  # a script that takes one out may turn the others round
            assert replace(found, routed=routed) == order_snapshot(model, uid)
            live = {one.warehouse_id for one in sight.reservations if one.order_uid == uid and one.state in LIVE}
            assert live <= {*found.holdings, *found.intent}, "stock where the order's pointer does not lead"
        self.check_standings()
        assert sight.lasting == self.must_last(), "only what is at its end may be forgotten, and that must be"

    def check_standings(self) -> None:
        """What the warehouses' answers are judged by is what they were told, less what they gave back."""
        asked = [
            (uid, warehouse, revision)
            for uid, order in self.model.pointers.items()
            if order.revision
            for warehouse in WAREHOUSES
            for revision in {order.revision, *(heard for where, heard in order.heard if where == warehouse)}
        ]
        for question, found in zip(asked, self.run(self.ledger.warehouses.get_status(asked)), strict=True):
            assert found is not None
            overtaken = [tuple(one) for one in found.overtaken]
            told = (found.fence, found.heard, found.told, list(found.replaced), dict(found.units), overtaken)
            assert told == self.model.standing(*question)
            assert found.at_work is not self.model.pointers[question[0]].settled

    def check_events(self, warehouse: str, events: Sequence[InventoryEvent]) -> None:
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        told = [event_told(event) for event in events]
        assert told == self.model.events[warehouse]
        counters = {sku: counters_of(level) for sku, level in self.model.levels(warehouse).items()}
        assert replayed((event.changes for event in told), SKUS) == counters

    def must_last(self) -> set[str]:
        orders = {order_key(uid) for uid, one in self.model.pointers.items() if not is_forgotten_in_time(one)}
        places = {reservation_key(*place) for place, one in self.model.reservations.items() if one.state in LIVE}
        return orders | places

    def teardown(self) -> None:
        report = self.run(self.ledger.stock.audit())
        assert report.is_clean, report.findings

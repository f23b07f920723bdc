"""Decisions about one order at the desk: who may make them, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from schemas.decision import REFUSALS, Correction, Decided, DecisionKind, DecisionRefusal
from schemas.record import record
from schemas.text import Text
from workers.admin.decisions import DecisionDesk, needs_seen, new_decision
from workers.admin.desk.access import Actor, Deed, shop_of
from workers.admin.desk.asking import ServerAway, ask_ledger
from workers.admin.desk.deeds import Deeds, checked_why
from workers.admin.errors import InvalidRequest, NotFound, Rejected
from workers.admin.servers import kafka_away
from workers.inventory.records import ReservationState
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings

MOST_WAIT_SECONDS: Final = 20.0

DEEDS: Final[Mapping[DecisionKind, Deed]] = MappingProxyType({kind: Deed(f"orders.{kind}") for kind in DecisionKind})
"""Under which name each kind of decision is checked and written down."""


@record
class Verdict:
    """What became of a decision. `done` is False when no answer came yet: it is applied as soon as it can be."""

    decision_id: str
    order_uid: str
    kind: str
    done: bool
    issued: str  # the revision under which the order is decided anew; "" = nothing changes for it


class DecidingDesk:
    """Writes decisions to Kafka, and waits for what becomes of them."""

    def __init__(self, settings: Settings, deeds: Deeds) -> None:
        self._settings, self._deeds = settings, deeds

    def decide(
        self,
        actor: Actor,
        kind: DecisionKind,
        order_uid: str,
        *,
        why: str,
        seen: str = "",
        warehouse_id: str | None = None,
        codes: Sequence[str] = (),
        correction: Correction | None = None,
        decision_id: str = "",
        seconds: float = 10.0,
    ) -> Verdict:
        """One decision; the same `decision_id` is the same decision, however often it is asked for.

        Raises NotAllowed, InvalidRequest; Rejected with the code of schemas/decision.py, NotFound for an unknown order;
        ServerAway, TransientError.
        """
        with self._deeds.doing(actor, DEEDS[kind], subject=order_uid, shop=shop_of(order_uid), why=why):
            if needs_seen(kind) and not seen:
                raise InvalidRequest(*_SEEN_MISSING)
            decision = new_decision(
                kind,
                order_uid,
                who=actor.name,
                why=checked_why(why),
                at=datetime.now(UTC),
                seen=seen,
                warehouse_id=warehouse_id,
                codes=codes,
                correction=correction,
                decision_id=_checked_id(decision_id),
            )
            try:
                with DecisionDesk(self._settings.cluster) as desk:
                    answers = desk.decide([decision], min(seconds, MOST_WAIT_SECONDS))
            except TransientError as error:
                raise ServerAway(kafka_away(self._settings, error), "kafka-away") from None
            decided = answers.get(decision.decision_id)
            if decided is not None and decided.code is not None:
                raise refusal(decided)
            return Verdict(
                decision_id=decision.decision_id,
                order_uid=order_uid,
                kind=kind,
                done=decided is not None,
                issued=decided.issued if decided is not None else "",
            )

    def undo(self, actor: Actor, order_uid: str, *, why: str, seconds: float = 10.0) -> Verdict:
        """Hold an order that was let go a moment ago, as long as no warehouse has begun with it.

        A warehouse that was told is told to stop. Raises Rejected `warehouse-has-begun`, and as `decide` does.
        """
        with self._deeds.doing(actor, Deed.DECIDE_UNDO, subject=order_uid, shop=shop_of(order_uid), why=why):
            checked_why(why)
            known = ask_ledger(self._settings, lambda ledger: ledger.orders.where_is(order_uid))
            begun = sorted(each.warehouse_id for each in known.reservations if each.state in _BEGUN)
            if begun:
                raise Rejected(*_has_begun(", ".join(begun)))
        return self.decide(actor, DecisionKind.HOLD, order_uid, why=why, seconds=seconds)


_BEGUN: Final = (ReservationState.ALLOCATED, ReservationState.SHIPPED)


def _has_begun(warehouses: str) -> tuple[Text, str, Text]:
    return (
        Text(f"{warehouses} has begun with it", f"{warehouses} 已开始处理"),
        "warehouse-has-begun",
        Text(
            "hold it all the same: the warehouse is asked to stop", "如仍要拦截，请使用暂停（hold），系统会通知仓库停止"
        ),
    )


_SEEN_MISSING: Final = (
    Text("say which revision of the order you looked at, in `seen`", "请在 `seen` 中写明您查看的订单版本"),
    "seen-missing",
    Text("it is `revision` of the order as it was shown to you", "即您看到的订单的 `revision`"),
)


def refusal(decided: Decided) -> Rejected | NotFound:
    """Why it was not applied, as an error."""
    assert decided.code is not None
    meant = REFUSALS[decided.code]
    where = f" ({decided.where})" if decided.where else ""
    text = Text(f"{decided.kind} is refused{where}: {meant.en}", f"{decided.kind} 被拒绝{where}：{meant.zh}")
    kind = NotFound if decided.code is DecisionRefusal.UNKNOWN_ORDER else Rejected
    return kind(text, decided.code.value)


def _checked_id(decision_id: str) -> str:
    if not decision_id:
        return ""
    try:
        return str(UUID(decision_id))
    except ValueError:
        raise InvalidRequest(
            Text("a decision id is a UUID of your own making", "decision_id 应为您自行生成的 UUID"), "bad-decision-id"
        ) from None

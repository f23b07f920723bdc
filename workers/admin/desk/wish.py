"""What is to be done to each of many orders: one decision, made for each of them apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from schemas.decision import Correction, Decision, DecisionKind, LineCorrection
from schemas.record import record
from schemas.text import Text
from workers.admin.decisions import new_decision
from workers.admin.errors import InvalidRequest

KINDS: Final = tuple(DecisionKind)


@record
class Wish:
    """The same for all of them. A correction puts one SKU into the place of another, in whichever lines it stands."""

    kind: DecisionKind
    warehouse_id: str | None = None  # release: from this one
    codes: tuple[str, ...] = ()  # settle-flag: these reasons
    sku: str = ""  # correct: what is replaced ...
    to_sku: str = ""  # ... and by what

    def check(self) -> None:
        """Raises InvalidRequest for what nobody can do."""
        belongs = {
            "warehouse_id": (self.warehouse_id is not None, (DecisionKind.RELEASE,), False),
            "codes": (bool(self.codes), (DecisionKind.SETTLE_FLAG,), True),
            "sku": (bool(self.sku), (DecisionKind.CORRECT,), True),
            "to_sku": (bool(self.to_sku), (DecisionKind.CORRECT,), True),
        }
        for name, (given, kinds, needed) in belongs.items():
            if given and self.kind not in kinds:
                raise _senseless(self.kind, name)
            if needed and not given and self.kind in kinds:
                raise _senseless(self.kind, name)

    def decision(
        self,
        order_uid: str,
        *,
        who: str,
        why: str,
        at: datetime,
        seen: str,
        decision_id: str = "",
        line_ids: Sequence[str] = (),
    ) -> Decision:
        """For one of them. `line_ids`: its lines that are corrected. Raises InvalidRequest."""
        given: dict[str, Any] = {}
        if self.kind is DecisionKind.CORRECT:
            lines = tuple(LineCorrection(line_id=each, sku=self.to_sku) for each in line_ids)
            given["correction"] = Correction(lines=lines)
        return new_decision(
            self.kind,
            order_uid,
            who=who,
            why=why,
            at=at,
            seen=seen,
            warehouse_id=self.warehouse_id,
            codes=self.codes,
            decision_id=decision_id,
            **given,
        )


def _senseless(kind: DecisionKind, name: str) -> InvalidRequest:
    return InvalidRequest(
        Text(f"{kind}: {name} is missing or does not belong here", f"{kind}：{name} 缺失或不适用于此操作"),
        "senseless-wish",
    )

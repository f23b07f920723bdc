"""Read a decision with suspicion: scripts and pages make them, too. Pure."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from schemas.decision import Correction, Decision, DecisionKind, DecisionRefusal, LineCorrection, ReceiverCorrection
from schemas.order import Order, Privacy
from workers.rules.region import province_of

MAX_ID: Final = 100
MAX_WHO: Final = 100
MAX_WHY: Final = 1_000
MAX_SEEN: Final = 100
MAX_CODES: Final = 50
MAX_LINES: Final = 200
MAX_GIFTS: Final = 20
MAX_GIFT_UNITS: Final = 1_000
MAX_SKU: Final = 128
MAX_FIELD: Final = {
    "province": 100,
    "city": 100,
    "district": 100,
    "town": 200,
    "street": 1_000,
    "name": 200,
    "phone": 200,
    "postcode": 50,
}

_ID = re.compile(r"[A-Za-z0-9._:-]+")
_ALL_OF_IT: Final = ("province", "city", "street", "name", "phone")
"""What a parcel needs: with these, nothing that the platform hides has to be known."""


class Refused(Exception):
    """The decision is not applied. `where`: the field at fault, "" when it is the order."""

    def __init__(self, code: DecisionRefusal, where: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.where = where


def check_read(decision: Decision) -> None:
    """Raises Refused for what no decision can be, whatever the order is."""
    if not 1 <= len(decision.decision_id) <= MAX_ID or not _ID.fullmatch(decision.decision_id):
        _senseless("decision_id")
    if not 1 <= len(decision.who) <= MAX_WHO or not decision.who.isprintable():
        _senseless("who")
    if len(decision.why) > MAX_WHY:
        _senseless("why")
    if len(decision.seen) > MAX_SEEN:
        _senseless("seen")
    if decision.at.tzinfo is None:
        _senseless("at")
    if len(decision.codes) > MAX_CODES or any(len(code) > MAX_SKU for code in decision.codes):
        _senseless("codes")
    if decision.kind is DecisionKind.NOTE and not decision.why.strip():
        _senseless("why")
    _check_belongs(decision)


def _check_belongs(decision: Decision) -> None:
    """What is said must belong to what is decided: half of it being ignored would surprise."""
    if (decision.correction is not None) != (decision.kind is DecisionKind.CORRECT):
        _senseless("correction")
    if decision.warehouse_id is not None and decision.kind is not DecisionKind.RELEASE:
        _senseless("warehouse_id")
    if decision.codes and decision.kind is not DecisionKind.SETTLE_FLAG:
        _senseless("codes")
    if decision.correction is not None:
        _check_correction(decision.correction)


def _check_correction(correction: Correction) -> None:
    if not (correction.lines or correction.gifts or correction.receiver):
        _senseless("correction")
    if len(correction.lines) > MAX_LINES or len({one.line_id for one in correction.lines}) < len(correction.lines):
        _senseless("lines")
    if len(correction.gifts) > MAX_GIFTS:
        _senseless("gifts")
    for number, line in enumerate(correction.lines):
        _check_line(line, f"lines.{number}")
    for number, gift in enumerate(correction.gifts):
        if not _is_sku(gift.sku) or not 1 <= gift.quantity <= MAX_GIFT_UNITS or len(gift.bound_to) > MAX_LINES:
            _senseless(f"gifts.{number}")
    if correction.receiver is not None:
        _check_fields(correction.receiver)


def _check_line(line: LineCorrection, where: str) -> None:
    if line.sku is None and line.quantity is None:
        _senseless(where)
    if line.sku is not None and not _is_sku(line.sku):
        _senseless(f"{where}.sku")
    if line.quantity is not None and line.quantity < 0:
        _senseless(f"{where}.quantity")


def _check_fields(receiver: ReceiverCorrection) -> None:
    given = {name: getattr(receiver, name) for name in MAX_FIELD if getattr(receiver, name) is not None}
    if not given:
        _senseless("receiver")
    for name, value in given.items():
        if len(value) > MAX_FIELD[name] or (value and not value.isprintable()):
            _senseless(f"receiver.{name}")


def check_receiver(correction: Correction, order: Order) -> None:
    """Raises Refused for a province that is none, and for a part of a receiver whose rest nobody can read."""
    receiver = correction.receiver
    if receiver is None:
        return
    if receiver.province is not None and not province_of(receiver.province, order.ship_to.country):
        raise Refused(DecisionRefusal.UNKNOWN_PROVINCE, "receiver.province")
    hidden = order.ship_to.privacy is not Privacy.PLAIN
    if hidden and not all(getattr(receiver, name) for name in _ALL_OF_IT):
        _senseless("receiver")


def _is_sku(sku: str) -> bool:
    return 1 <= len(sku) <= MAX_SKU and sku.isprintable()


def _senseless(where: str) -> NoReturn:
    raise Refused(DecisionRefusal.MAKES_NO_SENSE, where)

"""What the commands of `orderfleet review` share: reading what is decided, writing it, telling what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ops.cli.inputs import read_input
from ops.cli.output import ExitCode, console, fail, print_json, settings, tell
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.decision import Correction, Decided, Decision, DecisionKind, ReceiverCorrection
    from workers.runtime.settings import Settings


def correction_of(sku: list[str], quantity: list[str], gift: list[str], receiver: str | None) -> Correction:
    """What is to be changed. Ends the command when it cannot be read."""
    from schemas.decision import AddedGift, Correction, LineCorrection

    skus, units = dict(_pair(word, "--sku") for word in sku), dict(_pair(word, "--quantity") for word in quantity)
    return Correction(
        lines=tuple(
            LineCorrection(
                line_id=line,
                sku=skus.get(line),
                quantity=_units(units[line], "--quantity") if line in units else None,
            )
            for line in dict.fromkeys((*skus, *units))
        ),
        gifts=tuple(
            AddedGift(sku=name, quantity=_units(number, "--gift"))
            for name, number in (_pair(word, "--gift") for word in gift)
        ),
        receiver=_receiver(receiver) if receiver is not None else None,
    )


def _pair(word: str, option: str) -> tuple[str, str]:
    name, _, value = word.rpartition("=")
    if not name or not value:
        fail(Text(f"{option} {word}: write NAME=VALUE", f"{option} {word}：请写 名称=值"), ExitCode.USAGE)
    return name, value


def _units(number: str, option: str) -> int:
    if not (number.isascii() and number.isdigit() and len(number) <= 6):
        fail(Text(f"{option} {number}: write a number of units", f"{option} {number}：请写数量"), ExitCode.USAGE)
    return int(number)


def _receiver(file: str) -> ReceiverCorrection:
    """The fields of a receiver. What is wrong with them is told without quoting any."""
    from pydantic import ValidationError

    from schemas.decision import ReceiverCorrection
    from schemas.record import decode

    try:
        return decode(ReceiverCorrection, read_input(file))
    except ValidationError:
        fail(
            Text(
                "--receiver: write a JSON object with texts for any of province, city, district, town, street, name, "
                "phone, postcode",
                "--receiver：请写 JSON 对象，字段可含 province、city、district、town、street、name、phone、postcode",
            ),
            ExitCode.USAGE,
        )


def decide(
    kind: DecisionKind,
    order: str,
    why: str,
    by: str | None,
    seen: str | None,
    wait: float,
    as_json: bool,
    **what: Any,
) -> None:
    """Write a decision, wait for its answer, tell it. Ends the command when it is refused or nobody answers."""
    from ops.cli.explain import uid_of
    from ops.cli.servers import fail_with
    from workers.admin.decisions import new_decision
    from workers.admin.errors import InvalidRequest

    known = settings()
    uid = uid_of(known, order.strip(), None)
    looked_at = _seen(known, kind, uid) if seen is None else seen
    try:
        decision = new_decision(kind, uid, who=by or _user(), why=why, at=datetime.now(UTC), seen=looked_at, **what)
    except InvalidRequest as error:
        fail_with(error)
    _tell(decision, _answer(known, decision, wait), as_json=as_json)


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        fail(Text("say who decides: --by NAME", "请用 --by 注明操作人"), ExitCode.USAGE)


def _seen(known: Settings, kind: DecisionKind, uid: str) -> str:
    from ops.cli.servers import ask_ledger
    from workers.admin.decisions import needs_seen, seen_now

    return ask_ledger(known, lambda ledger: seen_now(ledger, uid)) if needs_seen(kind) else ""


def _answer(known: Settings, decision: Decision, wait: float) -> Decided | None:
    from ops.cli.servers import fail_kafka_away
    from workers.admin.decisions import DecisionDesk
    from workers.runtime.errors import TransientError

    try:
        with DecisionDesk(known.cluster) as desk:
            return desk.decide([decision], wait).get(decision.decision_id)
    except TransientError as error:
        fail_kafka_away(known, error)


def _tell(decision: Decision, decided: Decided | None, *, as_json: bool) -> None:
    from workers.admin.decisions import told

    if decided is None:
        if as_json:
            print_json({"decision_id": decision.decision_id, "answer": None})
        fail(
            Text(
                f"decision {decision.decision_id} is written down, and nobody has applied it yet: does a worker run "
                "the stage apply?",
                f"操作 {decision.decision_id} 已记录，但尚未生效：是否有工作进程在运行 apply 环节？",
            ),
            ExitCode.AWAY,
        )
    if as_json:
        print_json({"decision_id": decision.decision_id, "answer": decided})
    if decided.code is not None:
        fail(told(decided), ExitCode.REFUSED)
    if not as_json:
        console().print(tell(told(decided)), markup=False)

"""What operators decide about orders: written to Kafka as events, and answered by whoever applies them.

Nothing is decided here. What a decision comes to is the business of the stage `apply`: see ops/docs/decisions/0026.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pydantic import ValidationError

from schemas.decision import REFUSALS, Correction, Decided, Decision, DecisionKind
from schemas.ids import OrderUid
from schemas.record import decode
from schemas.text import Text
from schemas.topics import ORDERS_DECIDED, ORDERS_DECISIONS
from workers.admin.errors import InvalidRequest, NotFound
from workers.apply.reading import MAX_WHY, Refused, check_read
from workers.inventory.ledger import Ledger
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.librdkafka import STEADY, Writer, ends_of
from workers.runtime.table import group_id
from workers.runtime.wire import Encoder

WAIT_SECONDS: Final = 15.0
_KAFKA_SECONDS: Final = 10.0

# Where a person must say what they looked at, before they decide of it.
_NEEDS_SEEN: Final = frozenset(
    {
        DecisionKind.RELEASE,
        DecisionKind.CANCEL,
        DecisionKind.CORRECT,
        DecisionKind.SPLIT,
        DecisionKind.SETTLE_FLAG,
    }
)


def new_decision(
    kind: DecisionKind,
    order_uid: str,
    *,
    who: str,
    why: str,
    at: datetime,
    seen: str = "",
    warehouse_id: str | None = None,
    codes: Sequence[str] = (),
    correction: Correction | None = None,
    decision_id: str = "",
) -> Decision:
    """A decision under an id of its own. `at` is aware. Raises InvalidRequest for what no decision can be."""
    try:
        OrderUid.parse(order_uid)
    except ValueError:
        raise InvalidRequest(
            Text(
                f"{order_uid}: write CHANNEL:SHOP:PLATFORM-ORDER-ID",
                f"{order_uid}：请写 渠道:店铺:平台订单号",
            )
        ) from None
    decision = Decision(
        decision_id=decision_id or str(uuid.uuid4()),
        order_uid=order_uid,
        kind=kind,
        who=who,
        at=at,
        why=why,
        seen=seen,
        warehouse_id=warehouse_id,
        codes=tuple(codes),
        correction=correction,
    )
    try:
        check_read(decision)
    except Refused as refused:
        raise InvalidRequest(_senseless(kind, refused.where)) from None
    return decision


def _senseless(kind: DecisionKind, where: str) -> Text:
    if where == "why":
        return Text(f"say why, in 1 to {MAX_WHY} characters", f"请说明原因（1 到 {MAX_WHY} 个字符）")
    return Text(
        f"{kind}: {where} is missing, empty, too long or does not belong here",
        f"{kind}：{where} 缺失、为空、过长或不适用于此操作",
    )


async def seen_now(ledger: Ledger, order_uid: str) -> str:
    """The order's newest revision. Raises NotFound, TransientError."""
    [revision] = await ledger.orders.revisions([order_uid])
    if not revision:
        raise NotFound(
            Text(
                f"no order {order_uid} is known; check the uid, or poll its shop again",
                f"没有订单 {order_uid}；请核对 uid，或重新拉取店铺",
            )
        )
    return revision


def needs_seen(kind: DecisionKind) -> bool:
    """Whether it must be said which revision of the order a person looked at."""
    return kind in _NEEDS_SEEN


def told(decided: Decided) -> Text:
    """What became of a decision, for people."""
    if decided.code is None:
        return Text(f"done: {decided.kind} {decided.order_uid}", f"已生效：{decided.kind} {decided.order_uid}")
    meant, where = REFUSALS[decided.code], f" ({decided.where})" if decided.where else ""
    return Text(
        f"refused, {decided.code}{where}: {meant.en}",
        f"已拒绝，{decided.code}{where}：{meant.zh}",
    )


class DecisionDesk:
    """Writes decisions to Kafka and waits for their answers. Use it as a context manager; one thread's.

    All methods raise TransientError when Kafka is away.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._config: dict[str, Any] = {**Cluster.of(kafka).for_librdkafka(), "log_level": 0}
        self._consumer = Consumer(
            {
                **STEADY,
                **self._config,
                "group.id": group_id("desk"),
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
            }
        )
        self._encode = Encoder([ORDERS_DECISIONS])

    def __enter__(self) -> DecisionDesk:
        """Remember where the answers end now: those to come stand behind."""
        try:
            topic = self._consumer.list_topics(ORDERS_DECIDED.name, timeout=_KAFKA_SECONDS).topics[ORDERS_DECIDED.name]
            places = [(ORDERS_DECIDED.name, number) for number in topic.partitions]
            ends = ends_of(self._consumer, places, _KAFKA_SECONDS)
            self._consumer.assign([TopicPartition(*place, offset) for place, offset in ends.items()])
        except KafkaException as error:
            self._consumer.close()
            raise TransientError(error.args[0].str()) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def decide(self, decisions: Sequence[Decision], seconds: float = WAIT_SECONDS) -> dict[str, Decided]:
        """Write them and wait at most so long. The answers that came, by decision id; all are written in any case.

        Raises TransientError when they could not be written; then some of them may be, and the same ones may be written
        again: each is applied once.
        """
        self._write(decisions)
        return self._answers({decision.decision_id for decision in decisions}, seconds)

    def _write(self, decisions: Sequence[Decision]) -> None:
        refused: list[KafkaError] = []

        def report(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                refused.append(error)

        writer = Writer(self._config)
        for decision in decisions:
            topic, key, value, headers = self._encode(decision)
            writer.send(topic, key, value, headers, report)
        if writer.flush(_KAFKA_SECONDS) or refused:
            raise TransientError(refused[0].str() if refused else "Kafka did not confirm the decision")

    def _answers(self, wanted: set[str], seconds: float) -> dict[str, Decided]:
        answers: dict[str, Decided] = {}
        deadline = time.monotonic() + seconds
        while wanted - answers.keys() and (left := deadline - time.monotonic()) > 0:
            for message in self._consumer.consume(500, min(left, 0.1)):
                decided = _read(message)
                if decided is not None and decided.decision_id in wanted:
                    answers[decided.decision_id] = decided
        return answers


def _read(message: Message) -> Decided | None:
    if message.error() is not None:
        return None
    try:
        return decode(Decided, message.value() or b"")
    except ValidationError:
        return None

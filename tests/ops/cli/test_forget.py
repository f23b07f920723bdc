"""`orderfleet forget` on a real broker and Redis: what marks a person is nowhere in Redis and in nothing we print."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from ops.testbed.local_stack.broker import Broker
from schemas.dead_letter import DeadLetter, Failure
from schemas.fulfillment import WmsEvent, WmsEventKind
from schemas.order import Order
from schemas.plan import DeferredOrder, Disposition, PlannedOrder
from schemas.record import encode
from schemas.topics import FOREVER, ORDERS_QUARANTINED, TOPICS
from tests.builders import a_plan, a_planned_order, a_ship_to, an_order
from tests.kafka import create_topics, put
from tests.ops.cli.conftest import AskLedger, Run, nobody_listens
from workers.admin.erasure import longest_retention, personal_topics
from workers.defer.queue import DelayQueue, Keep
from workers.inventory.operations.stash_return import StashReturn
from workers.inventory.records import Count
from workers.reserve.agent import ReserveAgent
from workers.runtime.stage import Delivery

MARK = "PERSON-7f3a"
UID = "taobao:main:1"
DAYS = [topic.retention for topic in personal_topics()]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of our own, because these tests write to the real topic names."""
    with Broker(Path(tmp_path_factory.mktemp("forget"))) as broker:
        names = [
            topic.of("taobao" if topic.per == "channel" else "hangzhou") if topic.per else topic.name
            for topic in TOPICS
        ]
        create_topics(broker.address, names, 2)
        _write(broker.address)
        yield broker.address


@pytest.fixture
def kafka(broker: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ORDERFLEET_KAFKA", broker)
    return broker


def the_order(**fields: Any) -> Order:
    """An order full of marks."""
    receiver = a_ship_to(name=MARK, phone=MARK, street=MARK, town=MARK, token=MARK, receiver_key=MARK)
    return an_order("1", shop_id="main", ship_to=receiver, buyer_remark=MARK, seller_memo=MARK, **fields)


def _write(kafka: str) -> None:
    key, planned = UID.encode(), a_planned_order(the_order())
    raw = json.dumps({"name": MARK}).encode()
    letter = DeadLetter(
        letter_id="orders.raw.taobao/0/0",
        stage="normalize",
        reason="bad-field",
        failures=(Failure(attempt="list", where="x", problem="is wrong"),),
        topic="orders.raw.taobao",
        partition=0,
        offset=0,
        key=UID,
        headers={},
        payload_base64=base64.b64encode(raw).decode(),
        at=datetime.now(UTC),
    )
    event = an_answer("r1")
    put(kafka, "orders.raw.taobao", [(key, raw), (b"taobao:main:2", raw)])
    put(kafka, "orders.planned", [(key, encode(planned))] * 2)
    put(kafka, "orders.quarantined", [(key, encode(letter))])
    put(kafka, "wms.events", [(key, encode(event))])


def an_answer(revision: str) -> WmsEvent:
    """What a warehouse said, with the parcel's number."""
    return WmsEvent(
        message_id="m1",
        kind=WmsEventKind.SHORT,
        order_uid=UID,
        warehouse_id="hangzhou",
        instruction_id=f"{UID}@{revision}/hangzhou/fulfil",
        at=datetime.now(UTC),
        tracking_number=MARK,
    )


def everything(redis_url: str) -> str:
    """All that Redis holds, unpacked, as text."""
    with Redis.from_url(redis_url) as redis:
        found = []
        for name in redis.scan_iter():
            kind = redis.type(name)
            found += [f"{name!r} {field!r} {_unpacked(value)!r}" for field, value in _values(redis, name, kind)]
    return "\n".join(sorted(found))


def _values(redis: Any, name: bytes, kind: bytes) -> list[tuple[bytes, bytes]]:
    match kind:
        case b"hash":
            return list(redis.hgetall(name).items())
        case b"string":
            return [(b"", redis.get(name))]
        case b"set":
            return [(member, b"") for member in redis.smembers(name)]
        case b"zset":
            return [(member, b"") for member in redis.zrange(name, 0, -1)]
        case b"stream":
            return [(b"", repr(redis.xrange(name)).encode())]
        case _:
            raise AssertionError(kind)


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def defer(ask: AskLedger, planned: PlannedOrder) -> None:
    """It waits until it is due."""
    body = zlib.compress(encode(DeferredOrder(planned=planned, not_before=None)))

    async def keep(ledger: Any) -> None:
        await DelayQueue(ledger._redis).keep([Keep(UID, planned.order.revision, int(time.time() * 1000) + 10**9, body)])

    ask(keep)


def reserve(ask: AskLedger, planned: PlannedOrder) -> None:
    """Hangzhou has it and was told; and what it said of an older instruction is remembered."""

    async def reserved(ledger: Any) -> None:
        await ledger.stock.set_counts("hangzhou", {line.sku: Count(on_hand=9) for line in planned.order.lines})
        await ReserveAgent(ledger, 1800).handle([Delivery(planned, key=UID.encode())])
        event = an_answer(planned.order.revision)
        await ledger.warehouses.update_stash(
            [StashReturn(UID, "hangzhou", planned.order.revision, "m1", encode(event))]
        )

    ask(reserved)


def test_everything_that_can_be_erased_is_erased(kafka: str, redis_url: str, ask_ledger: AskLedger, run: Run) -> None:
    planned = a_planned_order(the_order(), a_plan("hangzhou"))
    reserve(ask_ledger, planned)
    defer(ask_ledger, planned)
    assert everything(redis_url).count(MARK) > 5
    assert MARK in run("dead-letters", "payload", "orders.raw.taobao/0/0").stdout

    result = run("forget", UID, "--force", "--yes", "--json")

    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert (document["erased"], document["redis"]) == (True, {"deferred": 1, "answers": 1, "corrected": 0})
    assert MARK not in everything(redis_url)
    for command in (
        ("explain", UID),
        ("explain", UID, "--json"),
        ("dead-letters", "list"),
        ("dead-letters", "list", "--json"),
        ("dead-letters", "payload", "orders.raw.taobao/0/0"),
        ("dead-letters", "retry", "--id", "orders.raw.taobao/0/0"),
        ("forget", UID, "--dry-run"),
        ("backorders", "list"),
    ):
        answer = run(*command)
        assert MARK not in answer.stdout + answer.stderr, command


def test_what_an_erased_order_left_in_kafka_is_neither_shown_nor_put_back(kafka: str, redis_url: str, run: Run) -> None:
    assert run("forget", UID, "--yes").exit_code == 0

    shown = run("dead-letters", "payload", "orders.raw.taobao/0/0")
    again = run("dead-letters", "retry", "--id", "orders.raw.taobao/0/0", "--json")

    assert (shown.exit_code, again.exit_code) == (1, 1)
    assert "was erased" in shown.stderr
    assert json.loads(again.stdout)["outcome"] == "impossible"
    assert "was erased" in json.loads(again.stdout)["why"]


def test_it_says_which_topics_hold_how_many_records_until_when(kafka: str, redis_url: str, run: Run) -> None:
    before = datetime.now(UTC)

    document = json.loads(run("forget", UID, "--dry-run", "--json").stdout)

    assert document["erased"] is False
    assert {each["topic"]: each["records"] for each in document["kept"]} == {
        "orders.raw.taobao": 1,
        "orders.planned": 2,
        "orders.quarantined": 1,
        "wms.events": 1,
    }
    last = datetime.fromisoformat(document["kept_until"])
    assert last == max(datetime.fromisoformat(each["until"]) for each in document["kept"])
    assert before - timedelta(hours=1) < last - ORDERS_QUARANTINED.retention < before


def test_a_dry_run_changes_nothing(kafka: str, redis_url: str, ask_ledger: AskLedger, run: Run) -> None:
    defer(ask_ledger, a_planned_order(the_order()))
    before = everything(redis_url)

    assert run("forget", UID, "--dry-run").exit_code == 0
    assert everything(redis_url) == before


def test_an_order_that_may_still_be_shipped_is_refused(
    kafka: str, redis_url: str, ask_ledger: AskLedger, run: Run
) -> None:
    reserve(ask_ledger, a_planned_order(the_order(), a_plan("hangzhou")))
    before = everything(redis_url)

    result = run("forget", UID, "--yes")

    assert result.exit_code == 1
    assert "may still be shipped" in result.stderr
    assert everything(redis_url) == before


def test_one_that_waits_to_be_due_is_refused_too(kafka: str, redis_url: str, ask_ledger: AskLedger, run: Run) -> None:
    defer(ask_ledger, a_planned_order(the_order(), a_plan(disposition=Disposition.DEFER)))

    assert run("forget", UID, "--yes").exit_code == 1


def test_it_asks_first(kafka: str, redis_url: str, run: Run) -> None:
    no, yes = run("forget", UID, stdin=b"n\n"), run("forget", UID, stdin=b"y\n")

    assert (no.exit_code, yes.exit_code) == (2, 0)
    assert "cannot be undone" in no.stderr
    assert "erased; 0 values in Redis" in yes.stdout


def test_the_same_twice_does_no_harm(kafka: str, redis_url: str, ask_ledger: AskLedger, run: Run) -> None:
    defer(ask_ledger, a_planned_order(the_order()))

    first, second = (json.loads(run("forget", UID, "-y", "--force", "--json").stdout)["redis"] for _ in range(2))

    assert (first["deferred"], second["deferred"]) == (1, 0)


def test_an_order_that_nobody_knows_is_a_slip_of_the_finger(kafka: str, redis_url: str, run: Run) -> None:
    result = run("forget", "taobao:main:99999", "--yes")

    assert result.exit_code == 1
    assert "nobody holds anything" in result.stderr


def test_it_speaks_chinese(kafka: str, redis_url: str, run: Run, chinese: None) -> None:
    result = run("forget", UID, "--yes")

    assert "已抹去" in result.stdout
    assert "重建 Redis 后请再次抹去" in result.stderr


def test_a_server_that_is_away_erases_nothing(
    kafka: str, redis_url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", f"redis://{nobody_listens()}/0")

    assert run("forget", UID, "--yes").exit_code == 3


def test_the_note_lasts_as_long_as_kafka_may_hold_anything(kafka: str, redis_url: str, run: Run) -> None:
    run("forget", UID, "--yes")

    with Redis.from_url(redis_url) as redis:
        lasts = redis.ttl(f"erased:{{{UID}}}")
    assert FOREVER not in DAYS
    assert max(DAYS) == longest_retention()
    assert 0 <= longest_retention().total_seconds() - int(lasts) < 60

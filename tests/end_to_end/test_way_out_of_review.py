"""Every order that waits for a person has a legal way out: released, decided anew or cancelled; the terminal, too."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from ops.cli.output import ExitCode
from ops.testbed.demo.run import TOGETHER, load_rules
from ops.testbed.demo.stack import Stack
from ops.testbed.oracle.accounts import Books
from ops.testbed.oracle.history import History
from ops.testbed.oracle.tail import TopicTail, enter
from ops.testbed.simulators.catalogue import load_catalogue
from ops.testbed.torture.feeder import Feeder
from ops.testbed.torture.plan import Size, plan_round
from schemas.decision import Decided, DecisionKind, DecisionRefusal
from workers.admin.decisions import DecisionDesk, new_decision
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.runtime.kafka.topics import wanted_topics
from workers.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
ORDERS = 400
PARTITIONS = 4
QUIET_SECONDS = 3.0
PATIENCE_SECONDS = 60.0
REVIEW = ("review", "wms-review")
KINDS = (DecisionKind.RELEASE, DecisionKind.REDECIDE, DecisionKind.CANCEL)


class Line:
    """A fleet, what its topics say, and somebody who decides."""

    def __init__(self, folder: Path) -> None:
        rules = folder / "rules.yaml"
        text = (ROOT / "ops/docs/examples/rules.yaml").read_text(encoding="utf-8")
        rules.write_text(text.replace("auto_percent: 100", "auto_percent: 80"), encoding="utf-8")
        assert "auto_percent: 80" in rules.read_text(encoding="utf-8"), "some orders wait for the gray rollout"
        environment = {
            "ORDERFLEET_RULES_FILE": str(rules),
            "ORDERFLEET_SESSION_SECONDS": "6",
            "ORDERFLEET_HOLD_SECONDS": "8",
            "ORDERFLEET_LOG_LEVEL": "WARNING",
        }
        self.stack = Stack(folder, jobs=[TOGETHER], partitions=PARTITIONS, environment=environment)
        self.books, self.history = Books(), History()
        book = load_rules(Settings())
        self.warehouses, self.skus = tuple(book.ruleset.warehouses), tuple(book.catalogue.skus)

    def start(self) -> None:
        self.stack.start_servers(self.warehouses)
        asyncio.run(self.count())
        self.stack.start_fleet()
        self.stack.start_warehouses(3)
        wanted = wanted_topics(channels=(), warehouses=self.warehouses, partitions=1, replication=1)
        self.tail = TopicTail(self.stack.broker.address, [topic.topic for topic in wanted], PARTITIONS)

    async def count(self) -> None:
        async with Redis.from_url(self.stack.redis.url) as redis:
            for warehouse in self.warehouses:
                await Ledger(redis).stock.set_counts(warehouse, {sku: Count(on_hand=40) for sku in self.skus})

    def feed(self) -> None:
        plan = plan_round(3, Size(orders=ORDERS, seconds=3), (), load_catalogue(), self.warehouses, int(time.time()))
        feeder = Feeder(self.stack.broker.address)
        feeder.feed(plan.feeds)
        feeder.close()
        assert feeder.failures == []

    def rest(self) -> None:
        """Read until nothing was said for a while and no warehouse has yet to answer."""
        deadline, heard = time.monotonic() + PATIENCE_SECONDS, time.monotonic()
        while time.monotonic() - heard < QUIET_SECONDS or self.books.waiting() or self.books.places()["held"]:
            assert time.monotonic() < deadline, f"not at rest: {self.moving()}"
            if messages := self.tail.read(0.2):
                heard = time.monotonic()
            for message in messages:
                enter(self.books, message)
                self.history.add(message)

    def moving(self) -> str:
        """What is not at rest, with all that was said of it."""
        waiting = [uid for uid, account in self.books.accounts.items() if account.waiting or account.place() == "held"]
        file = self.stack.folder / "moving.txt"
        self.history.write(file, waiting)
        return f"{self.books.places()}\n{file.read_text(encoding='utf-8')[-6000:]}"

    def in_review(self) -> list[str]:
        return sorted(uid for uid, account in self.books.accounts.items() if account.place() in REVIEW)

    def decide(self, wishes: dict[str, DecisionKind]) -> dict[str, Decided]:
        """All at once, as a page would. What became of each, by order."""
        decisions = [
            new_decision(
                kind,
                uid,
                who="li.na",
                why="a test",
                at=datetime.now(UTC),
                seen="" if kind is DecisionKind.REDECIDE else self.books.accounts[uid].planned,
            )
            for uid, kind in wishes.items()
        ]
        with DecisionDesk(self.stack.broker.address) as desk:
            answers = desk.decide(decisions, 60)
        assert len(answers) == len(decisions), "each is answered"
        return {answer.order_uid: answer for answer in answers.values()}

    def command(self, *words: str) -> tuple[int, dict[str, Any]]:
        command = [sys.executable, "-m", "ops.cli", "review", *words, "--json"]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **self.stack.env}, capture_output=True, timeout=60, check=False
        )
        return done.returncode, orjson.loads(done.stdout) if done.stdout else {}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    with line.stack:
        line.start()
        yield line
        line.tail.close()


def refusals(answers: Collection[Decided]) -> Counter[DecisionRefusal | None]:
    return Counter(answer.code for answer in answers)


def test_every_order_in_review_has_a_legal_way_out(line: Line) -> None:
    line.feed()
    line.rest()
    waiting = line.in_review()
    assert len(waiting) > ORDERS // 10

    first, *rest = waiting
    code, said = line.command("redecide", first, "--why", "tried from the terminal")
    assert (code, said["answer"]["code"]) == (ExitCode.OK, None)
    code, said = line.command("release", first, "--to", "nowhere", "--why", "no such warehouse")
    assert (code, said["answer"]["code"]) == (ExitCode.REFUSED, DecisionRefusal.UNKNOWN_WAREHOUSE)
    assert line.command("hold", "taobao:tb-flagship:404", "--why", "no such order")[0] == ExitCode.REFUSED

    wishes = {uid: KINDS[number % len(KINDS)] for number, uid in enumerate(rest)}
    answers = line.decide(wishes)
    line.rest()
    places = {uid: line.books.accounts[uid].place() for uid in wishes}
    for uid, answer in answers.items():
        if answer.is_done and wishes[uid] is DecisionKind.RELEASE:
            assert places[uid] not in REVIEW, f"{uid} was released: {answer}"
        if answer.is_done and wishes[uid] is DecisionKind.CANCEL:
            assert places[uid] in ("released", "ignored"), f"{uid} was cancelled and is {places[uid]}"

    again = line.in_review()
    last = line.decide(dict.fromkeys(again, DecisionKind.CANCEL))
    line.rest()
    assert line.in_review() == [], f"without a way out: {refusals(last.values())}; before: {refusals(answers.values())}"
    assert "lost" not in line.books.places()
    asyncio.run(_is_sound(line.stack.redis.url))


async def _is_sound(url: str) -> None:
    async with Redis.from_url(url) as redis:
        assert (await Ledger(redis).stock.audit()).findings == ()

"""Every order that waits for a person has a legal way out: over HTTP, at the terminal, on a whole fleet."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr
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
from schemas.decision import DecisionKind, DecisionRefusal
from tests.ops.api.conftest import started
from workers.admin.desk.access import Role, allowed_scopes, at_terminal
from workers.admin.desk.desk import opened_desk
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.runtime.kafka.topics import wanted_topics
from workers.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
ORDERS = 240
PARTITIONS = 4
QUIET_SECONDS = 3.0
PATIENCE_SECONDS = 60.0
REVIEW = ("review", "wms-review")
KINDS = (
    DecisionKind.RELEASE,
    DecisionKind.CORRECT,
    DecisionKind.CANCEL,
    DecisionKind.SPLIT,
    DecisionKind.REDECIDE,
    DecisionKind.SETTLE_FLAG,
)
WAYS_OUT = (DecisionKind.RELEASE, DecisionKind.CANCEL, DecisionKind.SETTLE_FLAG)
"""The last one for what nobody can change any more: the goods had left, and a person has seen it."""


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

    def not_asked(self, uids: Collection[str]) -> list[str]:
        """Those of them that no person was asked to look at."""
        accounts = [(uid, self.books.accounts[uid]) for uid in uids]
        return [uid for uid, account in accounts if account.planned not in account.reviewed]

    def moving(self) -> str:
        """What is not at rest, with all that was said of it."""
        waiting = [uid for uid, account in self.books.accounts.items() if account.waiting or account.place() == "held"]
        return f"{self.books.places()}\n{self.told_of(waiting)}"

    def told_of(self, uids: Collection[str]) -> str:
        """All that was said of these orders."""
        file = self.stack.folder / "told.txt"
        self.history.write(file, sorted(uids))
        places = {uid: self.books.accounts[uid].place() for uid in uids}
        return f"{places}\n{file.read_text(encoding='utf-8')[-9000:]}"

    def in_review(self) -> list[str]:
        return sorted(uid for uid, account in self.books.accounts.items() if account.place() in REVIEW)

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


class OverHttp:
    """Somebody with a token of the API."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self._client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def review(self) -> dict[str, Any]:
        """All that wait, page by page."""
        found: dict[str, Any] = {}
        cursor = None
        while True:
            page = self.get("/review", limit=50, **({"cursor": cursor} if cursor else {}))
            found |= {each["order"]["uid"]: each for each in page["items"]}
            cursor = page["next"]
            if cursor is None:
                return found

    def choices(self, uid: str) -> dict[str, str]:
        """Each kind of decision, and why it may not be made; "" = it may."""
        return {each["kind"]: each["code"] for each in self.get(f"/orders/{uid}/choices")["choices"]}

    def line_of(self, uid: str) -> dict[str, Any]:
        """A line of the order that is still open."""
        found: dict[str, Any] = next(line for line in self.get(f"/orders/{uid}")["lines"] if line["status"] == "open")
        return found

    def decide(self, uid: str, kind: DecisionKind, review: dict[str, Any]) -> str:
        """What came of it: "" = done, else the code."""
        body: dict[str, Any] = {"kind": kind, "why": "a test", "seen": review["revision"], "wait_seconds": 20}
        if kind is DecisionKind.SETTLE_FLAG:
            body["codes"] = review["codes"]
        if kind is DecisionKind.CORRECT:
            line = self.line_of(uid)
            body["correction"] = {"lines": [{"line_id": line["line_id"], "quantity": line["quantity"]}]}
        answer = self._client.post(f"/orders/{uid}/decisions", json=body)
        assert answer.status_code in (200, 404, 409), answer.text
        return str(answer.json().get("code", ""))


class AtTerminal:
    """The same with `orderfleet review`."""

    def __init__(self, line: Line, http: OverHttp) -> None:
        self._line, self._http = line, http

    def decide(self, uid: str, kind: DecisionKind, review: dict[str, Any]) -> str:
        more: list[str] = review["codes"] if kind is DecisionKind.SETTLE_FLAG else []
        if kind is DecisionKind.CORRECT:
            line = self._http.line_of(uid)
            more = ["--quantity", f"{line['line_id']}={line['quantity']}"]
        name = kind.value.removesuffix("-flag")
        code, said = self._line.command(name, uid, *more, "--why", "a test", "--seen", review["revision"])
        assert code in (ExitCode.OK, ExitCode.REFUSED), said
        return said["answer"]["code"] or ""


@pytest.fixture
def http(line: Line) -> Iterator[OverHttp]:
    """The API of that fleet, and a lead's token."""
    settings = Settings(book_url=SecretStr(line.stack.postgres.url))
    with opened_desk(settings, role="test") as desk:
        desk.users.add(at_terminal("root"), "li", Role.LEAD, "Right-horse-7", None)
        _, token = desk.tokens.create(at_terminal("root"), "li", sorted(allowed_scopes(Role.LEAD)), 1, "test")
    process, port = started(**line.stack.env, ORDERFLEET_API_REQUESTS_PER_SECOND="1000")
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=60) as client:
            yield OverHttp(client)
    finally:
        process.terminate()
        process.communicate(timeout=15)


def when_the_book_has(line: Line, http: OverHttp, waiting: list[str]) -> dict[str, Any]:
    """What waits, once the order book shows it; and what has left, and a person was asked to look at."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while set(waiting) - (found := http.review()).keys() or line.not_asked(found.keys() - set(waiting)):
        assert time.monotonic() < deadline, line.told_of(found.keys() ^ set(waiting))
        time.sleep(0.2)
    return found


def test_every_order_in_review_has_a_legal_way_out(line: Line, http: OverHttp) -> None:
    line.feed()
    line.rest()
    waiting = line.in_review()
    assert len(waiting) > ORDERS // 10
    seen = when_the_book_has(line, http, waiting)
    waiting = sorted(seen)
    with ThreadPoolExecutor(4) as pool:
        may = dict(zip(waiting, pool.map(http.choices, waiting), strict=True))
    stuck = {uid: may[uid] for uid in waiting if all(may[uid][kind] for kind in WAYS_OUT)}
    assert not stuck, f"without a way out: {stuck}\n{line.told_of(stuck)}"
    wishes = {
        uid: next(kind for kind in (*KINDS[number % len(KINDS) :], *KINDS) if not may[uid][kind])
        for number, uid in enumerate(waiting)
    }
    assert set(wishes.values()) == set(KINDS)

    refused = [(uid, kind) for uid in waiting for kind in KINDS if may[uid][kind]][:5]
    told = {(uid, kind): http.decide(uid, kind, seen[uid]) for uid, kind in refused}
    assert told == {(uid, kind): may[uid][kind] for uid, kind in refused}, "what is said not to be possible is refused"
    here = AtTerminal(line, http)
    code, said = line.command("release", waiting[0], "--to", "nowhere", "--why", "no such warehouse")
    assert (code, said["answer"]["code"]) == (ExitCode.REFUSED, DecisionRefusal.UNKNOWN_WAREHOUSE)
    assert line.command("hold", "taobao:tb-flagship:404", "--why", "no such order")[0] == ExitCode.REFUSED
    by_kind = {kind: [uid for uid in waiting if wishes[uid] is kind] for kind in KINDS}
    terminal = {uids[0] for uids in by_kind.values()}
    answers = {uid: here.decide(uid, wishes[uid], seen[uid]) for uid in sorted(terminal)}
    rest = [uid for uid in waiting if uid not in terminal]
    with ThreadPoolExecutor(4) as pool:
        answers |= zip(rest, pool.map(lambda uid: http.decide(uid, wishes[uid], seen[uid]), rest), strict=True)
    assert {uid: code for uid, code in answers.items() if code} == {}, "what is said to be possible is done"
    line.rest()
    for uid, kind in wishes.items():
        place = line.books.accounts[uid].place()
        assert kind is not DecisionKind.RELEASE or place not in REVIEW, f"{uid} was released"
        assert kind is not DecisionKind.CANCEL or place in ("released", "ignored"), (
            f"{uid} was cancelled and is {place}"
        )

    last = when_the_book_has(line, http, line.in_review())
    may = {uid: http.choices(uid) for uid in last}
    ways = {
        uid: next((kind for kind in (DecisionKind.CANCEL, DecisionKind.SETTLE_FLAG) if not may[uid][kind]), None)
        for uid in last
    }
    codes = {
        uid: (here if number < 2 else http).decide(uid, kind, last[uid])
        for number, (uid, kind) in enumerate(ways.items())
        if kind is not None
    }
    line.rest()
    assert line.in_review() == [], f"without a way out: {codes}"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := http.review():
        assert time.monotonic() < deadline, f"without a way out in the book: {left} {codes}"
        time.sleep(0.2)
    assert "lost" not in line.books.places()
    asyncio.run(_is_sound(line.stack.redis.url))


async def _is_sound(url: str) -> None:
    async with Redis.from_url(url) as redis:
        assert (await Ledger(redis).stock.audit()).findings == ()

"""Putting dead letters back, one run of it: which, what became of each, and what the operator is told."""

from __future__ import annotations

from typing import Final

import typer

from ops.cli.output import ExitCode, console, fail, print_json, say, tell
from ops.cli.servers import redis_client
from schemas.dead_letter import DeadLetter
from schemas.text import Text
from workers.admin.dead_letters import MOST_ATTEMPTS, Filter, Original, Retried, batches, put_back, read_letters
from workers.admin.erasure import Erasure, was_erased
from workers.admin.scan import Topics
from workers.runtime.kafka.producer import Producer
from workers.runtime.settings import Settings

OUTCOMES: Final = {
    "put-back": Text("put back", "已放回"),
    "would-put-back": Text("would be put back", "将放回"),
    "put-back-before": Text("put back before (--again does it again)", "之前已放回（可用 --again 再次放回）"),
    "failed-too-often": Text(
        f"failed {MOST_ATTEMPTS} times (find out why, then name it with --id)",
        f"已失败 {MOST_ATTEMPTS} 次（请先查明原因，再用 --id 指定）",
    ),
    "impossible": Text("cannot be put back", "无法放回"),
}


class Retrying:
    """One run of `retry`: what became of each letter."""

    def __init__(self, known: Settings, wanted: Filter, *, again: bool, dry_run: bool, as_json: bool) -> None:
        self._known = known
        self._wanted = wanted
        self._again = again
        self._dry_run = dry_run
        self._as_json = as_json
        self.counts = dict.fromkeys(OUTCOMES, 0)

    async def run(self, topics: Topics) -> None:
        """Letter by letter, in portions. Raises TransientError, RedisError."""
        producer = Producer(self._known.cluster, delivery_timeout=10)
        producer.start()
        try:
            async with redis_client(self._known) as redis:
                retried = Retried(redis)
                for batch in batches(read_letters(topics, self._wanted)):
                    await self._portion(batch, topics, producer, retried)
        finally:
            await producer.close()

    async def _portion(self, batch: list[DeadLetter], topics: Topics, producer: Producer, retried: Retried) -> None:
        before = {} if self._again else await retried.when([letter.letter_id for letter in batch])
        erased = await Erasure(retried.redis).erased(letter.key for letter in batch)
        ready = []
        for letter in batch:
            original = Original.of(letter, topics)
            outcome, why = self._judge(original, topics, before)
            if letter.key in erased:
                outcome, why = "impossible", was_erased(letter.key, erased[letter.key])
            if outcome == "put-back":
                ready.append(original)
            else:
                self._tell(letter, outcome, why)
        if not self._dry_run:
            await put_back(ready, producer, retried)
        for original in ready:
            self._tell(original.letter, "would-put-back" if self._dry_run else "put-back", None)

    def _judge(self, original: Original, topics: Topics, before: dict[str, float]) -> tuple[str, Text | None]:
        letter = original.letter
        if letter.letter_id in before:
            return "put-back-before", None
        why = original.obstacle(topics.partitions)
        if why is not None:
            return "impossible", why
        if letter.attempts >= MOST_ATTEMPTS and self._wanted.letter_id is None:
            return "failed-too-often", None
        return "put-back", None

    def _tell(self, letter: DeadLetter, outcome: str, why: Text | None) -> None:
        self.counts[outcome] += 1
        if self._as_json:
            fields = {"letter_id": letter.letter_id, "key": letter.key, "reason": letter.reason, "outcome": outcome}
            print_json({**fields, "attempt": letter.attempts + 1, "why": why.en if why else ""})
            return
        words = tell(OUTCOMES[outcome]) + (say(f": {why.en}", f"：{why.zh}") if why else "")
        console().print(f"{letter.letter_id}  {letter.key}  {letter.reason}  {words}", markup=False)

    def end(self) -> None:
        """Sum up; exit 1 when nothing that was meant could be put back."""
        counts = {outcome: count for outcome, count in self.counts.items() if count}
        if not counts:
            if self._wanted.letter_id is not None:
                fail(no_such_letter(self._wanted.letter_id))
            fail(
                Text(
                    "no dead letter fits; see them with: orderfleet dead-letters list",
                    "没有符合条件的死信；可用 orderfleet dead-letters list 查看",
                )
            )
        if not self._as_json:
            sums = [f"{tell(OUTCOMES[outcome])}: {count}" for outcome, count in counts.items()]
            console().print("; ".join(sums), markup=False)
        if set(counts) <= {"impossible", "failed-too-often"}:
            raise typer.Exit(ExitCode.BAD)


def no_such_letter(letter_id: str) -> Text:
    """Nothing of that name, and how to find it."""
    return Text(
        f"there is no dead letter {letter_id}; look for it with: orderfleet dead-letters list --limit 0",
        f"没有死信 {letter_id}；请用 orderfleet dead-letters list --limit 0 查找",
    )

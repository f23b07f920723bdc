"""Telling what became of each dead letter that was to be put back."""

from __future__ import annotations

from contextlib import aclosing
from typing import Final

import typer

from ops.cli.output import ExitCode, console, fail, print_json, say, tell
from ops.cli.servers import redis_client
from schemas.text import Text
from workers.admin.dead_letters import MOST_ATTEMPTS, Filter, no_such_letter
from workers.admin.letter_retry import LetterRetry, RetriedLetter, RetryOutcome
from workers.admin.scan import Topics
from workers.runtime.settings import Settings

OUTCOMES: Final = {
    RetryOutcome.PUT_BACK: Text("put back", "已放回"),
    RetryOutcome.WOULD_PUT_BACK: Text("would be put back", "将放回"),
    RetryOutcome.PUT_BACK_BEFORE: Text(
        "put back before (--again does it again)", "之前已放回（可用 --again 再次放回）"
    ),
    RetryOutcome.FAILED_TOO_OFTEN: Text(
        f"failed {MOST_ATTEMPTS} times (find out why, then name it with --id)",
        f"已失败 {MOST_ATTEMPTS} 次（请先查明原因，再用 --id 指定）",
    ),
    RetryOutcome.IMPOSSIBLE: Text("cannot be put back", "无法放回"),
}
_FAILED: Final = {RetryOutcome.IMPOSSIBLE, RetryOutcome.FAILED_TOO_OFTEN}


async def tell_retries(
    known: Settings, topics: Topics, wanted: Filter, *, again: bool, dry_run: bool, as_json: bool
) -> dict[RetryOutcome, int]:
    """Put back what is wanted, telling of each letter. How many there were of each outcome.

    Raises TransientError, RedisError.
    """
    counts = dict.fromkeys(OUTCOMES, 0)
    async with redis_client(known) as redis:
        retry = LetterRetry(known.cluster, redis, topics, wanted, again=again, dry_run=dry_run)
        async with aclosing(retry.run()) as letters:
            async for each in letters:
                counts[each.outcome] += 1
                _tell(each, as_json)
    return {outcome: count for outcome, count in counts.items() if count}


def _tell(retried: RetriedLetter, as_json: bool) -> None:
    letter, outcome, why = retried
    if as_json:
        fields = {"letter_id": letter.letter_id, "key": letter.key, "reason": letter.reason, "outcome": outcome}
        print_json({**fields, "attempt": letter.attempts + 1, "why": why.en if why else ""})
        return
    words = tell(OUTCOMES[outcome]) + (say(f": {why.en}", f"：{why.zh}") if why else "")
    console().print(f"{letter.letter_id}  {letter.key}  {letter.reason}  {words}", markup=False)


def end(counts: dict[RetryOutcome, int], wanted: Filter, as_json: bool) -> None:
    """Sum up; exit 1 when nothing that was meant could be put back."""
    if not counts:
        if wanted.letter_id is not None:
            fail(no_such_letter(wanted.letter_id))
        fail(
            Text(
                "no dead letter fits; see them with: orderfleet dead-letters list",
                "没有符合条件的死信；可用 orderfleet dead-letters list 查看",
            )
        )
    if not as_json:
        sums = [f"{tell(OUTCOMES[outcome])}: {count}" for outcome, count in counts.items()]
        console().print("; ".join(sums), markup=False)
    if counts.keys() <= _FAILED:
        raise typer.Exit(ExitCode.BAD)

"""Dead letters as a stage writes them."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schemas.dead_letter import DeadLetter, Failure

RAW: Final = "orders.raw.taobao"
NOON: Final = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)


def a_letter(number: int = 1, **fields: Any) -> DeadLetter:
    """The letter about one message of taobao; a higher number is a later one."""
    letter = DeadLetter(
        letter_id=f"{RAW}/0/{number}",
        stage="normalize",
        reason="unknown-status",
        failures=(
            Failure(attempt="fullinfo", where="status", problem="is not known", problem_zh="未知状态"),
            Failure(attempt="list", where="status", problem="is not known either"),
        ),
        topic=RAW,
        partition=0,
        offset=number,
        key=f"taobao:main:{number}",
        headers={"shop": "main", "dedupe-key": f"taobao:main:{number}@1"},
        payload_base64=base64.b64encode(b'{"tid": %d}' % number).decode(),
        at=NOON + timedelta(seconds=number),
    )
    return replace(letter, **fields)

"""A message set aside: whole, with where it came from and why it could not be processed."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from schemas.codes import Explanation, render
from schemas.record import record
from schemas.text import Language


@record
class Failure:
    """One attempt that failed: which reading of the message, at which field, and how."""

    attempt: str  # the template or step that was tried
    where: str  # path of the field: "orders.order[0].num"; "" when the whole message is meant
    explanation: Explanation | None = None  # what is wrong, without any value: LetterProblem or PayloadProblem
    problem: str = ""  # English, in letters of versions before this one had an explanation; empty since
    problem_zh: str = ""  # Chinese, as above

    def tell(self, language: Language) -> str:
        """What is wrong, for people. A letter of before says it in Chinese where it has that."""
        return render(self.explanation, language, (language == "zh" and self.problem_zh) or self.problem)


@record
class DeadLetter:
    """On `orders.quarantined`. The original bytes are in `payload_base64`, the first of them where it says `cut`.

    The original record stands at `topic`, `partition`, `offset` as long as its topic keeps it.
    """

    letter_id: str  # <topic>/<partition>/<offset>: the same on every repeat
    stage: str
    reason: str  # a code: unreadable, unknown-status, bad-money, bug ...
    failures: tuple[Failure, ...]
    topic: str
    partition: int
    offset: int
    key: str
    headers: dict[str, str]
    payload_base64: str = field(repr=False)
    at: datetime | None = None  # the original record's own time
    attempts: int = 1
    cut: bool = False  # key, headers or payload are not here as they were: shortened, or not to be told as text
    payload_bytes: int = -1  # how large the original value is; -1: it had none, or the letter is older than this field

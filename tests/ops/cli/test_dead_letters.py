"""Listing dead letters and putting messages back, on a real broker and a real Redis."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message
from redis import Redis

from ops.testbed.local_stack.broker import Broker
from schemas.dead_letter import DeadLetter
from schemas.record import encode
from tests.fakes import KafkaRecord
from tests.kafka import TopicReader, create_topics, put
from tests.ops.cli.conftest import Run, nobody_listens
from tests.workers.admin.builders import RAW, a_letter
from workers.admin.dead_letters import payload_of
from workers.runtime.dead_letters import SMALL_BYTES, dead_letter
from workers.runtime.errors import PermanentError


class Quarantine:
    """`orders.quarantined` and `orders.raw.taobao` of a broker of its own."""

    def __init__(self, kafka: str) -> None:
        self.kafka = kafka
        create_topics(kafka, ["orders.quarantined", RAW], 2)

    def put(self, *letters: DeadLetter) -> None:
        put(self.kafka, "orders.quarantined", [(letter.key.encode(), encode(letter)) for letter in letters])

    def raw(self, count: int) -> list[Message]:
        """What stands in the raw topic, which must be `count` messages."""
        reader = TopicReader(self.kafka, [RAW], 2)
        try:
            return list(reader.until(lambda seen: len(seen) >= count))
        finally:
            reader.close()

    def raw_is_empty(self) -> bool:
        """By way of a message of our own: what was sent before it must have come before it."""
        put(self.kafka, RAW, [(b"end", b""), (b"end2", b""), (b"end3", b""), (b"end4", b"")])
        return {m.key() for m in self.raw(4)} == {b"end", b"end2", b"end3", b"end4"}


@pytest.fixture
def quarantine(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quarantine]:
    with Broker(tmp_path) as broker:
        monkeypatch.setenv("ORDERFLEET_KAFKA", broker.address)
        yield Quarantine(broker.address)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def outcomes(text: str) -> dict[str, str]:
    return {line["letter_id"].rpartition("/")[2]: line["outcome"] for line in lines(text)}


# -- list --------------------------------------------------------------------------------------------------------------


def test_letters_are_listed_newest_first_with_what_is_wrong(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1), a_letter(3), a_letter(2))
    result = run("dead-letters", "list")

    assert result.exit_code == 0
    assert [word for word in result.stdout.split() if word.startswith("taobao:")] == [
        "taobao:main:3",
        "taobao:main:2",
        "taobao:main:1",
    ]
    assert "status is not known" in result.stdout
    assert "unknown-status" in result.stdout


def test_the_problem_is_told_in_chinese(chinese: None, quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1))

    assert "未知状态" in run("dead-letters", "list").stdout


def test_json_tells_everything_but_the_payload(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(7))
    [line] = lines(run("dead-letters", "list", "--json").stdout)

    assert line["letter_id"] == f"{RAW}/0/7"
    assert line["channel"] == "taobao"
    assert line["key"] == "taobao:main:7"
    assert line["failures"][1]["attempt"] == "list"
    assert line["at"] == "2026-11-11T04:00:07Z"
    assert line["retried_at"] is None
    assert "payload_base64" not in line


def test_the_list_can_be_narrowed_and_cut(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(*(a_letter(n) for n in range(1, 8)))
    quarantine.put(a_letter(8, reason="bug"), a_letter(9, topic="orders.raw.jd", letter_id="orders.raw.jd/0/9"))

    by_reason = lines(run("dead-letters", "list", "--reason", "bug", "--json").stdout)
    by_channel = lines(run("dead-letters", "list", "--channel", "jd", "--json").stdout)
    newest = run("dead-letters", "list", "--limit", "2")
    everything = lines(run("dead-letters", "list", "--limit", "0", "--json").stdout)

    assert [line["offset"] for line in by_reason] == [8]
    assert [line["letter_id"] for line in by_channel] == ["orders.raw.jd/0/9"]
    assert "2 of 9 shown" in newest.stderr
    assert len(everything) == 9


def test_a_letter_that_was_written_twice_is_listed_once(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1), a_letter(1))

    assert len(lines(run("dead-letters", "list", "--json").stdout)) == 1


def test_what_is_no_letter_is_passed_over(quarantine: Quarantine, run: Run) -> None:
    put(quarantine.kafka, "orders.quarantined", [(b"x", b"not a letter")])
    quarantine.put(a_letter(1))

    assert len(lines(run("dead-letters", "list", "--json").stdout)) == 1


def test_no_letters_is_good_news(quarantine: Quarantine, run: Run) -> None:
    result = run("dead-letters", "list")

    assert result.exit_code == 0
    assert "no dead letters" in result.stdout


def test_the_list_comes_without_redis(quarantine: Quarantine, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine.put(a_letter(1))
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", f"redis://{nobody_listens()}/0")
    result = run("dead-letters", "list")

    assert result.exit_code == 0
    assert "taobao:main:1" in result.stdout
    assert "Redis does not answer" in result.stderr


# -- payload -----------------------------------------------------------------------------------------------------------


def test_the_payload_comes_as_it_was(quarantine: Quarantine, run: Run) -> None:
    body = ' {"tid": 1, "名": "\u2028"}\n'.encode()
    quarantine.put(a_letter(1, payload_base64=base64.b64encode(body).decode()))
    result = run("dead-letters", "payload", f"{RAW}/0/1")

    assert result.exit_code == 0
    assert result.stdout_bytes == body


def test_a_letter_that_is_not_there_is_told(quarantine: Quarantine, run: Run) -> None:
    result = run("dead-letters", "payload", "orders.raw.taobao/0/99")

    assert result.exit_code == 1
    assert "there is no dead letter orders.raw.taobao/0/99" in result.stderr


# -- retry -------------------------------------------------------------------------------------------------------------


def test_a_message_goes_back_as_it_was_under_its_key(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1), a_letter(2))
    result = run("dead-letters", "retry", "--id", f"{RAW}/0/2")

    assert result.exit_code == 0, result.output
    [message] = quarantine.raw(1)
    assert message.key() == b"taobao:main:2"
    assert message.value() == b'{"tid": 2}'
    assert dict(message.headers() or []) == {
        "shop": b"main",
        "dedupe-key": b"taobao:main:2@1",
        "retry-of": b"orders.raw.taobao/0/2",
        "attempts": b"2",
    }
    assert f"{RAW}/0/2  taobao:main:2  unknown-status  put back" in result.stdout


def test_the_same_letter_is_not_put_back_twice_by_accident(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1))
    first = run("dead-letters", "retry", "--all", "--json")
    second = run("dead-letters", "retry", "--all", "--json")
    third = run("dead-letters", "retry", "--all", "--again", "--json")

    assert outcomes(first.stdout) == {"1": "put-back"}
    assert outcomes(second.stdout) == {"1": "put-back-before"}
    assert second.exit_code == 0
    assert outcomes(third.stdout) == {"1": "put-back"}
    assert len(quarantine.raw(2)) == 2
    [line] = lines(run("dead-letters", "list", "--json").stdout)
    assert line["retried_at"] is not None


def test_only_what_is_meant_is_put_back(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1), a_letter(2, reason="bug"), a_letter(3, topic="orders.raw.jd"))
    result = run("dead-letters", "retry", "--reason", "unknown-status", "--channel", "taobao", "--json")

    assert outcomes(result.stdout) == {"1": "put-back"}


def test_messages_of_one_order_go_back_in_their_order(quarantine: Quarantine, run: Run) -> None:
    letters = [a_letter(n, key="taobao:main:1", headers={"n": str(n)}) for n in range(1, 40)]
    quarantine.put(*letters)
    run("dead-letters", "retry", "--all")

    assert [dict(m.headers() or [])["n"] for m in quarantine.raw(39)] == [b"%d" % n for n in range(1, 40)]


def test_a_dry_run_changes_nothing(quarantine: Quarantine, run: Run, redis_url: str) -> None:
    quarantine.put(a_letter(1))
    result = run("dead-letters", "retry", "--all", "--dry-run")

    assert result.exit_code == 0
    assert "would be put back" in result.stdout
    assert quarantine.raw_is_empty()
    with Redis.from_url(redis_url) as client:
        assert client.keys("*") == [b"epoch"]


def test_what_never_was_in_a_topic_cannot_be_put_back(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1, partition=-1, offset=-1, payload_base64=""))
    result = run("dead-letters", "retry", "--all")

    assert result.exit_code == 1
    assert "it never was in its topic" in result.stdout
    assert quarantine.raw_is_empty()


def test_a_topic_that_is_gone_is_not_made_by_accident(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1, topic="orders.raw.gone"))
    result = run("dead-letters", "retry", "--all")

    assert result.exit_code == 1
    assert "orderfleet topics create" in result.stdout


def test_a_message_that_failed_nine_times_goes_back_only_by_its_name(quarantine: Quarantine, run: Run) -> None:
    quarantine.put(a_letter(1, attempts=9))

    assert outcomes(run("dead-letters", "retry", "--all", "--json").stdout) == {"1": "failed-too-often"}
    assert outcomes(run("dead-letters", "retry", "--id", f"{RAW}/0/1", "--json").stdout) == {"1": "put-back"}


def test_without_redis_nothing_is_put_back(quarantine: Quarantine, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine.put(a_letter(1))
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", f"redis://{nobody_listens()}/0")
    result = run("dead-letters", "retry", "--all")

    assert result.exit_code == 3
    assert "Redis at" in result.stderr
    assert quarantine.raw_is_empty()


@pytest.mark.parametrize(
    "arguments", [[], ["--all", "--reason", "bug"], ["--id", "x", "--all"], ["--id", "x", "--channel", "jd"]]
)
def test_which_letters_are_meant_must_be_said_once(arguments: list[str], run: Run) -> None:
    result = run("dead-letters", "retry", *arguments)

    assert result.exit_code == 2
    assert "--id LETTER" in result.stderr


@pytest.mark.parametrize("command", ["list", "retry"])
def test_an_unknown_channel_is_told_with_those_there_are(command: str, run: Run) -> None:
    result = run("dead-letters", command, "--channel", "ebay")

    assert result.exit_code == 2
    assert "there are taobao, pinduoduo" in result.stderr


def test_nothing_that_fits_is_told(quarantine: Quarantine, run: Run) -> None:
    result = run("dead-letters", "retry", "--reason", "no-such-reason")

    assert result.exit_code == 1
    assert "no dead letter fits" in result.stderr


def test_kafka_away_is_said_with_its_address(run: Run, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = nobody_listens()
    monkeypatch.setenv("ORDERFLEET_KAFKA", address)
    result = run("dead-letters", "list")

    assert result.exit_code == 3
    assert address in result.stderr


# -- letters that hold only a part of their message --------------------------------------------------------------------


def a_cut_letter(original: Message) -> DeadLetter:
    """What is left of a message when its letter must be small."""
    record = KafkaRecord(
        original.value(),
        key=original.key(),
        headers=original.headers() or (),
        topic=RAW,
        partition=original.partition() or 0,
        offset=original.offset() or 0,
    )
    return dead_letter(record, "normalize", PermanentError("bug", []), SMALL_BYTES)


def test_the_message_of_a_cut_letter_is_put_back_whole_with_the_key_and_headers_it_had(
    quarantine: Quarantine, run: Run
) -> None:
    key, value = b"taobao:main:\xff", b'{"tid": "' + b"9" * (2 * SMALL_BYTES) + b'"}'
    put(quarantine.kafka, RAW, [(b"before", b"{}"), (key, value), (b"after", b"{}")])
    [original] = [message for message in quarantine.raw(3) if message.key() == key]
    letter = a_cut_letter(original)
    assert letter.cut
    assert len(payload_of(letter)) < len(value) == letter.payload_bytes
    quarantine.put(letter)

    assert run("dead-letters", "payload", letter.letter_id).stdout_bytes == value
    assert outcomes(run("dead-letters", "retry", "--all", "--json").stdout) == {str(letter.offset): "put-back"}

    again = [message for message in quarantine.raw(4) if message.key() == key]
    assert [message.value() for message in again] == [value, value]
    assert dict(again[1].headers() or ())["retry-of"] == letter.letter_id.encode()


def test_a_cut_letter_whose_message_is_gone_is_not_put_back_and_its_part_can_be_seen(
    quarantine: Quarantine, run: Run
) -> None:
    letter = a_letter(700, cut=True, payload_bytes=5_000_000)
    quarantine.put(letter)

    retried = run("dead-letters", "retry", "--all", "--json")
    assert retried.exit_code == 1
    [line] = lines(retried.stdout)
    assert line["outcome"] == "impossible"
    assert "does not keep it" in line["why"]
    seen = run("dead-letters", "payload", letter.letter_id)
    assert seen.stdout_bytes == payload_of(letter)
    assert "5,000,000" in seen.stderr

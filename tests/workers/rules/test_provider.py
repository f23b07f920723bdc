"""Rules change under a running worker, and a bad file changes nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.workers.rules.examples import EXAMPLES, text_of
from workers.rules.problems import RulesetErrors
from workers.rules.provider import LOOK_SECONDS, RuleFiles
from workers.rules.ruleset import Rulebook
from workers.runtime.tasks import end_tasks

PATIENCE = 30.0
RULE = "{id: a, priority: 1, when: {always: true}, then: {assign: hangzhou}}"


class Watched:
    """A ruleset and a catalogue in a folder, looked at four times a second of a clock that only we move."""

    def __init__(self, folder: Path) -> None:
        self.rules, self.catalogue = folder / "rules.yaml", folder / "catalogue.yaml"
        self.stamp = 1_000_000_000
        self.now = 100.0
        self.reports: list[tuple[RulesetErrors | None, str]] = []
        shutil.copy(EXAMPLES / "catalogue.yaml", self.catalogue)
        self.write("1")
        self.files = RuleFiles(self.rules, self.catalogue, report=self.note)

    def note(self, error: RulesetErrors | None, book: Rulebook) -> None:
        self.reports.append((error, book.ruleset.label))

    def write(self, version: str, *rules: str) -> None:
        """Every write has a time of its own, as the writes of a person have."""
        text = text_of(*(rules or (RULE,))).replace('version: "1"', f'version: "{version}"')
        self.rules.write_text(text)
        self.stamp += 1
        os.utime(self.rules, (self.stamp, self.stamp))

    def after(self, seconds: float) -> str:
        for _ in range(round(seconds / LOOK_SECONDS)):
            self.now += LOOK_SECONDS
            self.files.look(self.now)
        return self.files.current().ruleset.label

    def put_back(self, content: bytes, like: os.stat_result) -> None:
        """In place and with the time of another moment, as `cp -p` and many tools do."""
        with self.rules.open("r+b") as file:
            file.write(content)
            file.truncate()
        os.utime(self.rules, ns=(like.st_atime_ns, like.st_mtime_ns))


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_new_version_is_in_force_within_two_seconds_once_it_settled(watched: Watched) -> None:
    assert watched.after(1) == "test@1"
    watched.write("2")
    assert watched.after(1) == "test@1"  # it may be half written
    assert watched.after(0.5) == "test@2"
    assert watched.reports == [(None, "test@2")]


def test_a_file_that_is_still_being_written_is_left_alone(watched: Watched) -> None:
    for version in "23456":
        watched.write(version)
        assert watched.after(1) == "test@1"
    assert watched.after(1) == "test@6"


def test_what_is_written_in_parts_is_taken_whole_only(watched: Watched) -> None:
    """A file that breaks off may be a good ruleset with fewer rules."""
    whole = (
        watched.rules.read_text().replace('version: "1"', 'version: "2"') + f"  - {RULE.replace('id: a', 'id: b')}\n"
    )
    for end in range(0, len(whole), len(whole) // 7):
        watched.rules.write_text(whole[:end])
        assert watched.after(0.75) == "test@1"
    watched.rules.write_text(whole)
    assert watched.after(1.5) == "test@2"
    assert len(watched.files.current().ruleset.rules) == 2
    assert watched.reports == [(None, "test@2")]


def test_a_file_that_is_put_back_with_its_old_time_and_size_is_seen(watched: Watched) -> None:
    before, like = watched.rules.read_bytes(), watched.rules.stat()
    watched.put_back(before.replace(b'version: "1"', b'version: "2"'), like)
    assert watched.after(1.5) == "test@2"
    watched.put_back(before, like)
    after = watched.rules.stat()
    assert (after.st_mtime_ns, after.st_size, after.st_ino) == (like.st_mtime_ns, like.st_size, like.st_ino)
    assert watched.after(1.5) == "test@1"
    assert [label for _, label in watched.reports] == ["test@2", "test@1"]


def test_an_earlier_version_may_come_back_only_as_it_was(watched: Watched) -> None:
    watched.write("2")
    assert watched.after(2) == "test@2"
    watched.write("1", RULE.replace("hangzhou", "beijing"))
    assert watched.after(2) == "test@2"
    assert "still says version 1" in str(watched.files.error)
    watched.write("1")
    assert watched.after(2) == "test@1"
    assert watched.files.error is None


def test_a_bad_file_keeps_the_old_rules_and_is_reported_once(watched: Watched) -> None:
    watched.write("2", RULE.replace("hangzhou", "hangzou"))
    assert [watched.after(2) for _ in range(5)] == ["test@1"] * 5
    ((error, in_force),) = watched.reports
    assert in_force == "test@1"
    assert error is watched.files.error
    assert error is not None
    assert error.tell() == (
        "rules.yaml, line 4: rule a, then.assign: hangzou is not a declared warehouse; did you mean hangzhou?"
    )


def test_a_mended_file_is_taken_and_the_error_is_gone(watched: Watched) -> None:
    watched.write("2", RULE.replace("hangzhou", "hangzou"))
    watched.after(2)
    watched.write("2")
    watched.after(2)
    assert watched.after(2) == "test@2"
    assert watched.files.error is None


def test_a_deleted_file_keeps_the_old_rules(watched: Watched) -> None:
    watched.rules.unlink()
    watched.after(2)
    assert watched.after(2) == "test@1"
    assert str(watched.files.error) == "rules.yaml: can't be read: No such file or directory"


def test_other_rules_under_the_same_version_are_refused(watched: Watched) -> None:
    watched.write("1", RULE.replace("hangzhou", "beijing"))
    watched.after(2)
    assert watched.after(2) == "test@1"
    assert watched.files.current().ruleset.rules[0].assign == ("hangzhou",)
    assert str(watched.files.error) == (
        "rules.yaml: was changed but still says version 1; give it a new version to put it in force"
    )


def test_a_changed_catalogue_is_taken_with_the_same_rules(watched: Watched) -> None:
    text = watched.catalogue.read_text()
    watched.catalogue.write_text(text.replace("category: tea,", "category: drinks,"))
    watched.after(2)
    assert "drinks" in watched.files.current().catalogue.categories


def test_a_catalogue_that_did_not_change_is_not_read_again(watched: Watched) -> None:
    """It is the large one of the two, and rules change often."""
    before = watched.files.current().catalogue
    watched.write("2")
    watched.after(2)
    assert watched.after(2) == "test@2"
    assert watched.files.current().catalogue is before


async def test_changes_are_seen_though_nobody_asks_and_nobody_waits_for_the_reading(watched: Watched) -> None:
    """In real time, by polling: a worker without orders, and a change that is put back while it is read."""
    watching = asyncio.create_task(watched.files.watch())
    watched.write("2")
    await until(lambda: watched.files.current().ruleset.label == "test@2")
    watched.write("1")
    await until(lambda: watched.files.current().ruleset.label == "test@1")
    watched.write("3", RULE.replace("hangzhou", "hangzou"))
    await until(lambda: watched.files.error is not None)
    assert watched.files.current().ruleset.label == "test@1"
    await end_tasks([watching])
    assert watching.cancelled()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110  # nobody else tells
            await asyncio.sleep(0.02)


def test_a_mistake_of_ours_in_reading_changed_rules_is_told_and_the_old_ones_stay(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("workers.rules.provider.load_ruleset", fail)
    watched.write("2")
    assert watched.after(2) == "test@1"
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert "the old ones stay in force" in record.message
    assert refused() == 1


def refused() -> float | None:
    return REGISTRY.get_sample_value("orders_rules_refused")


def test_the_log_says_what_happened_when_nobody_else_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(tmp_path)
    watched.files = RuleFiles(watched.rules, watched.catalogue)
    seen = []
    with caplog.at_level(logging.INFO):
        for version, rule in (("2", RULE), ("3", RULE.replace("hangzhou", "hangzou"))):
            watched.write(version, rule)
            watched.after(2)
            seen.append(refused())
    assert seen == [0, 1]
    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR"]
    assert "test@2 stay in force" in caplog.records[1].message


def test_files_that_can_not_be_used_at_start_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesetErrors, match="No such file"):
        RuleFiles(tmp_path / "rules.yaml", EXAMPLES / "catalogue.yaml")

"""Rules change under a running worker, and a bad file changes nothing."""

from __future__ import annotations

import logging
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from tests.workers.rules.examples import EXAMPLES, text_of
from workers.rules.problems import RulesetErrors
from workers.rules.provider import RuleFiles
from workers.rules.ruleset import Rulebook

PATIENCE = 30.0
RULE = "{id: a, priority: 1, when: {always: true}, then: {assign: hangzhou}}"


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A ruleset and a catalogue in a folder, watched every 2 seconds of a clock that only we move."""

    def __init__(self, folder: Path) -> None:
        self.rules, self.catalogue = folder / "rules.yaml", folder / "catalogue.yaml"
        self.stamp = 1_000_000_000
        self.clock = FakeClock()
        self.reports: list[tuple[RulesetErrors | None, str]] = []
        shutil.copy(EXAMPLES / "catalogue.yaml", self.catalogue)
        self.write("1")
        self.files = RuleFiles(self.rules, self.catalogue, clock=self.clock, check_every=2.0, report=self.note)

    def note(self, error: RulesetErrors | None, book: Rulebook) -> None:
        self.reports.append((error, book.ruleset.label))

    def write(self, version: str, *rules: str) -> None:
        """Every write has a time of its own, as the writes of a person have."""
        text = text_of(*(rules or (RULE,))).replace('version: "1"', f'version: "{version}"')
        self.rules.write_text(text)
        self.stamp += 1
        os.utime(self.rules, (self.stamp, self.stamp))

    def after(self, seconds: float) -> str:
        self.clock.now += seconds
        return self.files.current().ruleset.label


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_new_version_is_in_force_after_it_looked_the_same_twice(watched: Watched) -> None:
    assert watched.after(0) == "test@1"
    watched.write("2")
    assert watched.after(1.9) == "test@1"  # not looked at yet
    assert watched.after(0.1) == "test@1"  # seen for the first time: it may be half written
    assert watched.after(2) == "test@2"
    assert watched.reports == [(None, "test@2")]


def test_a_file_that_is_still_being_written_is_left_alone(watched: Watched) -> None:
    for version in "23456":
        watched.write(version)
        assert watched.after(2) == "test@1"
    assert watched.after(2) == "test@6"


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
    watched.after(2)
    assert "drinks" in watched.files.current().catalogue.categories


def test_a_catalogue_that_did_not_change_is_not_read_again(watched: Watched) -> None:
    """It is the large one of the two, and rules change often."""
    before = watched.files.current().catalogue
    watched.write("2")
    watched.after(2)
    assert watched.after(2) == "test@2"
    assert watched.files.current().catalogue is before


def test_nobody_waits_while_a_changed_file_is_read(watched: Watched) -> None:
    go_on = Event()
    with ThreadPoolExecutor(1) as reader:
        watched.files = RuleFiles(watched.rules, watched.catalogue, clock=watched.clock, reader=reader)
        reader.submit(go_on.wait, PATIENCE)
        watched.write("2")
        assert [watched.after(2) for _ in range(3)] == ["test@1"] * 3
        go_on.set()
        reader.submit(int).result(PATIENCE)  # done when all that was asked before is
        assert watched.after(0) == "test@2"


def test_a_mistake_of_ours_in_reading_changed_rules_is_told_and_the_old_ones_stay(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with ThreadPoolExecutor(1) as reader:
        watched.files = RuleFiles(watched.rules, watched.catalogue, clock=watched.clock, reader=reader)
        monkeypatch.setattr("workers.rules.provider.load_ruleset", fail)
        watched.write("2")
        watched.after(2)
        watched.after(2)
    assert watched.after(2) == "test@1"
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert "the old ones stay in force" in record.message


def test_the_log_says_what_happened_when_nobody_else_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(tmp_path)
    watched.files = RuleFiles(watched.rules, watched.catalogue, clock=watched.clock)
    with caplog.at_level(logging.INFO):
        for version, rule in (("2", RULE), ("3", RULE.replace("hangzhou", "hangzou"))):
            watched.write(version, rule)
            watched.after(2)
            watched.after(2)
    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR"]
    assert "test@2 stay in force" in caplog.records[1].message


def test_files_that_can_not_be_used_at_start_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesetErrors, match="No such file"):
        RuleFiles(tmp_path / "rules.yaml", EXAMPLES / "catalogue.yaml", clock=FakeClock())

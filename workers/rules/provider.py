"""Which rules are in force: read from files, and read again when the files change, without a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from schemas.text import Text
from workers.rules.catalogue import Catalogue
from workers.rules.catalogue_loading import digest_of
from workers.rules.loading import load_catalogue, load_ruleset
from workers.rules.problems import Problem, RulesetErrors
from workers.rules.ruleset import Rulebook

_log = logging.getLogger(__name__)


class RulesProvider(Protocol):
    """Where a stage gets its rules. Cheap: asked once per order."""

    def current(self) -> Rulebook:
        """The rules in force now."""
        ...


@dataclass(frozen=True, slots=True)
class FixedRules:
    """Rules that never change: for tests, and for trying a ruleset out."""

    book: Rulebook

    def current(self) -> Rulebook:
        """Always the same."""
        return self.book


Signature = tuple[tuple[int, int, int], ...]


class RuleFiles:
    """A ruleset and a catalogue on disk, watched.

    A changed file takes effect once it has looked the same at two checks, so a half-written one is never read. A bad
    file changes nothing: the old rules stay, `error` says why, and `report` (by default the log) is told once. A
    ruleset is immutable: the same name and version with other content is refused, because decisions record only those.
    """

    def __init__(
        self,
        ruleset: Path,
        catalogue: Path,
        *,
        clock: Callable[[], float],
        check_every: float = 2.0,
        channels: Collection[str] | None = None,
        report: Callable[[RulesetErrors | None, Rulebook], None] | None = None,
        reader: Executor | None = None,
    ) -> None:
        """`clock` counts seconds (monotonic). `reader`, of one thread, reads changed files; without it `current` does.

        To read a large catalogue takes seconds, in which a worker's orders and its heartbeats would wait.
        Raises RulesetErrors when the files can't be used at start.
        """
        self._paths = (ruleset, catalogue)
        self._clock = clock
        self._check_every = check_every
        self._channels = channels
        self._report = report or _log_it
        self._reader = reader
        self.error: RulesetErrors | None = None
        self._loaded = self._seen = self._signature()
        self._book = self._load(None)
        self._next_check = clock() + check_every

    def current(self) -> Rulebook:
        """The rules in force; looks at the files at most every `check_every` seconds."""
        now = self._clock()
        if now >= self._next_check:
            self._next_check = now + self._check_every
            self._refresh()
        return self._book

    def _refresh(self) -> None:
        signature = self._signature()
        settled, self._seen = signature == self._seen, signature
        if not settled or signature == self._loaded:
            return
        self._loaded = signature
        if self._reader is None:
            self._reload()
        else:
            self._reader.submit(self._reload).add_done_callback(_tell_of_a_bug)

    def _reload(self) -> None:
        try:
            book = self._load(self._book.catalogue)
            self._refuse_rewritten(book)
        except RulesetErrors as error:
            self.error = error
        else:
            self.error, self._book = None, book
        self._report(self.error, self._book)

    def _load(self, known: Catalogue | None) -> Rulebook:
        ruleset_path, catalogue_path = self._paths
        text = _bytes_of(catalogue_path)
        if known is None or known.digest != digest_of(text):
            known = load_catalogue(text, catalogue_path.name, self._channels)
        ruleset = load_ruleset(_bytes_of(ruleset_path), ruleset_path.name, known, self._channels)
        return Rulebook(ruleset=ruleset, catalogue=known)

    def _refuse_rewritten(self, book: Rulebook) -> None:
        new, old = book.ruleset, self._book.ruleset
        if new.label == old.label and new.digest != old.digest:
            raise _problem(
                self._paths[0],
                f"was changed but still says version {new.version}; give it a new version to put it in force",
                f"内容已修改，但版本仍是 {new.version}；请改版本号后生效",
            )

    def _signature(self) -> Signature:
        return tuple(_stat(path) for path in self._paths)


def _log_it(error: RulesetErrors | None, book: Rulebook) -> None:
    if error is None:
        _log.info("rules %s are in force", book.ruleset.label)
    else:
        _log.error("the changed rules are not used, %s stay in force:\n%s", book.ruleset.label, error)


def _tell_of_a_bug(read: Future[None]) -> None:
    if not read.cancelled() and (error := read.exception()) is not None:
        _log.error("the changed rules could not be read, the old ones stay in force", exc_info=error)


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise _problem(path, f"can't be read: {reason}", f"无法读取：{reason}") from error


def _problem(path: Path, en: str, zh: str) -> RulesetErrors:
    return RulesetErrors([Problem(path.name, 0, Text("", ""), Text(en, zh))])

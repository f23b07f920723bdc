"""Which rules are in force: read from files, and read again when the files change, without a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from schemas.text import Text
from schemas.yaml_input import MOST_BYTES
from workers.rules.catalogue import Catalogue
from workers.rules.catalogue_loading import digest_of
from workers.rules.loading import load_catalogue, load_ruleset
from workers.rules.problems import Problem, RulesetErrors
from workers.rules.ruleset import Rulebook
from workers.runtime import metrics
from workers.runtime.tasks import look_again

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


LOOK_SECONDS: Final = 0.25
SETTLED_SECONDS: Final = 1.0
"""What a file says is taken once it has been the same for so long: one that is half written goes on changing.

With the look and the reading, a change is in force within two seconds, whether orders come or not.
"""

Contents = tuple[bytes | None, bytes | None]


class RuleFiles:
    """A ruleset and a catalogue on disk, watched.

    What counts is what they hold, not when they were written: a copy that was put back with its old time is seen, too.
    A bad file changes nothing: the old rules stay, `error` says why, and `report` (by default the log and a metric) is
    told once. A ruleset is immutable: the same name and version with other content is refused, because decisions record
    only those.
    """

    def __init__(
        self,
        ruleset: Path,
        catalogue: Path,
        *,
        channels: Collection[str] | None = None,
        report: Callable[[RulesetErrors | None, Rulebook], None] | None = None,
    ) -> None:
        """Reads both once. Raises RulesetErrors when the files can't be used at start."""
        self._paths = (ruleset, catalogue)
        self._channels = channels
        self._report = report or _tell
        self.error: RulesetErrors | None = None
        self._digests: dict[str, str] = {}  # of the versions that were in force, by name and version
        contents = self._contents()
        self._loaded = self._seen = contents
        self._seen_at = 0.0
        self._book = self._load(contents, None)
        self._digests[self._book.ruleset.label] = self._book.ruleset.digest
        metrics.RULES_REFUSED.set(0)

    def current(self) -> Rulebook:
        """The rules in force."""
        return self._book

    async def watch(self) -> None:
        """Look at the files again and again, until cancelled. They are read in a thread: it takes seconds at worst."""
        await look_again(self.look, LOOK_SECONDS)

    def look(self, now: float) -> None:
        """See whether the files changed, and put in force what has settled. `now`: seconds of any steady clock.

        Never raises: whatever goes wrong, the rules in force stay.
        """
        try:
            contents = self._contents()
            if contents != self._seen:
                self._seen, self._seen_at = contents, now
            elif contents != self._loaded and now - self._seen_at >= SETTLED_SECONDS:
                self._loaded = self._seen
                self._reload(contents)
        except Exception as error:  # noqa: BLE001  # a mistake of ours must not end the watch
            metrics.RULES_REFUSED.set(1)
            _log.error("the changed rules could not be read, the old ones stay in force", exc_info=error)

    def _reload(self, contents: Contents) -> None:
        try:
            book = self._load(contents, self._book.catalogue)
            self._refuse_rewritten(book)
        except RulesetErrors as error:
            self.error = error
        else:
            self.error, self._book = None, book
            self._digests[book.ruleset.label] = book.ruleset.digest
        self._report(self.error, self._book)

    def _load(self, contents: Contents, known: Catalogue | None) -> Rulebook:
        ruleset_path, catalogue_path = self._paths
        ruleset_text, text = (_there(path, content) for path, content in zip(self._paths, contents, strict=True))
        if known is None or known.digest != digest_of(text):
            known = load_catalogue(text, catalogue_path.name, self._channels)
        ruleset = load_ruleset(ruleset_text, ruleset_path.name, known, self._channels)
        return Rulebook(ruleset=ruleset, catalogue=known)

    def _refuse_rewritten(self, book: Rulebook) -> None:
        new = book.ruleset
        if self._digests.get(new.label, new.digest) != new.digest:
            raise _problem(
                self._paths[0],
                f"was changed but still says version {new.version}; give it a new version to put it in force",
                f"内容已修改，但版本仍是 {new.version}；请改版本号后生效",
            )

    def _contents(self) -> Contents:
        ruleset, catalogue = (_bytes_of(path) for path in self._paths)
        return ruleset, catalogue


def _tell(error: RulesetErrors | None, book: Rulebook) -> None:
    metrics.RULES_REFUSED.set(int(error is not None))
    if error is None:
        _log.info("rules %s are in force", book.ruleset.label)
    else:
        _log.error("the changed rules are not used, %s stay in force:\n%s", book.ruleset.label, error)


def _bytes_of(path: Path) -> bytes | None:
    """None for what can't be read; no more than it takes to see that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError:
        return None


def _there(path: Path, content: bytes | None) -> bytes:
    """The content of a file. Raises RulesetErrors that say why there is none."""
    if content is not None:
        return content
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise _problem(path, f"can't be read: {reason}", f"无法读取：{reason}") from error


def _problem(path: Path, en: str, zh: str) -> RulesetErrors:
    return RulesetErrors([Problem(path.name, 0, Text("", ""), Text(en, zh))])

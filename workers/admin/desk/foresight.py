"""What would become of decisions, asked of the very code that applies them. Nothing is decided or written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from schemas.decision import Decided, Decision
from schemas.plan import PlannedOrder
from schemas.text import Text
from workers.admin.desk.asking import ServerAway, ask_ledger
from workers.admin.errors import Rejected
from workers.admin.servers import kafka_away
from workers.apply.agent import ApplyAgent
from workers.inventory.archive import Archive, PlannedArchive
from workers.inventory.ledger import Ledger
from workers.rules.problems import RulesetErrors
from workers.rules.provider import RuleFiles
from workers.rules.ruleset import Rulebook
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings

MOST: Final = 1000
"""Decisions at a time: some seconds."""


class ActiveRules:
    """The rules and the catalogue as this process finds them on disk, read when they are first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files: RuleFiles | None = None
        self._lock = threading.Lock()

    def current(self) -> Rulebook:
        """The rules in force. Raises Rejected `rules-unusable` where they cannot be read."""
        with self._lock:
            try:
                if self._files is None:
                    self._files = RuleFiles(self._settings.rules_file, self._settings.catalogue_file)
                self._files.look(time.monotonic())
            except RulesetErrors:
                raise Rejected(
                    Text("the rules cannot be read here", "此处无法读取规则"),
                    "rules-unusable",
                    Text(
                        "see what is wrong with them: orderfleet rules check",
                        "请用 orderfleet rules check 查看问题",
                    ),
                ) from None
            return self._files.current()


class Foresight:
    """Asks the ledger, and Kafka for the orders themselves. From any thread that runs no event loop."""

    def __init__(self, settings: Settings, rules: ActiveRules) -> None:
        self._settings, self._rules = settings, rules

    def of(self, decisions: Sequence[Decision]) -> list[Decided]:
        """What would become of each if it came alone, now. Raises ServerAway, Rejected."""

        async def asked(ledger: Ledger) -> list[Decided]:
            archive = PlannedArchive(self._settings.cluster)
            try:
                return await ApplyAgent(ledger, KafkaArchive(self._settings, archive), self._rules).foresee(decisions)
            finally:
                await archive.close()

        return ask_ledger(self._settings, asked)


class KafkaArchive:
    """An archive whose troubles are told as Kafka's."""

    def __init__(self, settings: Settings, archive: Archive) -> None:
        self._settings, self._archive = settings, archive

    async def read(self, places: Sequence[tuple[int, int]]) -> list[PlannedOrder | None]:
        """As the archive does. Raises ServerAway."""
        try:
            return await self._archive.read(places)
        except TransientError as error:
            raise ServerAway(kafka_away(self._settings, error), "kafka-away") from None

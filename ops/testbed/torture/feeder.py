"""Puts a round's raw records into Kafka at their times: confirmed, whatever happens to the broker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from ops.testbed.torture.confirmed_writer import ConfirmedWriter
from ops.testbed.torture.plan import Feed


class Feeder(ConfirmedWriter):
    """One for a whole run."""

    called = "feeder"
    writes = "records"

    def feed(self, feeds: Sequence[Feed]) -> None:
        """Begin to put them in, without waiting."""
        self._begin(len(feeds), partial(self._put_in, feeds))

    def _put_in(self, feeds: Sequence[Feed]) -> None:
        began = time.monotonic()
        for feed in feeds:
            self._wait_until(began + feed.at)
            self._writer.send(*feed.record, self._confirmed)

"""The PostgreSQL that the tests are run on: the embedded one, or another that this machine has."""

from __future__ import annotations

import os
from pathlib import Path


def postgres_binaries() -> Path | None:
    """The folder that ORDERFLEET_TEST_POSTGRES names, of `postgres` and `initdb`; None: the embedded one's."""
    named = os.environ.get("ORDERFLEET_TEST_POSTGRES")
    return Path(named) if named else None

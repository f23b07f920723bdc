"""A caller of the quiet world's platforms."""

from __future__ import annotations

import httpx
import pytest

from tests.ops.testbed.simulators.conftest import Quiet
from tests.ops.testbed.simulators.platforms.calls import Caller


@pytest.fixture
def caller(http: httpx.AsyncClient, base_url: str, quiet: Quiet) -> Caller:
    """Signs as the shop whose secrets the platforms know."""
    return Caller(http, base_url, quiet)

"""The kit is imported, not collected: without this its asserts would fail without saying why."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.channel_adapters.contract")

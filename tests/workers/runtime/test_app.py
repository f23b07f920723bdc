"""The Faust app of a group, before it runs."""

from __future__ import annotations

from pathlib import Path

import topology
from workers.runtime.reader import build_app
from workers.runtime.settings import Settings
from workers.runtime.table import groups


def test_a_worker_leaves_no_folders_where_it_was_started() -> None:
    """A container's folder may be read-only, and a checkout is not a place for empty folders."""
    app = build_app(groups(topology.STAGES)[0], ["a-topic"], Settings())
    assert not Path(app.conf.datadir).is_relative_to(Path.cwd())
    assert Path(app.conf.datadir).parent.is_dir()

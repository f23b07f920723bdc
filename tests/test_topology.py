"""The map of the system is whole, and the drawn one is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from redis.asyncio import Redis

import topology
from workers.runtime.settings import Settings
from workers.runtime.table import check, durable, groups

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "ops" / "docs" / "examples"


def test_the_table_has_no_loose_ends() -> None:
    check(topology.STAGES, entering=topology.ENTERING, leaving=topology.LEAVING)


def test_every_stage_can_run_in_a_process_of_its_own() -> None:
    rows = durable(topology.STAGES)
    check(rows, entering=topology.ENTERING, leaving=topology.LEAVING)
    assert len(groups(rows)) == len(topology.STAGES)


def test_who_only_computes_gives_way_to_who_reads_what_it_writes() -> None:
    settings = Settings(rules_file=EXAMPLES / "rules.yaml", catalogue_file=EXAMPLES / "catalogue.yaml")
    worker = topology.build_worker(settings, topology.build_services(settings, Redis()), stages=[])
    yields = {reader.name: {other.name for other in reader.yields_to} for reader in worker._readers}
    assert yields == {
        "normalize": {"reserve", "defer", "letters"},
        "reserve": set(),
        "defer": set(),
        "reroute": {"reserve", "defer"},
        "fulfill": set(),
        "apply": set(),
        "letters": {"notify"},
        "shortage": {"notify"},
        "notify": set(),
    }


def test_the_drawing_is_current() -> None:
    assert topology.DRAWING.read_text(encoding="utf-8") == topology.drawing(), "run: python topology.py draw"


def test_the_check_command_says_that_all_is_well() -> None:
    done = subprocess.run(
        [sys.executable, "topology.py", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no loose ends" in done.stdout

"""A decision needs no Kafka, no Redis and no event loop: only Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROMPT = """
import sys
from pathlib import Path
from tests.builders import an_order, lines
from workers.rules.loading import load_catalogue, load_ruleset
from workers.route.decide import decide as route
from workers.tag.decide import decide as tag

catalogue = load_catalogue(Path("ops/docs/examples/catalogue.yaml").read_bytes(), "catalogue.yaml")
ruleset = load_ruleset(Path("ops/docs/examples/rules.yaml").read_bytes(), "rules.yaml", catalogue)
order = an_order(lines=lines("ICECREAM-8"))
planned = route(tag(order, catalogue, ruleset.tagging), ruleset, order.modified_at)
print(planned.plan.candidates[0].warehouse_id)
print(sorted({"faust", "mode", "redis", "aiokafka", "httpx", "prometheus_client"} & set(sys.modules)))
"""


def test_an_order_is_decided_at_a_plain_python_prompt() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROMPT], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["shanghai-cold", "[]"]

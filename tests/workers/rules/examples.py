"""The shipped example files, and small rulesets for tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from workers.rules.catalogue import Catalogue
from workers.rules.loading import load_catalogue, load_ruleset
from workers.rules.ruleset import Ruleset

EXAMPLES = Path(__file__).parents[3] / "ops" / "docs" / "examples"

HEAD = """\
ruleset: {name: test, version: "1"}
warehouses: [{id: hangzhou}, {id: shanghai-cold}, {id: guangzhou}, {id: beijing}]
"""


@cache
def example_catalogue() -> Catalogue:
    """ops/docs/examples/catalogue.yaml."""
    return load_catalogue((EXAMPLES / "catalogue.yaml").read_bytes(), "catalogue.yaml")


@cache
def example_ruleset() -> Ruleset:
    """ops/docs/examples/rules.yaml."""
    return load_ruleset((EXAMPLES / "rules.yaml").read_bytes(), "rules.yaml", example_catalogue())


def ruleset_of(*rules: str, tagging: str = "", head: str = HEAD) -> Ruleset:
    """A ruleset of these rules, each a YAML flow mapping."""
    return load_ruleset(text_of(*rules, tagging=tagging, head=head), "rules.yaml", example_catalogue())


def text_of(*rules: str, tagging: str = "", head: str = HEAD) -> str:
    """The file that `ruleset_of` loads."""
    keywords = f"tagging: [{tagging}]\n" if tagging else ""
    return head + keywords + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules)

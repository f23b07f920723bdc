"""Whether servers will do: findings from facts. Pure. Each says what is so, what comes of it, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from workers.admin.facts import Facts
from workers.admin.findings import Finding, Severity, Wanted
from workers.admin.kafka_checks import kafka_findings
from workers.admin.redis_checks import redis_findings


def findings_of(facts: Facts, wanted: Wanted) -> list[Finding]:
    """All findings, Redis's first. A server that is away is none: there is nothing to judge."""
    found: list[Finding] = []
    if facts.redis is not None:
        found += redis_findings(facts.redis, wanted)
    if facts.kafka is not None:
        found += kafka_findings(facts.kafka, wanted)
    return found


def refuses(found: Sequence[Finding], *, strict: bool) -> list[Finding]:
    """Those for which a worker does not start."""
    return [one for one in found if strict or one.severity is Severity.REFUSES]

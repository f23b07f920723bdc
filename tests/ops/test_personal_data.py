"""The page about personal data says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.topics import TOPICS
from workers.admin.erasure import longest_retention, personal_topics
from workers.rebuild.contents import FAMILIES

PAGE = Path("ops/docs/personal-data.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\S+?)` \|.*\| (\d+) days", PAGE, re.MULTILINE))


def test_every_topic_with_personal_data_stands_there_with_its_retention() -> None:
    expected = {str(topic): str(topic.retention.days) for topic in personal_topics()}

    assert {name: days for name, days in ROWS.items() if "{" not in name} == expected


def test_every_other_topic_is_named_as_holding_none() -> None:
    [others] = [line for line in PAGE.splitlines() if line.endswith("order uids.") and "hold none" in line]

    assert {topic.base for topic in TOPICS} - {topic.base for topic in personal_topics()} == set(
        re.findall(r"`(\S+?)`", others)
    )


def test_every_family_of_keys_stands_there() -> None:
    section = PAGE.partition("## In Redis")[2].partition("## Elsewhere")[0]

    assert [family for family in FAMILIES if f"`{family}`" not in section and f"`{family}:" not in section] == []


def test_the_note_is_kept_as_long_as_the_page_says() -> None:
    assert ROWS["erased:{<uid>}"] == str(longest_retention().days)

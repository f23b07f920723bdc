"""How the book is: its version, what is in it, and how far it is behind Kafka."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from schemas.namespace import unprefixed
from schemas.record import record
from workers.book import database
from workers.book.database import Connection
from workers.runtime.stage import Partition


@record
class TopicProgress:
    """How far one topic was read; the topics of a family each for itself."""

    topic: str
    read: int  # offsets read, added up over its partitions
    behind: int  # records that wait


@record
class BookStatus:
    """The book at one moment."""

    version: int  # of its tables; 0: there is no book
    newest_version: int  # that this code knows
    made_at: datetime | None
    written_at: datetime | None  # when something was last written
    writers: int  # processes that write to it now
    orders: int
    stages: dict[str, int]
    dead_letters: int
    skipped: int  # records that it could not take
    topics: tuple[TopicProgress, ...]

    @property
    def behind(self) -> int:
        """Records that wait, of all topics."""
        return sum(topic.behind for topic in self.topics)


def status(connection: Connection, ends: Mapping[Partition, int]) -> BookStatus:
    """`ends`: one past the last record of each partition, as Kafka says. Raises TransientError."""
    newest = database.known_versions()[-1][0]
    with database.told(), connection.transaction():
        version = database.version_of(connection)
        if not version:
            return _none(newest, ends)
        stages = {str(stage): int(count) for stage, count in connection.execute(_STAGES).fetchall()}
        [(made_at, written_at, letters, skipped, writers)] = connection.execute(_ABOUT, [database.LOCKS]).fetchall()
        places = {(topic, number): offset for topic, number, offset in connection.execute(_PLACES).fetchall()}
    return BookStatus(
        version=version,
        newest_version=newest,
        made_at=made_at,
        written_at=written_at,
        writers=writers,
        orders=sum(stages.values()),
        stages=stages,
        dead_letters=letters,
        skipped=skipped,
        topics=_progress(places, ends),
    )


def _none(newest: int, ends: Mapping[Partition, int]) -> BookStatus:
    return BookStatus(
        version=0,
        newest_version=newest,
        made_at=None,
        written_at=None,
        writers=0,
        orders=0,
        stages={},
        dead_letters=0,
        skipped=0,
        topics=_progress({}, ends),
    )


def _progress(places: Mapping[Partition, int], ends: Mapping[Partition, int]) -> tuple[TopicProgress, ...]:
    read, behind = Counter[str](), Counter[str]()
    for (name, number), end in ends.items():
        topic = unprefixed(name)
        place = places.get((topic, number), 0)
        read[topic] += place
        behind[topic] += max(0, end - place)
    return tuple(TopicProgress(topic=topic, read=read[topic], behind=behind[topic]) for topic in sorted(read))


_STAGES = "SELECT stage, count(*) FROM orders GROUP BY stage ORDER BY stage"
_PLACES = "SELECT topic, partition, next_offset FROM places"
_ABOUT = """
    SELECT b.made_at, (SELECT max(read_at) FROM places), (SELECT count(*) FROM dead_letters),
      (SELECT count(*) FROM skipped),
      (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted AND objid < 1000
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    FROM book AS b
"""

"""The order book for an operator: how it is, its tables, and making it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.text import Text
from workers.admin.errors import InvalidRequest, Rejected
from workers.book import database
from workers.book.database import Connection, NewerBook
from workers.book.reading import ends_of_topics, opened_reader
from workers.book.rebuild import AlreadyRebuilding, Progress, Rebuilt, rebuild
from workers.book.status import BookStatus, status
from workers.runtime.settings import Settings


@contextmanager
def opened_book(settings: Settings, role: str = "cli") -> Iterator[Connection]:
    """A connection to the book. Raises InvalidRequest when there is none, TransientError when PostgreSQL is away."""
    if not settings.book_url.get_secret_value():
        raise InvalidRequest(
            Text(
                "this installation keeps no order book: set ORDERFLEET_BOOK_URL to postgresql://USER@HOST:PORT/DATABASE",
                "尚未启用订单台账：请将 ORDERFLEET_BOOK_URL 设为 postgresql://用户@主机:端口/数据库",
            )
        )
    with database.connect(settings.book_url, role=role) as connection:
        yield connection


def book_status(settings: Settings) -> BookStatus:
    """How the book is, and how far behind. Raises what `opened_book` raises."""
    with opened_book(settings) as connection, opened_reader(settings.cluster) as reader:
        return status(connection, ends_of_topics(reader))


def migrate_book(settings: Settings) -> list[int]:
    """Bring its tables to this version. The numbers of the steps. Raises Rejected when they are of a newer one."""
    with opened_book(settings) as connection:
        try:
            return database.migrate(connection)
        except NewerBook as error:
            raise Rejected(Text(str(error), f"订单台账由更新的版本创建：{error}")) from None


def rebuild_book(settings: Settings, progress: Progress) -> Rebuilt:
    """Make it again from Kafka. Raises Rejected when somebody does so already, and what `opened_book` raises."""
    with opened_book(settings):
        pass  # says at once, and in words, when there is nothing to connect to
    try:
        return rebuild(settings.cluster, settings.book_url, progress)
    except AlreadyRebuilding:
        raise Rejected(
            Text("another process makes the book again at this moment", "另一个进程正在重建订单台账")
        ) from None
